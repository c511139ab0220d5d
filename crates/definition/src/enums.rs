//! The closed sets of words that definitions of every API use.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::text_enum::text_enum;
use crate::window::{Window, WindowError};

text_enum!(
    /// How often CXone runs a schedule. The guide shows `daily`; the others are assumed.
    Recurrence {
        /// Once.
        Once = "once",
        /// Every day.
        Daily = "daily",
        /// Every week.
        Weekly = "weekly",
        /// Every month.
        Monthly = "monthly",
    }
);
text_enum!(
    /// A range relative to the scheduled time.
    RelativeRange {
        /// The day before, 00:00 to 00:00 UTC.
        PreviousDay = "previousDay",
        /// The ISO week before, Monday to Monday.
        PreviousWeek = "previousWeek",
        /// The calendar month before.
        PreviousMonth = "previousMonth",
    }
);
text_enum!(
    /// How CXone delivers: only over the API.
    DeliveryKind {
        /// Fetched by us.
        Api = "api",
    }
);
text_enum!(
    /// In what form CXone hands the rows out.
    DeliveryFormat {
        /// Inline pages of JSON, which is the default.
        Json = "json",
        /// One CSV file behind a download URL.
        Csv = "csv",
    }
);
text_enum!(
    /// In what form the rows are stored.
    OutputFormat {
        /// One JSON object a line, exactly as CXone sent it.
        Ndjson = "ndjson",
        /// RFC 4180.
        Csv = "csv",
    }
);
text_enum!(
    /// How the parts are compressed.
    Compression {
        /// gzip.
        Gzip = "gzip",
        /// Zstandard.
        Zstd = "zstd",
        /// Not at all.
        None = "none",
    }
);
text_enum!(
    /// What happens when two rows have the same key and differ.
    OnConflict {
        /// Nothing is delivered, and somebody is told.
        Fail = "fail",
        /// The row that came last is taken.
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
