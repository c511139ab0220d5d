//! Which APIs a tenant speaks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the APIs that hand out reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// The guide's: schedules, runs, pages.
    Analytics,
    /// `report-jobs`: custom reports, one after another.
    ReportJobs,
    /// `data-extraction`: jobs with a pre-signed link.
    DataExtraction,
    /// `report-jobs/datadownload`: an answer at once.
    DataDownload,
    /// `contacts/completed`: pages by `top` and `skip`.
    Contacts,
}

impl Api {
    pub const ALL: [Self; 5] = [
        Self::Analytics,
        Self::ReportJobs,
        Self::DataExtraction,
        Self::DataDownload,
        Self::Contacts,
    ];

    /// Its name, as `pipeline.api` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Analytics => "analytics",
            Self::ReportJobs => "report-jobs",
            Self::DataExtraction => "data-extraction",
            Self::DataDownload => "data-download",
            Self::Contacts => "contacts",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
