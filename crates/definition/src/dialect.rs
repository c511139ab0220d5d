//! Which of CXone's report APIs is spoken, and what it can't do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Api;

/// Between any two calls of a tenant to data extraction: it allows one in 30 s.
const EXTRACTION_SPACING: Duration = Duration::from_secs(31);

/// Which API, with what a call needs to know beside an id.
///
/// In a message it is `{"api":"report-jobs","apiVersion":34}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "api",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Dialect {
    /// The guide's API.
    #[default]
    Analytics,
    /// Published: a job that runs a report's template and leaves a file.
    ReportJobs {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
    /// Published: a job that extracts an entity's rows into a file.
    DataExtraction,
    /// Published: a report over dates, answered at once.
    DataDownload {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
    /// Published: completed contacts, in pages.
    Contacts {
        /// The `N` of `/inContactAPI/services/vN.0`.
        api_version: u16,
    },
}

impl Dialect {
    /// The API's word in a definition.
    #[must_use]
    pub const fn api(self) -> Api {
        match self {
            Self::Analytics => Api::Analytics,
            Self::ReportJobs { .. } => Api::ReportJobs,
            Self::DataExtraction => Api::DataExtraction,
            Self::DataDownload { .. } => Api::DataDownload,
            Self::Contacts { .. } => Api::Contacts,
        }
    }

    /// How far apart any two calls of one tenant to this API have to be; `None` where they need not be.
    #[must_use]
    pub const fn spacing(self) -> Option<Duration> {
        match self {
            Self::DataExtraction => Some(EXTRACTION_SPACING),
            _ => None,
        }
    }

    /// Whether a run can be cancelled. Where not, one that takes too long is left behind.
    #[must_use]
    pub const fn can_cancel(self) -> bool {
        matches!(self, Self::Analytics)
    }

    /// Whether a run has no state that is worth a look of its own: its rows are asked for at once, and "not yet" is
    /// one of the answers.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(
            self,
            Self::DataExtraction | Self::DataDownload { .. } | Self::Contacts { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_one_small_object_in_a_message() {
        for (dialect, json) in [
            (Dialect::Analytics, r#"{"api":"analytics"}"#),
            (
                Dialect::ReportJobs { api_version: 34 },
                r#"{"api":"report-jobs","apiVersion":34}"#,
            ),
            (Dialect::DataExtraction, r#"{"api":"data-extraction"}"#),
            (
                Dialect::DataDownload { api_version: 34 },
                r#"{"api":"data-download","apiVersion":34}"#,
            ),
            (
                Dialect::Contacts { api_version: 34 },
                r#"{"api":"contacts","apiVersion":34}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&dialect).unwrap(), json);
            assert_eq!(serde_json::from_str::<Dialect>(json).unwrap(), dialect);
            assert!(json.contains(dialect.api().as_str()));
        }
    }

    #[test]
    fn what_an_api_can_not_do_is_known_beforehand() {
        let all = [
            Dialect::Analytics,
            Dialect::ReportJobs { api_version: 34 },
            Dialect::DataExtraction,
            Dialect::DataDownload { api_version: 34 },
            Dialect::Contacts { api_version: 34 },
        ];
        let which = |holds: fn(Dialect) -> bool| {
            all.into_iter()
                .filter(|dialect| holds(*dialect))
                .map(|dialect| dialect.api().as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(which(Dialect::can_cancel), ["analytics"]);
        assert_eq!(
            which(Dialect::is_direct),
            ["data-extraction", "data-download", "contacts"]
        );
        assert_eq!(which(|d| d.spacing().is_some()), ["data-extraction"]);
    }
}
