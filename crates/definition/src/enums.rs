//! The closed sets of words that definitions of every API use.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::text_enum::text_enum;
use crate::window::{Window, WindowError};

text_enum!(
    /// How often a report is run. The guide shows `daily`; the other words are assumed.
    Recurrence {
        /// One run, for a `dateRange` that is absolute.
        Once = "once",
        /// Every day, with `previousDay`.
        Daily = "daily",
        /// Every week, with `previousWeek`.
        Weekly = "weekly",
        /// Every month, with `previousMonth`.
        Monthly = "monthly",
    }
);
text_enum!(
    /// A range before the scheduled time.
    RelativeRange {
        /// The day before, from 00:00 to 24:00 UTC.
        PreviousDay = "previousDay",
        /// The ISO week before, from Monday 00:00 to Sunday 24:00 UTC.
        PreviousWeek = "previousWeek",
        /// The calendar month before, in UTC.
        PreviousMonth = "previousMonth",
    }
);
text_enum!(
    /// How CXone delivers the rows.
    DeliveryKind {
        /// The pipeline fetches them.
        Api = "api",
    }
);
text_enum!(
    /// The form in which CXone hands out the rows.
    DeliveryFormat {
        /// Pages of JSON.
        Json = "json",
        /// One CSV file behind a link.
        Csv = "csv",
    }
);
text_enum!(
    /// The form in which the rows are stored.
    OutputFormat {
        /// One JSON object a line, with the values exactly as CXone sent them.
        Ndjson = "ndjson",
        /// CSV as in RFC 4180, with a header and the columns of the definition.
        Csv = "csv",
    }
);
text_enum!(
    /// How the parts are compressed.
    Compression {
        /// gzip, which every warehouse loads.
        Gzip = "gzip",
        /// Zstandard: smaller and faster, if your warehouse loads it.
        Zstd = "zstd",
        /// No compression.
        None = "none",
    }
);
text_enum!(
    /// What happens when two rows have the same key and differ.
    OnConflict {
        /// Nothing of the window is delivered, and the execution fails as `Cxone.Conflict`.
        Fail = "fail",
        /// The row that came last is kept.
        KeepLast = "keep-last",
    }
);
text_enum!(
    /// Whether rows are about the window that was asked for.
    SourceRange {
        /// They are.
        Requested = "requested",
        /// They are about the range of the report's template, which the window only names.
        Template = "template",
    }
);

impl RelativeRange {
    /// The span of this kind that ended last before a time, or with it.
    pub(crate) fn before(self, scheduled: Timestamp) -> Result<Window, WindowError> {
        let at = scheduled.to_zoned(TimeZone::UTC).datetime();
        let midnight = at.date().to_datetime(Time::midnight());
        let (start, end) = match self {
            Self::PreviousDay => (midnight.checked_sub(1.day()), midnight),
            Self::PreviousWeek => {
                let back = i64::from(at.date().weekday().to_monday_zero_offset());
                let monday = midnight
                    .checked_sub(back.days())
                    .map_err(|_| WindowError::OutOfRange)?;
                (monday.checked_sub(7.days()), monday)
            }
            Self::PreviousMonth => {
                let first = midnight
                    .date()
                    .first_of_month()
                    .to_datetime(Time::midnight());
                (first.checked_sub(1.month()), first)
            }
        };
        let utc = |time| {
            TimeZone::UTC
                .to_timestamp(time)
                .map_err(|_| WindowError::OutOfRange)
        };
        Window::new(utc(start.map_err(|_| WindowError::OutOfRange)?)?, utc(end)?)
    }
}
