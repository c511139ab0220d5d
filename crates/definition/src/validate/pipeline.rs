//! The `pipeline` block, which is ours.

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::Walk;
use crate::TenantId;
use crate::finding::shown;
use crate::parse::hint_among;
use crate::raw::{Draft, FallbackDraft, NarrowDraft, PipelineDraft, ReportDraft, SplitDraft};
use crate::window::MAX_WINDOW;
use crate::{
    Api, Compression, CsvOptions, Fallback, FindingCode, Narrow, OnConflict, OutputFormat,
    Pipeline, RangeOf, Report, Split, TimeOfDay,
};

const DAY: i64 = 24 * 60 * 60;
const DURATION_HINT: &str =
    "ISO 8601, whole minutes that divide a day or whole days up to 31, such as \"PT1H\"";

/// What is off is left out, so that a definition that says so has the hash of one that says nothing.
fn csv_options(pipeline: &PipelineDraft) -> Option<CsvOptions> {
    let formula_guard = pipeline.csv.as_ref()?.formula_guard?;
    formula_guard.then_some(CsvOptions { formula_guard })
}

/// The columns of the report that the pipeline's names are held against.
struct Columns<'d> {
    api: Api,
    metrics: &'d [String],
    /// Of another API than the guide's: all that are known beforehand.
    dimensions: &'d [String],
    grouping: &'d [String],
}

impl<'d> Columns<'d> {
    fn of(api: Api, report: Option<&'d ReportDraft>) -> Self {
        let (metrics, dimensions, grouping) = match report {
            Some(ReportDraft::Analytics(report)) => {
                (&report.metrics, &report.dimensions, &report.grouping)
            }
            Some(ReportDraft::ReportJobs(report)) => (&None, &report.columns, &None),
            Some(ReportDraft::DataExtraction(report)) => (&None, &report.columns, &None),
            Some(ReportDraft::DataDownload(report)) => (&None, &report.columns, &None),
            Some(ReportDraft::Contacts(report)) => (&None, &report.columns, &None),
            None => (&None, &None, &None),
        };
        let list = |list: &'d Option<Vec<String>>| list.as_deref().unwrap_or_default();
        Self {
            api,
            metrics: list(metrics),
            dimensions: list(dimensions),
            grouping: list(grouping),
        }
    }

    /// Whether the columns of a row are known beforehand.
    fn are_known(&self) -> bool {
        self.api == Api::Analytics || !self.dimensions.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .chain(self.metrics)
            .map(String::as_str)
    }

    /// What makes a row unique where the definition does not say it.
    fn default_key(&self) -> Option<Vec<String>> {
        match self.api {
            Api::Analytics if self.grouping.is_empty() => Some(self.dimensions.to_vec()),
            Api::Analytics => Some(self.grouping.to_vec()),
            Api::Contacts => Some(vec!["contactId".to_owned()]),
            Api::ReportJobs | Api::DataExtraction | Api::DataDownload => None,
        }
    }
}

impl Walk<'_> {
    pub(super) fn pipeline(&mut self, draft: &Draft, asked: Option<&Report>) -> Option<Pipeline> {
        let Some(pipeline) = &draft.pipeline else {
            if !self.is_spoiled("/pipeline") {
                let hint = "add \"pipeline\": {\"tenant\": \"…\"}; everything else in it has a default, \
                            and none of it is sent to CXone";
                self.say(
                    FindingCode::PipelineMissing,
                    "/pipeline",
                    "the pipeline block is missing",
                    hint,
                );
            }
            return None;
        };
        let columns = Columns::of(draft.api(), draft.report.as_ref());
        let tenant = self.tenant(pipeline);
        let format = self.optional_word("/pipeline/format", pipeline.format.as_deref());
        let compression =
            self.optional_word("/pipeline/compression", pipeline.compression.as_deref());
        let key = self.key(pipeline, &columns);
        let on_conflict =
            self.optional_word("/pipeline/onConflict", pipeline.on_conflict.as_deref());
        let max_runs = self.max_runs(pipeline.max_runs.unwrap_or(3));
        let narrow = self.narrow(pipeline.narrow.as_ref(), &columns, asked);
        let split = self.split(pipeline.split.as_ref(), asked);
        let fallback = self.fallback(pipeline.fallback.as_ref(), &columns, &key);
        let settled_at = match &pipeline.settled_at {
            None => Some(TimeOfDay::FIVE),
            text => self.time("/pipeline/settledAt", text.as_ref()),
        };
        let api = self.optional_word("/pipeline/api", pipeline.api.as_deref());
        if format == Some(Some(OutputFormat::Csv)) && !columns.are_known() {
            self.columns_missing();
        }
        Some(Pipeline {
            tenant: tenant?,
            format: format?.unwrap_or(OutputFormat::Ndjson),
            compression: compression?.unwrap_or(Compression::Gzip),
            csv: csv_options(pipeline),
            key,
            on_conflict: on_conflict?.unwrap_or(OnConflict::Fail),
            max_runs: max_runs?,
            narrow,
            split,
            fallback,
            settled_at: settled_at?,
            api: api?.unwrap_or(Api::Analytics),
        })
    }

    fn tenant(&mut self, draft: &PipelineDraft) -> Option<TenantId> {
        let text = self.required("/pipeline/tenant", draft.tenant.as_ref())?;
        let tenant = TenantId::new(text.as_str());
        if let Err(error) = &tenant {
            self.say(
                FindingCode::TenantInvalid,
                "/pipeline/tenant",
                error.to_string(),
                "",
            );
        }
        tenant.ok()
    }

    fn key(&mut self, draft: &PipelineDraft, columns: &Columns<'_>) -> Vec<String> {
        let Some(key) = draft.key.clone().or_else(|| columns.default_key()) else {
            if !self.is_spoiled("/pipeline/key") {
                let message = format!("{} says nothing of what makes a row unique", columns.api);
                let hint = "name the columns that do, such as [\"Contact ID\"]: without them rows that are fetched \
                            twice could not be told from rows that are alike";
                self.say(FindingCode::KeyMissing, "/pipeline/key", message, hint);
            }
            return Vec::new();
        };
        self.not_empty_key(draft, &key);
        let is_from_report = draft.key.is_none() && columns.api == Api::Analytics;
        if is_from_report || !columns.are_known() {
            return key;
        }
        for (i, name) in key
            .iter()
            .enumerate()
            .filter(|(_, name)| !columns.all().any(|c| c == *name))
        {
            let message = format!("{:?} is not among the columns of the report", shown(name));
            let hint = hint_among(name, columns.all());
            self.say(
                FindingCode::KeyNotColumn,
                format!("/pipeline/key/{i}"),
                message,
                hint,
            );
        }
        key
    }

    /// A default is what it is.
    fn not_empty_key(&mut self, draft: &PipelineDraft, key: &[String]) {
        if draft.key.is_some() {
            self.not_empty("/pipeline/key", key);
            self.duplicates("/pipeline/key", key);
        }
    }

    fn columns_missing(&mut self) {
        let hint = "name the columns that the file has, or use pipeline.format \"ndjson\"";
        let message = "CSV is written with the same columns every day, and there are none";
        self.say(
            FindingCode::ColumnsMissing,
            "/report/columns",
            message,
            hint,
        );
    }

    fn max_runs(&mut self, runs: i64) -> Option<u32> {
        let valid = u32::try_from(runs)
            .ok()
            .filter(|runs| (1..=10).contains(runs));
        if valid.is_none() {
            self.say(
                FindingCode::MaxRunsRange,
                "/pipeline/maxRuns",
                format!("{runs} is not 1 to 10"),
                "",
            );
        }
        valid
    }

    fn narrow(
        &mut self,
        draft: Option<&NarrowDraft>,
        columns: &Columns<'_>,
        asked: Option<&Report>,
    ) -> Option<Narrow> {
        let draft = draft?;
        if asked.is_some_and(has_template_range) {
            let message = "the window is the template's range, which can't be narrowed from here";
            self.not_for_this_api(
                "/pipeline/narrow",
                message,
                "give the template a shorter range",
            );
        }
        if !columns.grouping.is_empty() {
            let message = "the report is aggregated: when a run is cut off, each half of the window has rows of its \
                           own, one a group and half";
            let hint = "sums can be added up afterwards, averages can't";
            self.say(
                FindingCode::NarrowAggregated,
                "/pipeline/narrow",
                message,
                hint,
            );
        }
        let text = self.required(
            "/pipeline/narrow/smallestWindow",
            draft.smallest_window.as_ref(),
        )?;
        let smallest_window = duration(text);
        if smallest_window.is_none() {
            let message = format!("{:?} is not a usable duration", shown(text));
            let hint = DURATION_HINT;
            self.say(
                FindingCode::SmallestWindowInvalid,
                "/pipeline/narrow/smallestWindow",
                message,
                hint,
            );
        }
        Some(Narrow {
            smallest_window: smallest_window?,
        })
    }

    /// How long the windows are that the API is asked for; the API's own default where the definition says nothing.
    fn split(&mut self, draft: Option<&SplitDraft>, asked: Option<&Report>) -> Option<Split> {
        const AT: &str = "/pipeline/split/largestWindow";
        let allowed = asked.map(Report::split);
        let Some(draft) = draft else {
            let (largest_window, _) = allowed??;
            return Some(Split { largest_window });
        };
        if asked.is_some() && allowed == Some(None) {
            let message = "windows of this report can't be split";
            let hint =
                "split is for data-extraction, data-download, contacts, and report-jobs with dates";
            self.not_for_this_api("/pipeline/split", message, hint);
        }
        let text = self.required(AT, draft.largest_window.as_ref())?;
        let largest_window = duration(text);
        let Some(largest_window) = largest_window else {
            let message = format!("{:?} is not a usable duration", shown(text));
            self.say(FindingCode::SplitInvalid, AT, message, DURATION_HINT);
            return None;
        };
        if let Some((_, most)) = allowed.flatten().filter(|(_, most)| largest_window > *most) {
            let message = format!("{:?} is longer than the API takes", shown(text));
            let hint = format!("at most P{}D", most.as_secs() / DAY);
            self.say(FindingCode::SplitInvalid, AT, message, hint);
        }
        Some(Split { largest_window })
    }

    fn not_for_this_api(&mut self, at: &str, message: &str, hint: &str) {
        self.say(FindingCode::NotForThisApi, at, message, hint);
    }

    fn fallback(
        &mut self,
        draft: Option<&FallbackDraft>,
        columns: &Columns<'_>,
        key: &[String],
    ) -> Option<Fallback> {
        let draft = draft?;
        if columns.api != Api::Analytics {
            let message =
                "only an analytics report says which columns it has, so that some can be left out";
            self.not_for_this_api("/pipeline/fallback", message, "take it out");
            return None;
        }
        let drop = self.required("/pipeline/fallback/drop", draft.drop.as_ref())?;
        self.not_empty("/pipeline/fallback/drop", drop);
        self.duplicates("/pipeline/fallback/drop", drop);
        for (i, name) in drop.iter().enumerate() {
            let at = format!("/pipeline/fallback/drop/{i}");
            if !columns.all().any(|column| column == name) {
                let message = format!(
                    "{:?} is neither a metric nor a dimension of the report",
                    shown(name)
                );
                self.say(
                    FindingCode::FallbackUnknown,
                    at,
                    message,
                    hint_among(name, columns.all()),
                );
            } else if key.contains(name) || columns.grouping.contains(name) {
                let message = format!("{name:?} is part of the key or of the grouping");
                self.say(
                    FindingCode::FallbackDropsKey,
                    at,
                    message,
                    "rows could not be told apart without it",
                );
            }
        }
        for (what, list) in [
            ("metric", columns.metrics),
            ("dimension", columns.dimensions),
        ] {
            if !list.is_empty() && list.iter().all(|name| drop.contains(name)) {
                let message = format!("no {what} would be left");
                self.say(
                    FindingCode::FallbackDropsKey,
                    "/pipeline/fallback/drop",
                    message,
                    "",
                );
            }
        }
        Some(Fallback { drop: drop.clone() })
    }
}

/// Whether windows are whatever a template says.
fn has_template_range(report: &Report) -> bool {
    matches!(report, Report::ReportJobs(report) if report.range == RangeOf::Template)
}

/// A duration that windows can be cut down to: whole minutes that divide a day, or whole days.
fn duration(text: &str) -> Option<SignedDuration> {
    // jiff also reads "1 hour"; the contract is ISO 8601.
    if !text.starts_with('P') || text.len() > 32 {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let seconds = duration.as_secs();
    let whole = duration.subsec_nanos() == 0
        && seconds >= 60
        && seconds % 60 == 0
        && duration <= MAX_WINDOW;
    (whole && (DAY % seconds == 0 || seconds % DAY == 0)).then_some(duration)
}
