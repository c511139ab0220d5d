//! `pipeline.fallback`: what is left out when the full report can't be had.

use crate::api::{Api, Columns};
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::pipeline::Fallback;
use crate::raw::RawFallback;
use crate::text::quote;
use crate::validator::Validator;

const DROP: &str = "/pipeline/fallback/drop";

impl Validator<'_> {
    pub(super) fn check_fallback(
        &mut self,
        raw: Option<&RawFallback>,
        api: Api,
        columns: &Columns<'_>,
        key: &[String],
    ) -> Option<Fallback> {
        let raw = raw?;
        if !api.capabilities().names_every_column {
            let message = "only an analytics report can be asked for fewer columns";
            self.refuse_for_api("/pipeline/fallback", message, "take it out");
            return None;
        }
        let drop = self.require(DROP, raw.drop.as_ref())?;
        self.check_not_empty(DROP, drop);
        self.check_duplicates(DROP, drop);
        self.check_dropped_columns(drop, columns, key);
        self.check_remaining_columns(drop, columns);
        Some(Fallback { drop: drop.clone() })
    }

    /// Each column that is left out must be one of the report's, and rows must stay distinguishable without it.
    fn check_dropped_columns(&mut self, drop: &[String], columns: &Columns<'_>, key: &[String]) {
        for (i, name) in drop.iter().enumerate() {
            let at = format!("{DROP}/{i}");
            if !columns.all().any(|column| column == name) {
                let message = format!(
                    "{} is neither a metric nor a dimension of the report",
                    quote(name)
                );
                let hint = suggest(name, columns.all());
                self.report_finding(FindingCode::FallbackUnknown, at, message, hint);
            } else if key.contains(name) || columns.grouping.contains(name) {
                let message = format!("{name:?} is part of the key or of the grouping");
                let hint = "rows could not be told apart without it";
                self.report_finding(FindingCode::FallbackDropsKey, at, message, hint);
            }
        }
    }

    fn check_remaining_columns(&mut self, drop: &[String], columns: &Columns<'_>) {
        for (what, list) in [
            ("metric", columns.metrics),
            ("dimension", columns.dimensions),
        ] {
            if !list.is_empty() && list.iter().all(|name| drop.contains(name)) {
                let message = format!("no {what} would be left");
                self.report_finding(FindingCode::FallbackDropsKey, DROP, message, "");
            }
        }
    }
}
