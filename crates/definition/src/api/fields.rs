//! Fields that the report blocks of several APIs have.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::bounds::LONGEST_NAME;
use crate::finding_code::FindingCode;
use crate::ids::IdError;
use crate::text::quote;
use crate::validator::Validator;

/// Versions of the API that have been seen are 10 to 34; a later one is believed.
const VERSIONS: RangeInclusive<i64> = 10..=99;

impl Validator<'_> {
    /// Parses a name that becomes part of a URL or a request.
    pub(super) fn parse_id<I: FromStr<Err = IdError>>(
        &mut self,
        at: &str,
        text: Option<&String>,
    ) -> Option<I> {
        let id = self.require(at, text)?.parse::<I>();
        if let Err(error) = &id {
            self.report_finding(FindingCode::IdInvalid, at, error.to_string(), "");
        }
        id.ok()
    }

    pub(super) fn parse_api_version(&mut self, number: Option<i64>) -> Option<u16> {
        let at = "/report/apiVersion";
        let number = *self.require(at, number.as_ref())?;
        if !VERSIONS.contains(&number) {
            let message = format!("{number} is not a version from 10 to 99");
            let hint = "the N of /inContactAPI/services/vN.0, such as 34";
            self.report_finding(FindingCode::ApiVersionInvalid, at, message, hint);
            return None;
        }
        u16::try_from(number).ok()
    }

    /// Checks names that stand in a file: of its columns, or of its total row. A list that is left out is empty.
    pub(crate) fn check_names(
        &mut self,
        at: &str,
        noun: &str,
        list: Option<&[String]>,
    ) -> Vec<String> {
        let Some(list) = list else { return Vec::new() };
        self.check_not_empty(at, list);
        self.check_duplicates(at, list);
        for (i, name) in list.iter().enumerate() {
            self.check_name_in_file(&format!("{at}/{i}"), noun, name);
        }
        list.to_vec()
    }

    /// Checks the name of a column that is declared in an object.
    pub(crate) fn check_column_name(&mut self, object: &str, name: &str) {
        self.check_name_in_file(&format!("{object}/{name}"), "column name", name);
    }

    pub(crate) fn check_name_in_file(&mut self, at: &str, noun: &str, name: &str) {
        if (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control) {
            return;
        }
        let message = format!("{} is not a valid {noun}", quote(name));
        let hint = "use 1 to 256 bytes without control characters";
        self.report_finding(FindingCode::ColumnInvalid, at, message, hint);
    }
}
