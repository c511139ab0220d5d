//! What is wrong with a definition, said so that its author can mend it.

use std::fmt;

use crate::text::line;

/// The longest message and hint, in bytes.
const MAX_TEXT: usize = 4 * 1024;

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
    ($($(#[$doc:meta])* $variant:ident = $code:literal $severity:ident),+ $(,)?) => {
        /// The kinds of findings. A code is never used for anything else later.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[$doc])* $variant),+
        }

        impl FindingCode {
            /// Every code.
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
        }
    };
}

codes! {
    /// Not JSON.
    NotJson = "CXD001" Error,
    /// Larger than 32 KiB.
    TooLarge = "CXD002" Error,
    /// A field that there is not.
    UnknownField = "CXD003" Error,
    /// A field that is missing.
    MissingField = "CXD004" Error,
    /// A value of the wrong kind, or an unknown word.
    WrongValue = "CXD005" Error,
    /// No `pipeline` block.
    PipelineMissing = "CXD010" Error,
    /// The tenant is not a valid one.
    TenantInvalid = "CXD011" Error,
    /// The name is not a valid one.
    NameInvalid = "CXD012" Error,
    /// `maxRuns` is not 1 to 10.
    MaxRunsRange = "CXD014" Error,
    /// Not a time of the day.
    TimeInvalid = "CXD015" Error,
    /// The time zone is not UTC.
    TimezoneNotUtc = "CXD020" Error,
    /// The schedule fires before the data is final.
    BeforeSettled = "CXD021" Warning,
    /// An absolute range on a schedule that recurs.
    AbsoluteOnRecurring = "CXD022" Error,
    /// Not ISO 8601 in UTC.
    NotIsoUtc = "CXD023" Error,
    /// The start is not before the end.
    StartNotBeforeEnd = "CXD024" Error,
    /// The window is longer than 31 days.
    WindowTooLong = "CXD025" Error,
    /// The window is outside of the years 2000 to 2100.
    WindowOutOfRange = "CXD026" Error,
    /// The range repeats more or less often than the schedule, so that windows overlap or leave gaps.
    RangeNotSchedule = "CXD027" Warning,
    /// A metric that this type of report does not have.
    MetricInvalid = "CXD030" Error,
    /// A dimension that this type of report does not have.
    DimensionInvalid = "CXD031" Error,
    /// A grouping that is not among the dimensions.
    GroupingNotDimension = "CXD032" Error,
    /// The same entry twice.
    Duplicate = "CXD033" Error,
    /// A list that must not be empty.
    Empty = "CXD034" Error,
    /// A key that is not among the columns.
    KeyNotColumn = "CXD040" Error,
    /// The smallest window is not a usable duration.
    SmallestWindowInvalid = "CXD041" Error,
    /// Halves of an aggregated report don't add up to the whole.
    NarrowAggregated = "CXD042" Warning,
    /// The fallback drops something that there is not.
    FallbackUnknown = "CXD043" Error,
    /// The fallback drops a column of the key, of the grouping, or all there is.
    FallbackDropsKey = "CXD044" Error,
    /// No key, and this API says nothing of what makes a row unique.
    KeyMissing = "CXD050" Error,
    /// CSV is to be written, and the columns are not known beforehand.
    ColumnsMissing = "CXD051" Error,
    /// A name of a column that can't be one.
    ColumnInvalid = "CXD052" Error,
    /// An id of a report, or the name or version of an entity, that can't be one.
    IdInvalid = "CXD053" Error,
    /// A version of the API that is not 10 to 99.
    ApiVersionInvalid = "CXD054" Error,
    /// The window is the range of the report's template, and the definition has to say so.
    TemplateRange = "CXD055" Error,
    /// Not a distance from UTC.
    UtcOffsetInvalid = "CXD056" Error,
    /// Something that this API can't do.
    NotForThisApi = "CXD057" Error,
    /// The largest window is not a usable duration, or longer than the API takes.
    SplitInvalid = "CXD058" Error,
    /// The form of the delivery is asked of the guide's API alone.
    FormatIgnored = "CXD059" Warning,
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub code: FindingCode,
    /// Where, as a JSON pointer (RFC 6901), fit for one line; empty for the whole definition.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; possibly empty.
    pub hint: String,
}

impl Finding {
    pub(crate) fn new(
        code: FindingCode,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            severity: code.severity(),
            code,
            // There are words of the definition in all of them, and they end up on terminals and in logs.
            pointer: line(&pointer.into(), 512),
            message: line(&message.into(), MAX_TEXT),
            hint: line(&hint.into(), MAX_TEXT),
        }
    }
}

/// A text from the definition, fit for one line: no control characters, at most 80 characters.
pub(crate) fn shown(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control());
    let mut shown: String = clean.clone().take(80).collect();
    if clean.count() > 80 {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(
            f,
            "{}[{}] at {at}: {}",
            self.severity, self.code, self.message
        )?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

/// Findings of which at least one is an error, in the order of the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// The findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
