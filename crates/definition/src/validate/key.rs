//! `pipeline.key`: the columns that make a row unique.

use crate::api::{Api, Columns};
use crate::enums::OnConflict;
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
            self.report_missing_key(api);
            return Vec::new();
        };
        let keeps_last = raw.on_conflict.as_deref() == Some(OnConflict::KeepLast.as_str());
        if raw.key.is_some() {
            self.check_not_empty("/pipeline/key", &key);
            self.check_duplicates("/pipeline/key", &key);
            self.check_names_of_key(&key);
            self.check_key_is_wide_enough(&key, api, columns, keeps_last);
        }
        if keeps_last {
            self.warn_of_keep_last(&key, api, columns);
        }
        let is_from_report = raw.key.is_none() && api.capabilities().names_every_column;
        if !is_from_report && are_known(api, columns) {
            self.check_key_columns(&key, columns);
        }
        key
    }

    /// Reports names that no column has. What was stored before this was checked is still read.
    fn check_names_of_key(&mut self, key: &[String]) {
        if self.is_stored() {
            return;
        }
        for (i, name) in key.iter().enumerate() {
            self.check_name_in_file(&format!("/pipeline/key/{i}"), "column name", name);
        }
    }

    fn report_missing_key(&mut self, api: Api) {
        if self.is_spoiled("/pipeline/key") {
            return;
        }
        let message = format!("CXone does not document what makes a row of {api} unique");
        let hint = "name the columns that do, such as [\"Contact ID\"]: without them, a row that was fetched twice \
                    can't be told from two equal rows";
        self.report_finding(FindingCode::KeyMissing, "/pipeline/key", message, hint);
    }

    /// Reports what the key names and the report does not have.
    fn check_key_columns(&mut self, key: &[String], columns: &Columns<'_>) {
        for (i, name) in key.iter().enumerate() {
            if columns.all().any(|column| column == name) {
                continue;
            }
            let at = format!("/pipeline/key/{i}");
            let message = format!("{} is not among the columns of the report", quote(name));
            let hint = suggest(name, columns.all());
            self.report_finding(FindingCode::KeyNotColumn, at, message, hint);
        }
    }

    /// Reports a key without a column that tells rows apart: rows that differ would count as copies of one another.
    fn check_key_is_wide_enough(
        &mut self,
        key: &[String],
        api: Api,
        columns: &Columns<'_>,
        keeps_last: bool,
    ) {
        let needed = match api {
            Api::Analytics => columns.grouping.to_vec(),
            // With `fail`, two rows of one key stop the delivery, and no row is lost.
            _ if keeps_last => (api.capabilities().default_key)(columns).unwrap_or_default(),
            _ => return,
        };
        let missing: Vec<String> = (needed.iter())
            .filter(|name| !key.contains(name))
            .map(|name| quote(name))
            .collect();
        // A key that is empty or names an unknown column is reported as that.
        let is_unknown =
            |name: &String| are_known(api, columns) && !columns.all().any(|c| c == name);
        if self.is_stored() || missing.is_empty() || key.is_empty() || key.iter().any(is_unknown) {
            return;
        }
        let message = format!(
            "the key lacks {}, so that rows which differ in it would be taken for one row",
            missing.join(", ")
        );
        let hint = format!(
            "the columns that make a row unique are {}",
            needed.join(", ")
        );
        self.report_finding(FindingCode::KeyTooNarrow, "/pipeline/key", message, hint);
    }

    /// Warns where nothing says that the key names each row: `keep-last` then drops rows that are not the same.
    fn warn_of_keep_last(&mut self, key: &[String], api: Api, columns: &Columns<'_>) {
        let code = FindingCode::KeepLastDropsRows;
        let is_ungrouped = api == Api::Analytics && columns.grouping.is_empty();
        if is_ungrouped && !key.iter().any(|name| name == "interactionId") {
            let message = "without a grouping each interaction is a row, and of those with an equal key all but one would be dropped";
            let hint = "use \"fail\", or add \"interactionId\" to the dimensions and to the key";
            self.report_finding(code, "/pipeline/onConflict", message, hint);
        }
        if (api.capabilities().default_key)(columns).is_none() {
            let message = format!(
                "CXone does not document what makes a row of {api} unique, and of rows with an equal key all but the last would be dropped, whatever else they say"
            );
            let hint =
                "use \"fail\", which drops nothing and names the columns in which such rows differ";
            self.report_finding(code, "/pipeline/onConflict", message, hint);
        }
    }
}
