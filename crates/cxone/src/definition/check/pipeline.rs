//! The `pipeline` block, which is ours.

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::Walk;
use crate::definition::draft::{Draft, FallbackDraft, NarrowDraft, PipelineDraft};
use crate::definition::finding::shown;
use crate::definition::read::hint_among;
use crate::definition::{
    Api, Compression, Fallback, FindingCode, Narrow, OnConflict, OutputFormat, Pipeline, TimeOfDay,
};
use crate::ids::TenantId;
use crate::window::MAX_WINDOW;

const DAY: i64 = 24 * 60 * 60;

/// The columns of the report that the pipeline's names are held against.
struct Columns<'d> {
    metrics: &'d [String],
    dimensions: &'d [String],
    grouping: &'d [String],
}

impl Columns<'_> {
    fn all(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .chain(self.metrics)
            .map(String::as_str)
    }

    fn default_key(&self) -> &[String] {
        if self.grouping.is_empty() {
            self.dimensions
        } else {
            self.grouping
        }
    }
}

impl Walk<'_> {
    pub(super) fn pipeline(&mut self, draft: &Draft) -> Option<Pipeline> {
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
        let report = draft.report.as_ref();
        let columns = Columns {
            metrics: report
                .and_then(|r| r.metrics.as_deref())
                .unwrap_or_default(),
            dimensions: report
                .and_then(|r| r.dimensions.as_deref())
                .unwrap_or_default(),
            grouping: report
                .and_then(|r| r.grouping.as_deref())
                .unwrap_or_default(),
        };
        let tenant = self.tenant(pipeline);
        let format = self.optional_word("/pipeline/format", pipeline.format.as_deref());
        let compression =
            self.optional_word("/pipeline/compression", pipeline.compression.as_deref());
        let key = self.key(pipeline, &columns);
        let on_conflict =
            self.optional_word("/pipeline/onConflict", pipeline.on_conflict.as_deref());
        let max_runs = self.max_runs(pipeline.max_runs.unwrap_or(3));
        let narrow = self.narrow(pipeline.narrow.as_ref(), &columns);
        let fallback = self.fallback(pipeline.fallback.as_ref(), &columns, &key);
        let settled_at = match &pipeline.settled_at {
            None => Some(TimeOfDay::FIVE),
            text => self.time("/pipeline/settledAt", text.as_ref()),
        };
        let api = self.api(pipeline);
        Some(Pipeline {
            tenant: tenant?,
            format: format?.unwrap_or(OutputFormat::Ndjson),
            compression: compression?.unwrap_or(Compression::Gzip),
            key,
            on_conflict: on_conflict?.unwrap_or(OnConflict::Fail),
            max_runs: max_runs?,
            narrow,
            fallback,
            settled_at: settled_at?,
            api: api?,
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
        let Some(key) = &draft.key else {
            return columns.default_key().to_vec();
        };
        self.not_empty("/pipeline/key", key);
        self.duplicates("/pipeline/key", key);
        for (i, name) in key
            .iter()
            .enumerate()
            .filter(|(_, name)| !columns.all().any(|c| c == *name))
        {
            let message = format!(
                "{:?} is neither a dimension nor a metric of the report",
                shown(name)
            );
            let hint = hint_among(name, columns.all());
            self.say(
                FindingCode::KeyNotColumn,
                format!("/pipeline/key/{i}"),
                message,
                hint,
            );
        }
        key.clone()
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

    fn narrow(&mut self, draft: Option<&NarrowDraft>, columns: &Columns<'_>) -> Option<Narrow> {
        let draft = draft?;
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
            let hint = "ISO 8601, whole minutes that divide a day or whole days up to 31, such as \"PT1H\"";
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

    fn fallback(
        &mut self,
        draft: Option<&FallbackDraft>,
        columns: &Columns<'_>,
        key: &[String],
    ) -> Option<Fallback> {
        let drop = self.required("/pipeline/fallback/drop", draft?.drop.as_ref())?;
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

    fn api(&mut self, draft: &PipelineDraft) -> Option<Api> {
        let api = self
            .optional_word("/pipeline/api", draft.api.as_deref())?
            .unwrap_or(Api::Analytics);
        if api != Api::Analytics {
            let message = format!(
                "the API {:?} is known and not implemented yet",
                api.as_str()
            );
            self.say(
                FindingCode::ApiNotImplemented,
                "/pipeline/api",
                message,
                "use \"analytics\"",
            );
        }
        Some(api)
    }
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
