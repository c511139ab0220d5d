//! `pipeline.windowZone`: where days begin and end.

use std::fmt;
use std::str::FromStr;

use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

/// The time zone of a report's days, weeks and months. Its rules are part of the program, so that every machine has the
/// same ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowZone(TimeZone);

/// The text is not the name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone of the IANA database")]
pub struct WindowZoneError;

impl WindowZone {
    /// The zone of a definition that names none.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Whether days begin and end as they do in UTC.
    #[must_use]
    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }

    /// Its name in the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Every offset from UTC, in seconds, that the zone has in the years to come.
    pub(crate) fn offsets(&self) -> Vec<i64> {
        let of = |year: i16| {
            date(year, 1, 1)
                .to_zoned(TimeZone::UTC)
                .map(|t| t.timestamp())
        };
        let (Ok(first), Ok(last)) = (of(2025), of(2045)) else {
            return Vec::new();
        };
        let later = (self.0.following(first)).take_while(|change| change.timestamp() < last);
        let later = later.map(|change| i64::from(change.offset().seconds()));
        let now = i64::from(self.0.to_offset(first).seconds());
        std::iter::once(now).chain(later).collect()
    }

    /// The rules of the zone.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl FromStr for WindowZone {
    type Err = WindowZoneError;

    fn from_str(text: &str) -> Result<Self, WindowZoneError> {
        if text == "UTC" {
            return Ok(Self::utc());
        }
        // Not the machine's own database, which may lack a zone or be of another year.
        TimeZoneDatabase::bundled()
            .get(text)
            .map(Self)
            .map_err(|_| WindowZoneError)
    }
}

impl fmt::Display for WindowZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for WindowZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
