//! `pipeline.key`: the columns that make a row unique.

use crate::api::{Api, Columns};
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::raw::RawPipeline;
use crate::text::quote;
use crate::validator::Validator;

/// Whether the columns of a row are known before it comes.
pub(super) fn are_known(api: Api, columns: &Columns<'_>) -> bool {
    api.capabilities().names_every_column || columns.all().next().is_some()
}

impl Validator<'_> {
    pub(super) fn check_key(
        &mut self,
        raw: &RawPipeline,
        api: Api,
        columns: &Columns<'_>,
    ) -> Vec<String> {
        let Some(key) = raw
            .key
            .clone()
            .or_else(|| (api.capabilities().default_key)(columns))
        else {
            if !self.is_spoiled("/pipeline/key") {
                let message = format!("CXone does not document what makes a row of {api} unique");
                let hint = "name the columns that do, such as [\"Contact ID\"]: without them, a row that was fetched twice \
                            can't be told from two equal rows";
                self.report_finding(FindingCode::KeyMissing, "/pipeline/key", message, hint);
            }
            return Vec::new();
        };
        if raw.key.is_some() {
            self.check_not_empty("/pipeline/key", &key);
            self.check_duplicates("/pipeline/key", &key);
        }
        let is_from_report = raw.key.is_none() && api.capabilities().names_every_column;
        if is_from_report || !are_known(api, columns) {
            return key;
        }
        for (i, name) in key
            .iter()
            .enumerate()
            .filter(|(_, name)| !columns.all().any(|c| c == *name))
        {
            let message = format!("{} is not among the columns of the report", quote(name));
            let hint = suggest(name, columns.all());
            self.report_finding(
                FindingCode::KeyNotColumn,
                format!("/pipeline/key/{i}"),
                message,
                hint,
            );
        }
        key
    }
}
