//! The kinds of findings: what each means and what its author does about it.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The definition can't be used.
    Error,
    /// It can be used, and may surprise.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

macro_rules! codes {
    ($(#[doc = $summary:literal] $variant:ident = $code:literal $severity:ident, $advice:literal;)+) => {
        /// The kinds of findings. A code keeps its meaning for ever; one that is no longer used is not used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $(#[doc = $summary] $variant),+
        }

        impl FindingCode {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code, such as `CXD001`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// How bad findings of this kind are.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// What is wrong, in one sentence.
            #[must_use]
            pub fn summary(self) -> &'static str {
                let summary = match self { $(Self::$variant => $summary),+ };
                summary.trim_start()
            }

            /// What the author does about it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),+ }
            }
        }
    };
}

codes! {
    /// Not a JSON object.
    NotJson = "CXD001" Error,
    "Correct the syntax where the message says. A definition begins with `{`.";
    /// Larger than 32 KiB.
    TooLarge = "CXD002" Error,
    "Shorten its lists. A definition is part of every event and has to stay small.";
    /// Unknown field.
    UnknownField = "CXD003" Error,
    "Correct the name or take the field out. Which fields a report has depends on `pipeline.api`.";
    /// A required field is missing.
    MissingField = "CXD004" Error,
    "Add it.";
    /// A value of the wrong kind, or an unknown value where only some are allowed.
    WrongValue = "CXD005" Error,
    "Use one of the values that the hint names, or the kind of value that is expected.";
    /// The `pipeline` block is missing.
    PipelineMissing = "CXD010" Error,
    "Add `\"pipeline\": {\"tenant\": \"…\"}`; nothing of it is sent to CXone.";
    /// Invalid tenant.
    TenantInvalid = "CXD011" Error,
    "Use lower-case letters, digits and `-`, as the tenant is named in its secret.";
    /// Invalid name of a report.
    NameInvalid = "CXD012" Error,
    "Use 1 to 100 characters without spaces at the ends; at most 89 with `pipeline.fallback`.";
    /// `maxRuns` is outside of 1 to 10.
    MaxRunsRange = "CXD014" Error,
    "Use a number from 1 to 10.";
    /// Not a time of day.
    TimeInvalid = "CXD015" Error,
    "Write hours and minutes with two digits each, such as `06:00`.";
    /// The time zone is not UTC.
    TimezoneNotUtc = "CXD020" Error,
    "Use `UTC`. For days of another zone say `pipeline.windowZone`, where the API can be asked for times.";
    /// The schedule fires before the data is final.
    BeforeSettled = "CXD021" Warning,
    "Schedule the report later, or set `pipeline.settledAt` if the data is final earlier. The pipeline waits in any case.";
    /// An absolute range on a schedule that recurs.
    AbsoluteOnRecurring = "CXD022" Error,
    "Use a relative range. For another window, replay it.";
    /// Not an ISO 8601 time in UTC.
    NotIsoUtc = "CXD023" Error,
    "Write whole seconds and a `Z`, such as `2026-11-21T00:00:00Z`.";
    /// The start is not before the end.
    StartNotBeforeEnd = "CXD024" Error,
    "Exchange them, or move the end: it is the first second that is left out.";
    /// The window is longer than 31 days.
    WindowTooLong = "CXD025" Error,
    "Use several windows.";
    /// The window is outside of the years 2000 to 2100.
    WindowOutOfRange = "CXD026" Error,
    "Correct the year.";
    /// The range does not fit the schedule, so that windows leave gaps.
    RangeNotSchedule = "CXD027" Warning,
    "Use `previousDay` on a daily, `previousWeek` on a weekly and `previousMonth` on a monthly schedule.";
    /// A metric that this type of report does not have.
    MetricInvalid = "CXD030" Error,
    "Use one of the metrics of the type. If your tenant has more, name them in `pipeline.declare`.";
    /// A dimension that this type of report does not have.
    DimensionInvalid = "CXD031" Error,
    "Use one of the dimensions of the type. If your tenant has more, name them in `pipeline.declare`.";
    /// A grouping that is not among the dimensions.
    GroupingNotDimension = "CXD032" Error,
    "Add it to `report.dimensions`, or take it out of `report.grouping`.";
    /// A field or an entry of a list occurs twice.
    Duplicate = "CXD033" Error,
    "Take one of them out.";
    /// A list that must not be empty.
    Empty = "CXD034" Error,
    "Name at least one entry, or take the list out where it is optional.";
    /// A key that is not among the columns.
    KeyNotColumn = "CXD040" Error,
    "Name columns of the report, spelt as in the report.";
    /// The smallest window is not a usable duration.
    SmallestWindowInvalid = "CXD041" Error,
    "Use whole minutes that divide a day, or whole days up to 31, such as `PT1H`.";
    /// Halves of a grouped report don't add up to the whole.
    NarrowAggregated = "CXD042" Warning,
    "Expect a row for each group and half after a run that was cut off, or take `pipeline.narrow` out.";
    /// The fallback drops a column that the report does not have.
    FallbackUnknown = "CXD043" Error,
    "Name metrics and dimensions of the report.";
    /// The fallback drops a column of the key or of the grouping, or all metrics or dimensions.
    FallbackDropsKey = "CXD044" Error,
    "Leave these columns in.";
    /// No key, and CXone does not document what makes a row of this API unique.
    KeyMissing = "CXD050" Error,
    "Name the columns in `pipeline.key`.";
    /// CSV is to be written, and the columns are not known beforehand.
    ColumnsMissing = "CXD051" Error,
    "Name them in `report.columns`, or store NDJSON.";
    /// Invalid column name.
    ColumnInvalid = "CXD052" Error,
    "Use 1 to 256 bytes without control characters. The same holds for `totalLabels`.";
    /// Invalid id of a report, or invalid name or version of an entity.
    IdInvalid = "CXD053" Error,
    "Copy it from CXone; the message says which characters it may have.";
    /// The API's version is outside of 10 to 99.
    ApiVersionInvalid = "CXD054" Error,
    "Use the `N` of `/inContactAPI/services/vN.0`, such as 34.";
    /// The window is the range of the report's template, and the definition has to say so.
    TemplateRange = "CXD055" Error,
    "Write `\"range\": \"template\"` and give the template the same range as `dateRange`.";
    /// Invalid offset from UTC.
    UtcOffsetInvalid = "CXD056" Error,
    "Write a sign, hours and minutes, such as `-07:00`.";
    /// A field that this API or this report does not allow.
    NotForThisApi = "CXD057" Error,
    "Take it out.";
    /// The largest window is not a usable duration, or longer than the API allows.
    SplitInvalid = "CXD058" Error,
    "Use whole minutes that divide a day, or whole days, up to what the hint says.";
    /// `delivery.format` has no effect with this API.
    FormatIgnored = "CXD059" Warning,
    "Take it out; `pipeline.format` says how rows are stored.";
    /// `everyHours` does not divide a day, or does not go with the schedule.
    EveryHoursInvalid = "CXD060" Error,
    "Use 1, 2, 3, 4, 6, 8 or 12, and only with an `hourly` schedule and `previousHours`.";
    /// Not a time zone.
    WindowZoneInvalid = "CXD061" Error,
    "Use a name of the IANA database, such as `America/New_York`.";
    /// `settledAfter` is not a usable duration, or does not go with the rest.
    SettledAfterInvalid = "CXD062" Error,
    "Use whole minutes up to 7 days, such as `PT45M`, and either `settledAfter` or `settledAt`.";
    /// A distance of `restate` is not usable.
    RestateInvalid = "CXD063" Error,
    "Use up to five ascending durations, such as `[\"P1D\", \"P7D\"]`, which go with the schedule.";
    /// The windows of the schedule's own runs repeat or overlap.
    WindowsRepeat = "CXD064" Error,
    "Use `previousHours` on an hourly, `previousDay` on a daily, `previousWeek` on a weekly and `previousMonth` on a monthly schedule.";
    /// A text of `emptyMessages` that could mean anything.
    EmptyMessageInvalid = "CXD065" Error,
    "Use 6 to 256 bytes of what CXone says, without control characters.";
    /// A column is declared against what the catalogue says of it.
    DeclaredOtherwise = "CXD066" Error,
    "Take the declaration out, or declare the column as what it is.";
    /// Local midnight passes the schedule's time when clocks change, so that a day would be left out and another one repeated.
    ZoneShiftsDays = "CXD067" Error,
    "Choose a time of the schedule that is the same date in `pipeline.windowZone` in summer and in winter.";
    /// The schedule's time is still the day before in the zone of the windows.
    ZoneIsBehind = "CXD068" Warning,
    "Schedule the report later, so that it gets the window that has ended last.";
    /// A key that lacks a column which makes a row unique.
    KeyTooNarrow = "CXD069" Error,
    "Add the columns that the message names to `pipeline.key`, or leave the key out.";
    /// `keep-last` may drop rows that are not the same.
    KeepLastDropsRows = "CXD070" Warning,
    "Use `fail`. With `analytics`, a key that names each interaction, such as `interactionId`, will do as well.";
    /// Two columns whose names differ only in upper and lower case.
    ColumnTwins = "CXD071" Warning,
    "Most warehouses take them for one column. Take one of them out, or rename it in CXone.";
    /// Two columns that get the same name.
    ColumnsCollide = "CXD072" Error,
    "Take one of them out, rename it in CXone, or leave `pipeline.columnNames` out.";
    /// A column that CXone does not document for this API.
    ColumnUnknown = "CXD073" Warning,
    "Correct the name. If your tenant has the column, name it in `pipeline.declare`.";
    /// The API has been seen with whole days in UTC only.
    TimesAssumed = "CXD074" Warning,
    "Compare one of your windows with what CXone shows.";
    /// `emptyMessages` has no effect with this API.
    EmptyMessagesIgnored = "CXD075" Warning,
    "Take it out; the API answers with a list of rows, which may be empty.";
    /// `totalLabels` stands in two places, and one of them has no effect.
    LabelsTwice = "CXD076" Warning,
    "Take `report.totalLabels` out.";
    /// `expectedBy` is not a usable duration, or too short for anything to have been delivered.
    ExpectedByInvalid = "CXD077" Error,
    "Use whole minutes up to 7 days, such as `PT3H`, and more than a run waits for its data to become final.";
    /// The warehouse that `target` names does not load files that are compressed like this.
    NotLoadable = "CXD078" Error,
    "Use `gzip`, which every warehouse loads, or `none`.";
    /// The warehouse that `target` names takes two columns for one, so that no table has both.
    NoTable = "CXD079" Error,
    "Leave one of them out, rename it in CXone, or set `pipeline.columnNames` to `snake`.";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
