//! `pipeline.restate`: how long after its own run a window is fetched again.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Serialize, Serializer};

use crate::duration::{HOUR, format_duration, parse_minutes};

/// How long after the schedule's own run a window is stated anew: whole hours, at most 90 days. Written as `P1D` or `PT6H`,
/// and one distance has one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RestateDistance(SignedDuration);

/// The text is no such distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 8601 duration of whole hours or days, up to P90D")]
pub struct RestateDistanceError;

impl RestateDistance {
    /// The longest distance: 90 days.
    pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

    /// The time between the schedule's own run and this one.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        self.0
    }
}

impl FromStr for RestateDistance {
    type Err = RestateDistanceError;

    fn from_str(text: &str) -> Result<Self, RestateDistanceError> {
        parse_minutes(text)
            .filter(|duration| duration.as_secs() % HOUR == 0 && *duration <= Self::LONGEST)
            .map(Self)
            .ok_or(RestateDistanceError)
    }
}

impl fmt::Display for RestateDistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl Serialize for RestateDistance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
