//! The requests to the tenant and its answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apis::Api;
use crate::window::Window;

/// The calls that a tenant knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `POST /auth/token`, and the calls of the other ways to sign in.
    Token,
    Discovery,
    ListReports,
    /// `GET …/report-jobs`, `GET /data-extraction/v1/jobs`
    ListJobs,
    ListSchedules,
    CreateSchedule,
    UpdateSchedule,
    /// `POST …/schedules/{id}/runs`, `POST …/report-jobs/{id}`, `POST /data-extraction/v1/jobs`
    StartRun,
    /// `GET …/results/{id}` without a page token: a poll, and the first page; `GET` of a job.
    Look,
    /// `GET …/results/{id}?pageToken=`, `POST …/report-jobs/datadownload/{id}`, `GET …/contacts/completed`
    Page,
    /// `GET` of a `downloadUrl`, of `files` and of every other link to a file.
    Download,
    Cancel,
    Unknown,
}

impl Kind {
    /// Its name in fault parameters and in the journal's JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Discovery => "discovery",
            Self::ListReports => "list-reports",
            Self::ListJobs => "list-jobs",
            Self::ListSchedules => "list-schedules",
            Self::CreateSchedule => "create-schedule",
            Self::UpdateSchedule => "update-schedule",
            Self::StartRun => "start-run",
            Self::Look => "look",
            Self::Page => "page",
            Self::Download => "download",
            Self::Cancel => "cancel",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The method as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// What was asked for.
    pub kind: Kind,
    /// The API it belongs to; none for signing in.
    pub api: Option<Api>,
    /// The run it concerns; for [`Kind::StartRun`] the one that was started.
    pub run: Option<String>,
    /// The page whose rows were asked for, from 0.
    pub page: Option<u64>,
    /// The status that was answered, 0 when there was none.
    pub status: u16,
    pub at: Timestamp,
    /// Whether an `Authorization` header came along.
    pub authorized: bool,
    /// The faults that acted on it.
    pub faults: Vec<String>,
}

/// A run as the tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    pub id: String,
    /// Which one it was, from 1.
    pub number: u64,
    /// The API that it was asked of.
    pub api: Api,
    /// The schedule it belongs to, or the report's number, the entity, or `contacts`.
    pub schedule: String,
    /// `queued`, `processing`, `completed`, `failed` or `cancelled`, without regard to faults of wording.
    pub state: String,
    pub window: Window,
    /// How many rows it has.
    pub rows: u64,
    /// When it was started.
    pub started: Timestamp,
}
