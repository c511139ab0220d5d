//! `pipeline.settledAt` and `pipeline.settledAfter`: when the data of a window is final.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::time_of_day::TimeOfDay;
use crate::window::Window;
use crate::window_zone::WindowZone;

/// When the data of a window is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Settling {
    /// At this time of the day (UTC) after the UTC day in which the window ends.
    SettledAt(TimeOfDay),
    /// So long after the end of the window.
    SettledAfter(SignedDuration),
}

impl Settling {
    /// What an hourly report has if it does not say: data of CXone's extractions is up to 30 minutes late.
    pub(crate) const HOURLY: Self = Self::SettledAfter(SignedDuration::from_mins(45));

    /// When the data of a window is final.
    pub(crate) fn settled_at(self, window: &Window, zone: &WindowZone) -> Timestamp {
        match self {
            Self::SettledAfter(delay) => window.end().checked_add(delay).unwrap_or(Timestamp::MAX),
            Self::SettledAt(time) if zone.is_utc() => time.first_at_or_after(window.end()),
            // A local day ends within a UTC day, and CXone finalises UTC days.
            Self::SettledAt(time) => {
                time.first_at_or_after(TimeOfDay::MIDNIGHT.first_at_or_after(window.end()))
            }
        }
    }
}
