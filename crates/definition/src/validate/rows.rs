//! What the pipeline is told about the rows: `emptyMessages`, `totalLabels`, `declare`.

use std::collections::BTreeMap;

use crate::api::Api;
use crate::declare::{Declared, DeclaredColumn};
use crate::finding_code::FindingCode;
use crate::raw::{RawDeclared, RawDeclaredColumn, RawDefinition};
use crate::text::quote;
use crate::validator::Validator;

const EMPTY: &str = "/pipeline/emptyMessages";
const LABELS: &str = "/pipeline/totalLabels";
/// A shorter text could be a part of any message, and would turn a failure into an empty day.
const SHORTEST_MESSAGE: usize = 6;
const LONGEST_MESSAGE: usize = 256;

impl Validator<'_> {
    pub(super) fn check_empty_messages(&mut self, list: Option<&[String]>) -> Vec<String> {
        let list = list.unwrap_or_default();
        self.check_duplicates(EMPTY, list);
        for (i, text) in list.iter().enumerate() {
            let length = text.trim().len();
            let fits = (SHORTEST_MESSAGE..=LONGEST_MESSAGE).contains(&length)
                && !text.contains(char::is_control);
            if !fits {
                let message = format!("{} is not usable", quote(text));
                let hint = "use 6 to 256 bytes of what CXone says; a shorter text could be a part of any message";
                let at = format!("{EMPTY}/{i}");
                self.report_finding(FindingCode::EmptyMessageInvalid, at, message, hint);
            }
        }
        list.to_vec()
    }

    pub(super) fn check_total_labels(&mut self, raw: &RawDefinition) -> Option<Vec<String>> {
        let list = raw.pipeline.as_ref()?.total_labels.as_ref()?;
        if raw.api() == Api::Contacts {
            let message = "contacts come as JSON, which has no total row";
            self.refuse_for_api(LABELS, message, "take it out");
        }
        if !list.is_empty() {
            self.check_names(LABELS, "label", Some(list));
        }
        Some(list.clone())
    }

    pub(super) fn check_declared(&mut self, raw: Option<&RawDeclared>) -> Option<Declared> {
        let Some(raw) = raw else {
            return Some(Declared::default());
        };
        let metrics = self.check_declared_half("metrics", raw.metrics.as_ref());
        let dimensions = self.check_declared_half("dimensions", raw.dimensions.as_ref());
        Some(Declared {
            metrics: metrics?,
            dimensions: dimensions?,
        })
    }

    fn check_declared_half(
        &mut self,
        half: &str,
        raw: Option<&BTreeMap<String, RawDeclaredColumn>>,
    ) -> Option<BTreeMap<String, DeclaredColumn>> {
        let columns: Vec<_> = (raw.into_iter().flatten())
            .map(|(name, column)| {
                let at = format!("/pipeline/declare/{half}/{name}/type");
                let column_type = self.parse_enum(&at, column.column_type.as_deref())?;
                Some((name.clone(), DeclaredColumn { column_type }))
            })
            .collect();
        columns.into_iter().collect()
    }
}
