//! The closed sets of words that definitions of every API use.

use crate::text_enum::text_enum;

text_enum!(
    /// How often a report is run. The guide shows `daily`; the other words are assumed.
    Recurrence {
        /// One run, for a `dateRange` that is absolute.
        Once = "once",
        /// Every few hours, as `everyHours` says, with `previousHours`.
        Hourly = "hourly",
        /// Every day, with `previousDay`.
        Daily = "daily",
        /// Every week, with `previousWeek`.
        Weekly = "weekly",
        /// Every month, with `previousMonth`.
        Monthly = "monthly",
    }
);
impl Recurrence {
    /// The word with its article, for a sentence.
    pub(crate) fn with_article(self) -> String {
        match self {
            Self::Hourly => format!("an {self}"),
            Self::Once | Self::Daily | Self::Weekly | Self::Monthly => format!("a {self}"),
        }
    }

    /// The range with which the windows of a schedule follow one another; none for one that runs once.
    pub(crate) const fn fitting_range(self) -> Option<RelativeRange> {
        match self {
            Self::Once => None,
            Self::Hourly => Some(RelativeRange::PreviousHours),
            Self::Daily => Some(RelativeRange::PreviousDay),
            Self::Weekly => Some(RelativeRange::PreviousWeek),
            Self::Monthly => Some(RelativeRange::PreviousMonth),
        }
    }
}

text_enum!(
    /// A range before the scheduled time. Days, weeks and months are those of `pipeline.windowZone`.
    RelativeRange {
        /// The hours before that end together, as many as `schedule.everyHours` says, counted from 00:00 UTC. Only with
        /// an `hourly` schedule.
        PreviousHours = "previousHours",
        /// The day before, from midnight to midnight.
        PreviousDay = "previousDay",
        /// The ISO week before, from Monday to Sunday.
        PreviousWeek = "previousWeek",
        /// The calendar month before.
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
        /// Pages of JSON, one after another.
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
        /// The parts are not compressed.
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
        /// They are about the window.
        Requested = "requested",
        /// They are about the range of the report's template, which the window only names.
        Template = "template",
    }
);
text_enum!(
    /// What happens when the columns of the rows change.
    #[derive(Default)]
    SchemaPolicy {
        /// The rows are delivered, and the commit and a notice say what changed.
        #[default]
        Warn = "warn",
        /// Nothing of the window is delivered, and the execution fails as `Cxone.Contract`.
        Strict = "strict",
    }
);
text_enum!(
    /// What a column is called where the rows are stored.
    #[derive(Default)]
    ColumnNames {
        /// What CXone calls it.
        #[default]
        AsIs = "as-is",
        /// In lower-case letters, digits and `_`: `Contact ID` and `contactId` become `contact_id`.
        Snake = "snake",
    }
);
text_enum!(
    /// The form of a table that is kept beside the rows.
    TableFormat {
        /// A Delta table, which Athena, Databricks, DuckDB, Polars, Snowflake and Spark read in place.
        Delta = "delta",
    }
);
text_enum!(
    /// What the values of a column are, for tables that rows are loaded into. Stored rows stay as they are.
    ColumnType {
        /// Whole numbers, such as a count.
        Long = "long",
        /// Numbers with a fraction.
        Double = "double",
        /// Texts, such as a name.
        String = "string",
        /// Times, such as when a contact began.
        Timestamp = "timestamp",
        /// Either `true` or `false`.
        Boolean = "boolean",
    }
);
