//! The five calls that a pipeline makes, and which API carries them out.

use crate::error::Error;
use crate::page::Page;
use definition::Dialect;
use definition::RunStatus;
use definition::Window;
use definition::{Definition, Report};
use definition::{PageToken, RunId, ScheduleId};

use super::acd::own_run;
use super::{AccessToken, Client};

const START: &str = "start run";

/// What came of a wish to cancel a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It will end.
    Accepted,
    /// It had ended already, completed or failed (409).
    AlreadyEnded,
    /// It is not known, or not any more (404, 410).
    Unknown,
    /// This API can't cancel runs, and was not asked, or said so itself (405, 501).
    Unsupported,
}

/// Which page of which run.
#[derive(Debug, Clone, Copy)]
pub struct PageOf<'a> {
    /// What was asked for.
    pub definition: &'a Definition,
    /// The run.
    pub run: &'a RunId,
    /// What the run was started over.
    pub window: &'a Window,
    /// Where the page begins; `None` for the first.
    pub at: Option<&'a PageToken>,
}

impl Client {
    /// Registers the schedule where the API has schedules.
    ///
    /// With analytics: finds it by its exact name, creates it, or updates it if it differs. Two schedules of that name
    /// are an [`Error::Contract`] that names both, because which one is meant is for a person to say; unless both say
    /// what is wanted. The other APIs are not called.
    pub async fn register(
        &self,
        token: &AccessToken,
        definition: &Definition,
    ) -> Result<Option<ScheduleId>, Error> {
        match definition.dialect() {
            Dialect::Analytics => self.register_schedule(token, definition).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Starts a run over a window. [`Error::Ambiguous`] where it may have been started and its id was lost.
    ///
    /// Data download and contacts are not called: there the id is ours, and it is another one every time. A report job
    /// whose range is the template's is not told the window.
    pub async fn start_run(
        &self,
        token: &AccessToken,
        definition: &Definition,
        schedule: Option<&ScheduleId>,
        window: &Window,
    ) -> Result<RunId, Error> {
        match (&definition.report, schedule) {
            (Report::Analytics(_), Some(schedule)) => {
                self.start_scheduled_run(token, schedule, window).await
            }
            (Report::Analytics(_), None) => Err(Error::Config {
                step: START,
                what: "an analytics run needs a registered schedule".to_owned(),
            }),
            (Report::ReportJobs(report), _) => self.start_report_job(token, report, window).await,
            (Report::DataExtraction(report), _) => {
                self.start_extraction(token, report, window).await
            }
            // The rows are asked for at once, so that there is nothing to start.
            (Report::DataDownload(_), _) => own_run(START, "download"),
            (Report::Contacts(_), _) => own_run(START, "contacts"),
        }
    }

    /// Looks at a run once. Of data download and contacts every run is completed, without a call.
    pub async fn look(
        &self,
        token: &AccessToken,
        dialect: Dialect,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        match dialect {
            Dialect::Analytics => self.look_at_run(token, run).await,
            Dialect::ReportJobs { api_version } => {
                self.look_at_report_job(token, api_version, run).await
            }
            Dialect::DataExtraction => self.look_at_extraction(token, run).await,
            Dialect::DataDownload { .. } | Dialect::Contacts { .. } => Ok(RunStatus::Completed),
        }
    }

    /// Cancels a run, where the API can.
    pub async fn cancel(
        &self,
        token: &AccessToken,
        dialect: Dialect,
        run: &RunId,
    ) -> Result<Cancelled, Error> {
        if dialect.can_cancel() {
            self.cancel_run(token, run).await
        } else {
            Ok(Cancelled::Unsupported)
        }
    }

    /// Opens a page of a run's rows.
    ///
    /// With analytics, inline rows are a page each. A file that the answer names instead is one page and the last one;
    /// where an answer has both, the definition's `delivery.format` decides. A report job's and an extraction's file is
    /// one page; both are looked at first ([`Error::NotCompleted`], [`Error::RunFailed`]). A data download is one page,
    /// or none and the URI of its file as the token of the next. Contacts are pages of up to 10,000.
    pub async fn page(&self, token: &AccessToken, page: PageOf<'_>) -> Result<Page, Error> {
        match &page.definition.report {
            Report::Analytics(_) => self.results_page(token, page).await,
            Report::ReportJobs(report) => {
                self.report_job_page(token, report.api_version, page).await
            }
            Report::DataExtraction(_) => self.extraction_page(token, page).await,
            Report::DataDownload(report) => self.data_download_page(token, report, page).await,
            Report::Contacts(report) => self.contacts_page(token, report, page).await,
        }
    }
}
