//! Collects what is wrong with a definition, and checks the kinds of fields that occur in every block.

use std::str::FromStr;

use crate::catalogue::Catalogue;
use crate::declare::RawDeclared;
use crate::finding::Finding;
use crate::finding_code::FindingCode;
use crate::hint::suggest;
use crate::text::quote;
use crate::text_enum::TextEnum;
use crate::time_of_day::TimeOfDay;

/// One walk over a definition. Each step returns its typed part, or `None` after it has reported why there is none, so
/// that an author reads everything that is wrong at once.
pub(crate) struct Validator<'a> {
    pub(crate) findings: Vec<Finding>,
    /// Pointers of values that could not be read. They were reported and taken out, and must not be reported as missing.
    pub(crate) spoiled: Vec<String>,
    /// The metrics and dimensions that exist; `None` to accept any.
    pub(crate) catalogue: Option<&'a Catalogue>,
    /// Metrics and dimensions that the definition declares itself.
    pub(crate) declared: Option<&'a RawDeclared>,
}

impl Validator<'_> {
    pub(crate) fn report_finding(
        &mut self,
        code: FindingCode,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings
            .push(Finding::new(code, pointer, message, hint));
    }

    /// Whether the definition is read back from where it was stored, perhaps by an earlier version, which held it against
    /// fewer rules. It has to stay readable.
    pub(crate) fn is_stored(&self) -> bool {
        self.catalogue.is_none()
    }

    /// Reports a field that is missing.
    pub(crate) fn require<'d, T>(&mut self, at: &str, value: Option<&'d T>) -> Option<&'d T> {
        if value.is_none() && !self.is_spoiled(at) {
            let field = at.rsplit_once('/').map_or(at, |(_, field)| field);
            let message = format!("{field:?} is missing");
            self.report_finding(FindingCode::MissingField, at, message, "");
        }
        value
    }

    pub(crate) fn is_spoiled(&self, at: &str) -> bool {
        self.spoiled.iter().any(|spoiled| spoiled == at)
    }

    pub(crate) fn parse_time(&mut self, at: &str, text: Option<&String>) -> Option<TimeOfDay> {
        let text = self.require(at, text)?;
        let time = TimeOfDay::from_str(text);
        if let Err(error) = &time {
            let hint = "such as \"06:00\"";
            self.report_finding(FindingCode::TimeInvalid, at, error.to_string(), hint);
        }
        time.ok()
    }

    /// Reports a text that is no duration, or none that can be used where it stands.
    pub(crate) fn refuse_duration(&mut self, code: FindingCode, at: &str, text: &str, hint: &str) {
        let message = format!("{} is not a usable duration", quote(text));
        self.report_finding(code, at, message, hint);
    }

    pub(crate) fn parse_enum<E: TextEnum>(&mut self, at: &str, text: Option<&str>) -> Option<E> {
        let text = text.map(str::to_owned);
        let text = self.require(at, text.as_ref())?;
        let variant = E::parse_text(text);
        if variant.is_none() {
            let message = format!("unknown value {}", quote(text));
            let hint = suggest(text, E::ALL.iter().map(|variant| variant.text()));
            self.report_finding(FindingCode::WrongValue, at, message, hint);
        }
        variant
    }

    /// `Some(None)` if the field is left out, `None` if it has an unknown word, which is reported.
    #[expect(
        clippy::option_option,
        reason = "a field that is left out has a default, and one with an unknown word has none"
    )]
    pub(crate) fn parse_optional_enum<E: TextEnum>(
        &mut self,
        at: &str,
        text: Option<&str>,
    ) -> Option<Option<E>> {
        match text {
            None => Some(None),
            Some(text) => self.parse_enum(at, Some(text)).map(Some),
        }
    }

    pub(crate) fn check_duplicates(&mut self, at: &str, list: &[String]) {
        for (i, entry) in list.iter().enumerate() {
            if list[..i].contains(entry) {
                let message = format!("{} occurs twice", quote(entry));
                self.report_finding(FindingCode::Duplicate, format!("{at}/{i}"), message, "");
            }
        }
    }

    pub(crate) fn check_not_empty(&mut self, at: &str, list: &[String]) {
        if list.is_empty() {
            self.report_finding(FindingCode::Empty, at, "the list is empty", "");
        }
    }
}
