//! The closed sets of words in a definition.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Window, WindowError};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The word's meaning; `None` for another one.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
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
words!(
    /// The report types of the guide.
    ReportType {
        /// Agents.
        Agent = "agent",
        /// Queues.
        Queue = "queue",
        /// Skills.
        Skill = "skill",
        /// Instant messaging.
        Ic = "ic",
        /// Voicemail.
        Voicemail = "voicemail",
    }
);
words!(
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
words!(
    /// How a filter compares. The guide shows `in`; the others are assumed.
    Operator {
        /// One of the values.
        In = "in",
        /// None of the values.
        NotIn = "notIn",
    }
);
words!(
    /// How CXone delivers: only over the API.
    DeliveryKind {
        /// Fetched by us.
        Api = "api",
    }
);
words!(
    /// In what form CXone hands the rows out.
    DeliveryFormat {
        /// Inline pages of JSON, which is the default.
        Json = "json",
        /// One CSV file behind a download URL.
        Csv = "csv",
    }
);
words!(
    /// In what form the rows are stored.
    OutputFormat {
        /// One JSON object a line, exactly as CXone sent it.
        Ndjson = "ndjson",
        /// RFC 4180.
        Csv = "csv",
    }
);
words!(
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
words!(
    /// How an API reads the end of a range of whole days. Its documentation does not say.
    EndDate {
        /// The first day that is left out, which is the default.
        Exclusive = "exclusive",
        /// The last day that counts.
        Inclusive = "inclusive",
    }
);
words!(
    /// What happens when two rows have the same key and differ.
    OnConflict {
        /// Nothing is delivered, and somebody is told.
        Fail = "fail",
        /// The row that came last is taken.
        KeepLast = "keep-last",
    }
);
words!(
    /// Which of CXone's report APIs a definition is for.
    Api {
        /// The guide's API.
        Analytics = "analytics",
        /// Published: report jobs.
        ReportJobs = "report-jobs",
        /// Published: data download.
        DataDownload = "data-download",
        /// Published: data extraction.
        DataExtraction = "data-extraction",
        /// Published: completed contacts.
        Contacts = "contacts",
    }
);
words!(
    /// Whose range a report job's file is about.
    RangeOf {
        /// The template's own, whatever was asked for: all that there is from version 14 on.
        Template = "template",
        /// The dates that are sent with the job, which versions 10 to 13 take.
        Dates = "dates",
    }
);
words!(
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
    pub(super) fn before(self, scheduled: Timestamp) -> Result<Window, WindowError> {
        let at = scheduled.to_zoned(TimeZone::UTC).datetime();
        let midnight = at.date().to_datetime(jiff::civil::Time::midnight());
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
                    .to_datetime(jiff::civil::Time::midnight());
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
