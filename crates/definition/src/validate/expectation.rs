//! Checks `pipeline.expectedBy` against the schedule.

use jiff::SignedDuration;

use crate::bounds::LONGEST_EXPECTATION;
use crate::definition::Definition;
use crate::duration::{format_duration, parse_minutes};
use crate::finding_code::FindingCode;
use crate::raw::RawPipeline;
use crate::validator::Validator;

const AT: &str = "/pipeline/expectedBy";

impl Validator<'_> {
    /// When a window is expected; `Some(None)` if the definition does not say it, and `None` if what it says is wrong.
    #[expect(
        clippy::option_option,
        reason = "a definition that says nothing is not wrong"
    )]
    pub(super) fn check_expected_by(
        &mut self,
        raw: &RawPipeline,
    ) -> Option<Option<SignedDuration>> {
        let Some(text) = &raw.expected_by else {
            return Some(None);
        };
        let after = parse_minutes(text).filter(|after| *after <= LONGEST_EXPECTATION);
        if after.is_none() {
            let hint =
                "ISO 8601, whole minutes up to 7 days after the schedule's time, such as \"PT3H\"";
            self.refuse_duration(FindingCode::ExpectedByInvalid, AT, text, hint);
        }
        after.map(Some)
    }

    /// Refuses a time at which nothing can have been delivered yet.
    pub(super) fn compare_with_expectation(&mut self, definition: &Definition) {
        let Some(after) = definition.pipeline.expected_by else {
            return;
        };
        let wait = definition.longest_wait();
        if after <= wait {
            let message = format!(
                "{} after the schedule's time nothing can have been delivered, because a window may be final only {} after it",
                format_duration(after),
                format_duration(wait)
            );
            let hint =
                "say a longer time, or leave it out: then it is three hours more than that wait";
            self.report_finding(FindingCode::ExpectedByInvalid, AT, message, hint);
        }
    }
}
