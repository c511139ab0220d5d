//! What stands around the rows of a run's results: `{"runId": …, "state": …, "data": [rows], "nextPageToken": …}`.

use definition::text::line;
use definition::{PageToken, RunId};

use crate::api::answer::join_said;
use crate::error::Error;
use crate::http::{AccessToken, redact_secrets};
use crate::page::{Envelope, parse_count, parse_field, parse_text_or_number};

/// The longest word of a state that is kept, in bytes.
const MAX_STATE: usize = 64;
/// The longest explanation of a failure that is kept, in bytes.
const MAX_MESSAGE: usize = 1024;

/// The guide's states of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunState {
    Queued,
    Processing,
    Completed,
    Failed,
}

impl RunState {
    /// The state of a word, in upper or lower case; `None` for a word that the guide does not have.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        [
            ("queued", Self::Queued),
            ("processing", Self::Processing),
            ("completed", Self::Completed),
            ("failed", Self::Failed),
        ]
        .into_iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known))
        .map(|(_, state)| state)
    }
}

/// The fields of an answer beside its rows, as far as they were read.
pub(super) struct ResultsEnvelope {
    step: &'static str,
    /// The run that was asked for.
    wanted_run: RunId,
    run_id: Option<String>,
    state: Option<String>,
    next: Option<String>,
    error_message: Option<String>,
    pub(super) total: Option<u64>,
    pub(super) download_url: Option<String>,
}

impl ResultsEnvelope {
    pub(super) fn new(step: &'static str, wanted_run: RunId) -> Self {
        Self {
            step,
            wanted_run,
            run_id: None,
            state: None,
            next: None,
            error_message: None,
            total: None,
            download_url: None,
        }
    }

    /// `None` where the answer has no state, or one that the guide does not have.
    pub(super) fn state(&self) -> Option<RunState> {
        self.state.as_deref().and_then(RunState::from_word)
    }

    /// The state as one short line for a message, empty where there is none.
    pub(super) fn shown_state(&self) -> String {
        line(self.state.as_deref().unwrap_or_default(), MAX_STATE)
    }

    /// Checks that the answer is about the run that was asked for, where it names one.
    pub(super) fn check_run(&self) -> Result<(), Error> {
        match &self.run_id {
            Some(id) if id != self.wanted_run.as_str() => Err(Error::contract(
                self.step,
                "the answer is about another run",
            )),
            _ => Ok(()),
        }
    }

    /// What a run that failed says of itself.
    pub(super) fn failure_message(&self, token: &AccessToken) -> String {
        let message = self.error_message.as_deref().unwrap_or_default();
        redact_secrets(message, &[token.expose()], MAX_MESSAGE)
    }

    /// Checks that the run has not failed. A state that the guide does not have comes with what the answer says beside it.
    pub(super) fn check_not_failed(&self, token: &AccessToken) -> Result<(), Error> {
        let step = self.step;
        match self.state() {
            Some(RunState::Failed) => Err(Error::RunFailed {
                step,
                message: self.failure_message(token),
            }),
            Some(_) => Ok(()),
            None => Err(Error::NotCompleted {
                step,
                state: self.shown_state(),
                said: join_said(&self.shown_state(), &self.failure_message(token)),
            }),
        }
    }

    pub(super) fn check_completed(&self) -> Result<(), Error> {
        match self.state() {
            Some(RunState::Completed) => Ok(()),
            _ => Err(Error::NotCompleted {
                step: self.step,
                state: self.shown_state(),
                said: String::new(),
            }),
        }
    }

    /// Where the next page begins; `None` on the last one.
    pub(super) fn next_page(&self) -> Result<Option<PageToken>, Error> {
        let token = self.next.clone().filter(|token| !token.is_empty());
        token
            .map(PageToken::new)
            .transpose()
            .map_err(|error| Error::contract(self.step, error.to_string()))
    }
}

impl Envelope for ResultsEnvelope {
    fn rows_field(&self) -> &'static str {
        "data"
    }

    fn keep_field(&mut self, name: &str, raw: &[u8]) -> Result<bool, String> {
        match name {
            "runId" => self.run_id = parse_text_or_number(raw, name)?,
            "state" => self.state = parse_field(raw, name)?,
            "errorMessage" => self.error_message = parse_field(raw, name)?,
            "nextPageToken" => self.next = parse_field(raw, name)?,
            "total" => self.total = parse_count(raw, name)?,
            "downloadUrl" => self.download_url = parse_field(raw, name)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn conclude(&self, _: u64, _: bool) -> Result<(Option<PageToken>, Option<u64>), Error> {
        self.check_run()?;
        self.check_completed()?;
        Ok((self.next_page()?, self.total))
    }
}
