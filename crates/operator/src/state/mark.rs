//! What a day shows in a calendar.

use std::collections::BTreeMap;

use definition::Window;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Judged, WindowState};

/// What a day shows, those last that need most attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mark {
    Committed,
    Restated,
    Withdrawn,
    Running,
    Look,
    Missing,
    Failed,
}

/// The days of windows. Of several windows of a day, the one counts that needs most attention.
pub(crate) fn mark_days(windows: &[Judged], zone: &TimeZone) -> BTreeMap<Date, Mark> {
    let mut days = BTreeMap::new();
    for judged in windows {
        let Some(mark) = Mark::of(judged) else {
            continue;
        };
        for date in dates_touched(&judged.window, zone) {
            let known = days.entry(date).or_insert(mark);
            *known = mark.max(*known);
        }
    }
    days
}

impl Mark {
    /// In the order in which they are explained.
    pub(crate) const ALL: [Self; 7] = [
        Self::Committed,
        Self::Restated,
        Self::Look,
        Self::Missing,
        Self::Failed,
        Self::Running,
        Self::Withdrawn,
    ];

    /// What a window shows; nothing, if it is not there and is not expected to be.
    pub(crate) fn of(judged: &Judged) -> Option<Self> {
        Some(match &judged.state {
            WindowState::Committed(held) if held.is_lost || !held.warnings.is_empty() => Self::Look,
            WindowState::Committed(held) if held.generation > 1 => Self::Restated,
            WindowState::Committed(_) => Self::Committed,
            WindowState::Withdrawn { .. } => Self::Withdrawn,
            WindowState::Running(_) => Self::Running,
            WindowState::Failed(_) | WindowState::Unfinished(_) => Self::Failed,
            WindowState::Missing if judged.is_due => Self::Missing,
            WindowState::Missing => return None,
        })
    }

    /// The sign, of those that every terminal has or of others.
    pub(crate) fn sign(self, ascii: bool) -> char {
        let (plain, other) = match self {
            Self::Committed => ('#', '■'),
            Self::Restated => ('2', '2'),
            Self::Look => ('!', '!'),
            Self::Missing => ('.', '·'),
            Self::Failed => ('x', '✗'),
            Self::Running => ('>', '▸'),
            Self::Withdrawn => ('-', '-'),
        };
        if ascii { plain } else { other }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Restated => "restated",
            Self::Look => "look at it",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Every date of a zone in which a window has a moment.
fn dates_touched(window: &Window, zone: &TimeZone) -> Vec<Date> {
    let date_of = |time: jiff::Timestamp| time.to_zoned(zone.clone()).date();
    let last = date_of(window.end() - SignedDuration::from_secs(1));
    let mut dates = vec![date_of(window.start())];
    while let Some(next) = dates.last().and_then(|date| date.tomorrow().ok()) {
        if next > last {
            break;
        }
        dates.push(next);
    }
    dates
}
