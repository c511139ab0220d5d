//! The five calls that a pipeline makes, and which API carries them out.

use crate::definition::{Api, Definition};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::ids::{PageToken, RunId, ScheduleId};
use crate::page::Page;
use crate::window::Window;

use super::{AccessToken, Client};

/// What there is to start runs of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// A schedule is registered as the definition says.
    Schedule(ScheduleId),
    /// This API has no schedules.
    NotNeeded,
}

/// What a run looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Not done yet.
    Pending {
        /// The state's word, sanitised; empty if there was none.
        state: String,
        /// Whether it is a documented word. An unknown one is waited on like `processing`.
        known: bool,
    },
    /// Its pages may be fetched.
    Completed,
    /// It failed.
    Failed {
        /// The API's explanation, at most 1 KiB, possibly empty.
        message: String,
    },
}

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
    ) -> Result<Registration, Error> {
        match definition.dialect() {
            Dialect::Analytics => self
                .register_schedule(token, definition)
                .await
                .map(Registration::Schedule),
            _ => Ok(Registration::NotNeeded),
        }
    }

    /// Starts a run over a window. [`Error::Ambiguous`] where it may have been started and its id was lost.
    pub async fn start_run(
        &self,
        token: &AccessToken,
        definition: &Definition,
        schedule: Option<&ScheduleId>,
        window: &Window,
    ) -> Result<RunId, Error> {
        match (definition.dialect(), schedule) {
            (Dialect::Analytics, Some(schedule)) => {
                self.start_scheduled_run(token, schedule, window).await
            }
            (Dialect::Analytics, None) => Err(Error::Config {
                step: "start run",
                what: "an analytics run needs a registered schedule".to_owned(),
            }),
            (dialect, _) => Err(not_yet("start run", dialect)),
        }
    }

    /// Looks at a run once.
    pub async fn look(
        &self,
        token: &AccessToken,
        dialect: Dialect,
        run: &RunId,
    ) -> Result<Look, Error> {
        match dialect {
            Dialect::Analytics => self.look_at_run(token, run).await,
            dialect => Err(not_yet("look at run", dialect)),
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
    /// where an answer has both, the definition's `delivery.format` decides.
    pub async fn page(&self, token: &AccessToken, page: PageOf<'_>) -> Result<Page, Error> {
        match page.definition.dialect() {
            Dialect::Analytics => self.results_page(token, page).await,
            dialect => Err(not_yet("get page", dialect)),
        }
    }
}

fn not_yet(step: &'static str, dialect: Dialect) -> Error {
    let api: Api = dialect.api();
    Error::Config {
        step,
        what: format!("the API {api:?} is known and not implemented yet"),
    }
}
