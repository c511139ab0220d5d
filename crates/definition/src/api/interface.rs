//! What each API's file says about its API, in terms that the rest of the crate works with.

use std::time::Duration;

use jiff::SignedDuration;

use crate::catalogue::ReportType;
use crate::column_meaning::ColumnMeaning;
use crate::date_range::{DateRange, RawDateRange};
use crate::enums::{ColumnType, SourceRange};

/// What holds for every report of an API.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about an API, and they are independent of each other"
)]
pub(crate) struct Capabilities {
    pub(crate) run: RunKind,
    /// The least time between any two calls of one tenant; `None` where the API sets none.
    pub(crate) spacing: Option<Duration>,
    /// How far back it has rows; `None` where nothing is known about it.
    pub(crate) keeps: Option<SignedDuration>,
    /// Whether the API can be asked for its rows in more than one form (`delivery.format`).
    pub(crate) has_delivery_formats: bool,
    /// Whether a definition names every column of its rows. Elsewhere `report.columns` may be left out.
    pub(crate) names_every_column: bool,
    /// Whether rows may come with totals at their end, which `pipeline.totalLabels` tells apart.
    pub(crate) has_total_rows: bool,
    /// Whether a run may end with a message instead of rows, which `pipeline.emptyMessages` may take for an empty result.
    pub(crate) has_messages: bool,
    /// The columns that rows are known to have in every tenant; `None` where they differ from tenant to tenant.
    pub(crate) documented_columns: Option<&'static [DocumentedColumn]>,
    /// The columns that make a row unique if the definition does not say; `None` where nothing is known about it.
    pub(crate) default_key: fn(&Columns<'_>) -> Option<Vec<String>>,
}

/// A column that rows are known to have, the type of its values, and what numbers count; empty where they count nothing.
pub(crate) type DocumentedColumn = (&'static str, ColumnType, &'static str);

/// What can be done with a run once it is started.
#[derive(Clone, Copy)]
pub(crate) enum RunKind {
    /// It has a state to poll, and CXone can be told to stop it.
    Cancellable,
    /// It has a state to poll.
    Polled,
    /// It has no state: its rows are asked for at once, and "not yet" is one of the answers.
    Direct,
}

/// The columns that a report block names, as the author wrote them.
#[derive(Default)]
pub(crate) struct Columns<'d> {
    pub(crate) metrics: &'d [String],
    /// All columns, where an API does not tell metrics from dimensions.
    pub(crate) dimensions: &'d [String],
    pub(crate) grouping: &'d [String],
}

impl<'d> Columns<'d> {
    /// The columns of an API that does not tell metrics from dimensions: those that `report.columns` lists, if any.
    pub(crate) fn listed(columns: Option<&'d [String]>) -> Self {
        Self {
            dimensions: columns.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Where the column stands that [`all`](Self::all) gives as number `i`.
    pub(crate) fn pointer(&self, i: usize, has_metrics: bool) -> String {
        let metric = i.checked_sub(self.dimensions.len());
        match (has_metrics, metric) {
            (false, _) => format!("/report/columns/{i}"),
            (true, None) => format!("/report/dimensions/{i}"),
            (true, Some(metric)) => format!("/report/metrics/{metric}"),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .chain(self.metrics)
            .map(String::as_str)
    }
}

/// A report block as the author wrote it.
pub(crate) trait RawApiReport {
    fn date_range(&self) -> Option<&RawDateRange>;
    fn columns(&self) -> Columns<'_>;

    /// The type of the report, where its API has types.
    fn report_type(&self) -> Option<ReportType> {
        None
    }
}

/// A report block that was checked.
pub(crate) trait ApiReport {
    fn date_range(&self) -> &DateRange;

    /// The columns of a row, in order; empty where they are not known beforehand.
    fn columns(&self) -> Vec<&str>;

    /// What the block says of the values of a column.
    fn meaning_of(&self, _column: &str) -> Option<&ColumnMeaning> {
        None
    }

    /// Columns whose texts are numbers.
    fn metrics(&self) -> &[String] {
        &[]
    }

    /// Whether a row sums others up.
    fn is_aggregated(&self) -> bool {
        false
    }

    /// Which rows at the end of a file are totals, for a definition that does not say.
    fn total_labels(&self) -> TotalLabels<'_> {
        TotalLabels::None
    }

    /// The zone in which the API reads its dates and writes its times.
    fn time_zone(&self) -> String {
        "UTC".to_owned()
    }

    fn source_range(&self) -> SourceRange {
        SourceRange::Requested
    }

    /// How long the windows are that the API can be asked for; `None` where a window is never split.
    fn split_bounds(&self) -> Option<SplitBounds> {
        None
    }
}

/// Which rows at the end of a file are totals, and no rows of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalLabels<'d> {
    /// No row is a total.
    None,
    /// Those that begin with one of the usual words.
    Usual,
    /// Those that begin with one of these.
    Named(&'d [String]),
}

/// How long the windows are that an API can be asked for.
#[derive(Clone, Copy)]
pub(crate) struct SplitBounds {
    /// For a definition that does not say.
    pub(crate) default: SignedDuration,
    pub(crate) longest: SignedDuration,
}

impl SplitBounds {
    /// For the APIs that answer for 30 days at most, and as well for 30 days as for one.
    pub(crate) const THIRTY_DAYS: Self = Self {
        default: SignedDuration::from_hours(30 * 24),
        longest: SignedDuration::from_hours(30 * 24),
    };
}
