//! What the warehouse that `pipeline.target` names can't load.

use crate::catalogue::Catalogue;
use crate::definition::Definition;
use crate::enums::Compression;
use crate::finding_code::FindingCode;
use crate::validator::Validator;
use crate::warehouse::Warehouse;

const AT: &str = "/pipeline/target";

impl Validator<'_> {
    pub(super) fn compare_with_target(&mut self, definition: &Definition) {
        let Some(target) = definition.pipeline.target else {
            return;
        };
        if !target.loads(definition.pipeline.compression) {
            let message = format!("{target} does not load {}", definition.pipeline.compression);
            let at = "/pipeline/compression";
            self.report_finding(FindingCode::NotLoadable, at, message, "use gzip or none");
        }
        let catalogue = self.catalogue.unwrap_or_else(|| Catalogue::builtin());
        if let Err(error) = definition.create_table(target, catalogue, None) {
            self.report_finding(FindingCode::NoTable, AT, error.to_string(), "");
        }
    }
}

impl Warehouse {
    /// Whether it reads files that are compressed like this.
    fn loads(self, compression: Compression) -> bool {
        compression != Compression::Zstd || self != Self::BigQuery
    }
}
