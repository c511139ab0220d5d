//! The client's own five calls, for one definition over yesterday: what `--deep` adds.

use std::time::Duration;

use cxone::{AccessToken, CancelOutcome, Client, Error, Page, PageQuery, RowChunk};
use definition::{Api, Definition, RunId, RunStatus, Window};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::pace::extraction_pause;
use crate::usability::Usability;

/// How often a run is polled, and how long after the call before; data extraction has its own pause.
const POLLS: usize = 6;
const POLL_PAUSE: Duration = Duration::from_secs(15);

/// How far one definition's run came.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeepRun {
    pub(crate) api: Api,
    /// Whether it was registered and started, by which its id came.
    pub(crate) started: Usability,
    /// Whether its states were known ones; `None` if it was never polled.
    pub(crate) states: Option<Usability>,
    /// Whether its first page or its file could be read to the end.
    pub(crate) rows: Option<Usability>,
    pub(crate) cancelled: Option<Usability>,
}

impl DeepRun {
    /// Runs a definition over yesterday and reads a page of what comes of it. A run that is not done by then is cancelled,
    /// where its API can. The text is what went wrong, for the screen.
    pub(crate) async fn try_out(
        client: &Client,
        token: &AccessToken,
        definition: &Definition,
        now: Timestamp,
        wait: &impl AsyncFn(Duration),
    ) -> (Self, String) {
        let mut run = Self {
            api: definition.dialect().api(),
            started: Usability::Yes,
            states: None,
            rows: None,
            cancelled: None,
        };
        let trial = Trial {
            client,
            token,
            definition,
            wait,
        };
        let said = trial.carry_out(&mut run, now).await;
        (run, said.err().unwrap_or_default())
    }
}

struct Trial<'a, W> {
    client: &'a Client,
    token: &'a AccessToken,
    definition: &'a Definition,
    wait: &'a W,
}

impl<W: AsyncFn(Duration)> Trial<'_, W> {
    async fn carry_out(&self, run: &mut DeepRun, now: Timestamp) -> Result<(), String> {
        let window = yesterday(now).ok_or("there is no window of yesterday")?;
        let id = match self.start(&window).await {
            Ok(id) => id,
            Err(error) => {
                run.started = Usability::of_error(&error);
                return Err(error.to_string());
            }
        };
        for _ in 0..POLLS {
            if let Some(pause) = self.pause() {
                (self.wait)(pause).await;
            }
            if let Some(ended) = self.look(run, &id, &window).await {
                return ended;
            }
        }
        self.cancel(run, &id).await
    }

    /// Polls, and reads a page of a run that is done; `None` while it is not. Where a run has no state to poll, its page is
    /// asked for at once.
    async fn look(
        &self,
        run: &mut DeepRun,
        id: &RunId,
        window: &Window,
    ) -> Option<Result<(), String>> {
        let dialect = self.definition.dialect();
        let status = if dialect.is_direct() {
            Ok(RunStatus::Completed)
        } else {
            self.client.poll_run(self.token, dialect, id).await
        };
        match status {
            Ok(RunStatus::Completed) => self.read_page(run, id, window).await,
            Ok(RunStatus::Pending { state, known }) => {
                self.note_state(run, id, &state, known).await
            }
            Ok(RunStatus::Failed { message }) => {
                run.states.get_or_insert(Usability::Yes);
                Some(Err(format!("the run failed: {message}")))
            }
            Err(error) => Some(note(&mut run.states, &error)),
        }
    }

    async fn note_state(
        &self,
        run: &mut DeepRun,
        id: &RunId,
        state: &str,
        known: bool,
    ) -> Option<Result<(), String>> {
        if known {
            run.states.get_or_insert(Usability::Yes);
            return None;
        }
        run.states = Some(Usability::Differs);
        let said = format!("the state \"{state}\" is not known");
        Some(self.cancel(run, id).await.and(Err(said)))
    }

    async fn start(&self, window: &Window) -> Result<RunId, Error> {
        let schedule = self
            .client
            .register_schedule(self.token, self.definition)
            .await?;
        self.client
            .start_run(self.token, self.definition, schedule.as_ref(), window)
            .await
    }

    async fn read_page(
        &self,
        run: &mut DeepRun,
        id: &RunId,
        window: &Window,
    ) -> Option<Result<(), String>> {
        let query = PageQuery {
            definition: self.definition,
            run: id,
            window,
            at: None,
        };
        let read = match self.client.open_page(self.token, query).await {
            Ok(page) => read_to_end(page).await,
            Err(Error::NotCompleted { state, said, .. }) => {
                return self.note_state(run, id, &state, said.is_empty()).await;
            }
            Err(error) => Err(error),
        };
        run.states.get_or_insert(Usability::Yes);
        Some(match read {
            Ok(()) => {
                run.rows = Some(Usability::Yes);
                Ok(())
            }
            Err(error) => note(&mut run.rows, &error),
        })
    }

    async fn cancel(&self, run: &mut DeepRun, id: &RunId) -> Result<(), String> {
        let dialect = self.definition.dialect();
        if !dialect.can_cancel() {
            return Ok(());
        }
        match self.client.cancel_run(self.token, dialect, id).await {
            Ok(CancelOutcome::Unsupported) => run.cancelled = Some(Usability::Differs),
            Ok(_) => run.cancelled = Some(Usability::Yes),
            Err(error) => return note(&mut run.cancelled, &error),
        }
        Ok(())
    }

    fn pause(&self) -> Option<Duration> {
        match self.definition.dialect().api() {
            Api::DataExtraction => Some(extraction_pause()),
            Api::Analytics | Api::ReportJobs => Some(POLL_PAUSE),
            Api::DataDownload | Api::Contacts => None,
        }
    }
}

/// Keeps what an error means, and gives its text.
fn note(found: &mut Option<Usability>, error: &Error) -> Result<(), String> {
    *found = Some(Usability::of_error(error));
    Err(error.to_string())
}

/// The rows are read as the pipeline reads them, and dropped.
async fn read_to_end(mut page: Page) -> Result<(), Error> {
    let mut rows = RowChunk::new();
    while page.read_rows(&mut rows).await? {}
    page.finish().await.map(drop)
}

fn yesterday(now: Timestamp) -> Option<Window> {
    const DAY: i64 = 24 * 60 * 60;
    let midnight = Timestamp::from_second(now.as_second().div_euclid(DAY) * DAY).ok()?;
    let start = midnight.checked_sub(SignedDuration::from_hours(24)).ok()?;
    Window::new(start, midnight).ok()
}
