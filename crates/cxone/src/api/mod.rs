//! The five calls that a pipeline makes, and the API that carries each of them out.
//!
//! Each API is one module here. A new one needs its module, and its line in each `match` below.

mod analytics;
mod answer;
mod contacts;
mod data_download;
mod data_extraction;
mod file;
mod incontact;
mod query;
mod report_jobs;

use definition::{Api, Definition, Dialect, Report, RunId, RunStatus, ScheduleId, Window};

use crate::error::Error;
use crate::http::{AccessToken, Client};
use crate::page::Page;

pub use query::{CancelOutcome, PageQuery};

/// Whether a word for a run's state is one that the client has a meaning for. Any other counts as pending.
#[must_use]
pub fn is_known_state(api: Api, word: &str) -> bool {
    match api {
        Api::Analytics => analytics::is_known_state(word),
        Api::ReportJobs => report_jobs::is_known_state(word),
        Api::DataExtraction => data_extraction::is_known_state(word),
        Api::DataDownload | Api::Contacts => false,
    }
}

impl Client {
    /// Registers the schedule where the API has schedules.
    ///
    /// With analytics: finds it by its exact name, creates it, or updates it if it differs. Two schedules of that name
    /// are an [`Error::Contract`] that names both, because only a person can tell which one is meant; unless both already
    /// have the definition's settings. The other APIs are not called.
    pub async fn register_schedule(
        &self,
        token: &AccessToken,
        definition: &Definition,
    ) -> Result<Option<ScheduleId>, Error> {
        match definition.dialect() {
            Dialect::Analytics => self.put_schedule(token, definition).await.map(Some),
            Dialect::ReportJobs { .. }
            | Dialect::DataExtraction
            | Dialect::DataDownload { .. }
            | Dialect::Contacts { .. } => Ok(None),
        }
    }

    /// Starts a run over a window. [`Error::Ambiguous`] where it may have been started and its id was lost.
    ///
    /// Data download and contacts are not called: their runs get a new id of our own. A report job whose range is the
    /// template's is not told the window.
    pub async fn start_run(
        &self,
        token: &AccessToken,
        definition: &Definition,
        schedule: Option<&ScheduleId>,
        window: &Window,
    ) -> Result<RunId, Error> {
        match &definition.report {
            Report::Analytics(_) => self.start_scheduled_run(token, schedule, window).await,
            Report::ReportJobs(report) => self.start_report_job(token, report, window).await,
            Report::DataExtraction(report) => self.start_extraction(token, report, window).await,
            Report::DataDownload(_) => data_download::create_run_id(),
            Report::Contacts(_) => contacts::create_run_id(),
        }
    }

    /// Asks once how a run is doing. A run of data download or contacts is always completed, without a call.
    pub async fn poll_run(
        &self,
        token: &AccessToken,
        dialect: Dialect,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        match dialect {
            Dialect::Analytics => self.poll_scheduled_run(token, run).await,
            Dialect::ReportJobs { api_version } => {
                self.poll_report_job(token, api_version, run).await
            }
            Dialect::DataExtraction => self.poll_extraction(token, run).await,
            Dialect::DataDownload { .. } | Dialect::Contacts { .. } => Ok(RunStatus::Completed),
        }
    }

    /// Cancels a run, where the API can.
    pub async fn cancel_run(
        &self,
        token: &AccessToken,
        dialect: Dialect,
        run: &RunId,
    ) -> Result<CancelOutcome, Error> {
        match dialect {
            Dialect::Analytics => self.cancel_scheduled_run(token, run).await,
            Dialect::ReportJobs { .. }
            | Dialect::DataExtraction
            | Dialect::DataDownload { .. }
            | Dialect::Contacts { .. } => Ok(CancelOutcome::Unsupported),
        }
    }

    /// Opens a page of a run's rows.
    ///
    /// With analytics, inline rows are a page each. A file that the answer names instead is one page and the last one;
    /// where an answer has both, the definition's `delivery.format` decides. A report job's and an extraction's file is
    /// one page; both are polled first ([`Error::NotCompleted`], [`Error::RunFailed`]). A data download is one page,
    /// or none and the URI of its file as the token of the next. Contacts are pages of up to 10,000.
    ///
    /// Where the run failed with one of the definition's `pipeline.emptyMessages`, or is in a state that is not documented and
    /// says one of them by its word or beside it, it is one page without rows.
    pub async fn open_page(
        &self,
        token: &AccessToken,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        // Words at a later page are no empty result: the pages before it have rows.
        let is_file = matches!(query.definition.report, Report::DataDownload(_));
        let is_whole = query.at.is_none() || is_file;
        let opened = match &query.definition.report {
            Report::Analytics(_) => self.open_results(token, query).await,
            Report::ReportJobs(report) => self.open_report_job(token, report, query).await,
            Report::DataExtraction(_) => self.open_extraction(token, query).await,
            Report::DataDownload(report) => self.open_data_download(token, report, query).await,
            Report::Contacts(report) => self.open_contacts(token, report, query).await,
        };
        match opened {
            Err(
                Error::RunFailed {
                    step,
                    message: said,
                }
                | Error::NotCompleted { step, said, .. },
            ) if is_whole && query.definition.is_empty_message(&said) => {
                Ok(Page::without_rows(step, None, None))
            }
            other => other,
        }
    }
}
