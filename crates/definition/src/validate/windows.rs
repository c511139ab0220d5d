//! `pipeline.narrow` and `pipeline.split`: how windows are cut.

use jiff::SignedDuration;

use crate::api::{Columns, Report};
use crate::duration::{DAY, parse_minutes};
use crate::enums::SourceRange;
use crate::finding_code::FindingCode;
use crate::pipeline::{Narrow, Split};
use crate::raw::{RawNarrow, RawSplit};
use crate::text::quote;
use crate::validator::Validator;
use crate::window::Window;

const DURATION_HINT: &str =
    "ISO 8601, whole minutes that divide a day or whole days up to 31, such as \"PT1H\"";

impl Validator<'_> {
    pub(super) fn check_narrow(
        &mut self,
        raw: Option<&RawNarrow>,
        columns: &Columns<'_>,
        report: Option<&Report>,
    ) -> Option<Narrow> {
        let raw = raw?;
        if report.is_some_and(has_template_range) {
            let message = "the window is the template's range, which only the template can change";
            let hint = "give the template a shorter range";
            self.refuse_for_api("/pipeline/narrow", message, hint);
        }
        if !columns.grouping.is_empty() {
            let message = "the report is grouped, so that a window that is fetched in halves has a row for each \
                           group and half";
            let hint = "sums can be added up afterwards, averages can't";
            let code = FindingCode::NarrowAggregated;
            self.report_finding(code, "/pipeline/narrow", message, hint);
        }
        let at = "/pipeline/narrow/smallestWindow";
        let text = self.require(at, raw.smallest_window.as_ref())?;
        let smallest_window = parse_duration(text);
        if smallest_window.is_none() {
            let code = FindingCode::SmallestWindowInvalid;
            self.refuse_duration(code, at, text, DURATION_HINT);
        }
        Some(Narrow {
            smallest_window: smallest_window?,
        })
    }

    /// The longest window that the API is asked for: its own default unless the definition says another.
    pub(super) fn check_split(
        &mut self,
        raw: Option<&RawSplit>,
        report: Option<&Report>,
    ) -> Option<Split> {
        const AT: &str = "/pipeline/split/largestWindow";
        let allowed = report.map(Report::split_bounds);
        let Some(raw) = raw else {
            return Some(Split {
                largest_window: allowed??.default,
            });
        };
        if report.is_some() && matches!(allowed, Some(None)) {
            let message = "windows of this report can't be split";
            let hint = "take it out: this API is always asked for the whole window";
            self.refuse_for_api("/pipeline/split", message, hint);
        }
        let text = self.require(AT, raw.largest_window.as_ref())?;
        let largest_window = parse_duration(text);
        let Some(largest_window) = largest_window else {
            self.refuse_duration(FindingCode::SplitInvalid, AT, text, DURATION_HINT);
            return None;
        };
        let longest = allowed.flatten().map(|bounds| bounds.longest);
        if let Some(longest) = longest.filter(|longest| largest_window > *longest) {
            let message = format!("{} is longer than the API allows", quote(text));
            let hint = format!("at most P{}D", longest.as_secs() / DAY);
            self.report_finding(FindingCode::SplitInvalid, AT, message, hint);
        }
        Some(Split { largest_window })
    }

    pub(super) fn refuse_for_api(&mut self, at: &str, message: &str, hint: &str) {
        self.report_finding(FindingCode::NotForThisApi, at, message, hint);
    }
}

/// Whether windows are whatever a template says.
pub(super) fn has_template_range(report: &Report) -> bool {
    report.source().range == SourceRange::Template
}

/// A duration that windows can be cut down to: whole minutes that divide a day, or whole days.
fn parse_duration(text: &str) -> Option<SignedDuration> {
    let duration = parse_minutes(text)?;
    let seconds = duration.as_secs();
    let fits = duration <= Window::LONGEST && (DAY % seconds == 0 || seconds % DAY == 0);
    fits.then_some(duration)
}
