//! What is asked: GET requests that start nothing, one for each thing that is assumed of an answer.

use definition::Api;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A job that no tenant has, in the forms that the two APIs give ids.
const NO_REPORT_JOB: &str = "0";
const NO_EXTRACTION: &str = "00000000-0000-4000-8000-000000000000";
/// No schedule has this name.
const NO_SCHEDULE: &str = "cxr probe";

/// A harmless question. `Job` is one of those that the list before it has named, or one that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Question {
    Schedules,
    Contacts,
    Reports,
    ReportJobs,
    ReportJob,
    Extractions,
    Extraction,
}

impl Question {
    /// In the order in which they are asked: that of data extraction last, because its calls are kept apart.
    pub(crate) const ALL: [Self; 7] = [
        Self::Contacts,
        Self::Schedules,
        Self::Reports,
        Self::ReportJobs,
        Self::ReportJob,
        Self::Extractions,
        Self::Extraction,
    ];

    /// The API that it is about.
    pub(crate) fn api(self) -> Api {
        match self {
            Self::Schedules => Api::Analytics,
            Self::Contacts => Api::Contacts,
            Self::Reports => Api::DataDownload,
            Self::ReportJobs | Self::ReportJob => Api::ReportJobs,
            Self::Extractions | Self::Extraction => Api::DataExtraction,
        }
    }

    /// The question whose answer says whether the API is there.
    pub(crate) fn first_of(api: Api) -> Self {
        match api {
            Api::Analytics => Self::Schedules,
            Api::Contacts => Self::Contacts,
            Api::DataDownload => Self::Reports,
            Api::ReportJobs => Self::ReportJobs,
            Api::DataExtraction => Self::Extractions,
        }
    }

    /// The field that holds a job's state.
    pub(crate) fn state_field(self) -> Option<&'static str> {
        match self {
            Self::ReportJobs | Self::ReportJob => Some("state"),
            Self::Extractions | Self::Extraction => Some("status"),
            Self::Schedules | Self::Contacts | Self::Reports => None,
        }
    }

    /// Which list's first job it is about.
    pub(crate) fn list(self) -> Option<Self> {
        match self {
            Self::ReportJob => Some(Self::ReportJobs),
            Self::Extraction => Some(Self::Extractions),
            _ => None,
        }
    }

    /// The parts of its path; the last one of a job is `job`, or one that does not exist.
    pub(crate) fn path(self, version: u16, job: Option<&str>) -> Vec<String> {
        let version = format!("v{version}.0");
        let acd = ["inContactAPI", "services", version.as_str()];
        let extraction = ["data-extraction", "v1", "jobs"];
        let (root, rest): (&[&str], &[&str]) = match self {
            Self::Schedules => (&["api", "v2", "analytics", "reports"], &["schedules"]),
            Self::Contacts => (&acd, &["contacts", "completed"]),
            Self::Reports => (&acd, &["reports"]),
            Self::ReportJobs => (&acd, &["report-jobs"]),
            Self::ReportJob => (&acd, &["report-jobs", job.unwrap_or(NO_REPORT_JOB)]),
            Self::Extractions => (&extraction, &[]),
            Self::Extraction => (&extraction, &[job.unwrap_or(NO_EXTRACTION)]),
        };
        root.iter()
            .chain(rest)
            .map(|part| String::from(*part))
            .collect()
    }

    /// The path as the report has it.
    pub(crate) fn path_without_ids(self, version: u16) -> String {
        format!("/{}", self.path(version, Some("{id}")).join("/"))
    }

    /// Of contacts one row is asked for, of an hour that is over for a day.
    pub(crate) fn query(self, now: Timestamp) -> Vec<(&'static str, String)> {
        match self {
            Self::Schedules => vec![("name", NO_SCHEDULE.to_owned())],
            Self::Contacts => {
                let end = now.as_second().div_euclid(3600) * 3600;
                let end = Timestamp::from_second(end).unwrap_or(now);
                let before = |hours| {
                    end.saturating_sub(SignedDuration::from_hours(hours))
                        .unwrap_or(end)
                };
                vec![
                    ("startDate", before(48).to_string()),
                    ("endDate", before(24).to_string()),
                    ("orderBy", "contactId".to_owned()),
                    ("top", "1".to_owned()),
                    ("skip", "0".to_owned()),
                ]
            }
            Self::ReportJobs => vec![("jobSpan", "7".to_owned())],
            _ => Vec::new(),
        }
    }

    /// The names of its parameters, for the report.
    pub(crate) fn parameters(self) -> Vec<&'static str> {
        let query = self.query(Timestamp::UNIX_EPOCH).into_iter();
        query.map(|(name, _)| name).collect()
    }
}
