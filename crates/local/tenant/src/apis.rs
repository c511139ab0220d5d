//! Which APIs a tenant speaks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the APIs, each with its name.
macro_rules! apis {
    ($($(#[$doc:meta])+ $api:ident = $name:literal,)+) => {
        /// One of the APIs that hand out reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Api {
            $($(#[$doc])+ #[serde(rename = $name)] $api,)+
        }

        impl Api {
            pub const ALL: &[Self] = &[$(Self::$api),+];

            /// Its name, as `pipeline.api` has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$api => $name),+ }
            }
        }
    };
}

apis! {
    /// The guide's: schedules, runs, pages.
    Analytics = "analytics",
    /// `report-jobs`: custom reports, one after another.
    ReportJobs = "report-jobs",
    /// `data-extraction`: jobs with a pre-signed link.
    DataExtraction = "data-extraction",
    /// `report-jobs/datadownload`: an answer at once.
    DataDownload = "data-download",
    /// `contacts/completed`: pages by `top` and `skip`.
    Contacts = "contacts",
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
