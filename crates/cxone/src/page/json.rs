//! A page whose rows are inline.

use super::envelope::{Envelope, Kind, Parser, Step};
use super::input::Input;
use super::{RowChunk, Said};
use crate::client::Body;
use crate::error::Error;
use crate::state::{State, sanitised};
use definition::{PageToken, RunId};

/// A page of the results, as far as it was read.
pub(crate) struct JsonPage {
    step: &'static str,
    asked: Asked,
    input: Input,
    parser: Parser,
}

/// What was asked for, which the answer has to be about.
enum Asked {
    /// The results of a run of the guide's API.
    Results(RunId),
    /// Completed contacts from this one on, of so many if that is known already.
    Contacts { skip: u64, total: Option<u64> },
}

/// How far an answer was read before its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// The first row comes next.
    Rows,
    /// The answer ended.
    End,
}

impl std::fmt::Debug for JsonPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nothing of the envelope: there is a page token and maybe a URL in it.
        f.debug_struct("JsonPage")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl JsonPage {
    pub(crate) fn new(step: &'static str, run: RunId, body: Body, max_row: usize) -> Self {
        Self {
            step,
            asked: Asked::Results(run),
            input: Input::new(body),
            parser: Parser::new(Kind::Results, max_row),
        }
    }

    /// A page of completed contacts that begins behind `skip` of them.
    pub(crate) fn contacts(
        step: &'static str,
        skip: u64,
        total: Option<u64>,
        body: Body,
        max_row: usize,
    ) -> Self {
        Self {
            step,
            asked: Asked::Contacts { skip, total },
            input: Input::new(body),
            parser: Parser::new(Kind::Contacts, max_row),
        }
    }

    pub(crate) fn step(&self) -> &'static str {
        self.step
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.parser.envelope
    }

    /// How many rows were read.
    pub(crate) fn rows(&self) -> u64 {
        self.parser.rows
    }

    /// Reads up to the first row, or to the end where there is none.
    pub(crate) async fn open(&mut self) -> Result<Opened, Error> {
        let mut none = RowChunk::new();
        loop {
            match self.advance(&mut none).await? {
                // An empty list is no reason to stop: what follows it may say where the rows are instead.
                Step::Rows if self.row_follows().await? => return Ok(Opened::Rows),
                Step::End => return Ok(Opened::End),
                _ => {}
            }
        }
    }

    /// Whether a row comes next in the list that has just begun.
    async fn row_follows(&mut self) -> Result<bool, Error> {
        loop {
            let bytes = self.input.bytes();
            let space = super::scan::skip_space(bytes, 0);
            if let Some(byte) = bytes.get(space) {
                return Ok(*byte != b']');
            }
            self.input.take(space);
            if !self.input.read(1).await? {
                return Err(self.cut_off());
            }
        }
    }

    /// Reads to the end and drops the rows.
    pub(crate) async fn skip(&mut self) -> Result<(), Error> {
        let mut chunk = RowChunk::new();
        loop {
            chunk.clear();
            self.fill(&mut chunk).await?;
            if chunk.is_empty() {
                return Ok(());
            }
        }
    }

    pub(super) async fn fill(&mut self, chunk: &mut RowChunk) -> Result<(), Error> {
        loop {
            match self.advance(chunk).await? {
                Step::Full | Step::End => break,
                Step::Rows | Step::More(_) => {}
            }
        }
        if chunk.is_utf8() {
            Ok(())
        } else {
            Err(Error::contract(self.step, "a row is not UTF-8"))
        }
    }

    /// Parses what is there, reads more where that is what is needed, and says where it stopped.
    async fn advance(&mut self, chunk: &mut RowChunk) -> Result<Step, Error> {
        let (taken, step) = self
            .parser
            .advance(self.input.bytes(), chunk)
            .map_err(|what| Error::contract(self.step, what))?;
        self.input.take(taken);
        match step {
            Step::More(wanted) if !self.input.read(wanted).await? => Err(self.cut_off()),
            // The end of the object is not the end of the body: what follows has to be read and checked too.
            Step::End if self.input.read(1).await? => Ok(Step::More(0)),
            step => Ok(step),
        }
    }

    fn cut_off(&self) -> Error {
        let body = self.input.body();
        if body.decoded() == 0 {
            return Error::contract(self.step, "the answer is empty");
        }
        let what = "the JSON ends in the middle";
        if body.is_framed() {
            Error::contract(self.step, what)
        } else {
            Error::unavailable(self.step, what)
        }
    }

    /// Checks that the answer is about the run that was asked for, as far as it says so.
    pub(crate) fn check_run(&self) -> Result<(), Error> {
        let Asked::Results(run) = &self.asked else {
            return Ok(());
        };
        match &self.envelope().run_id {
            Some(id) if id != run.as_str() => Err(Error::contract(
                self.step,
                "the answer is about another run",
            )),
            _ => Ok(()),
        }
    }

    /// Checks that the run is completed.
    pub(crate) fn check_completed(&self) -> Result<(), Error> {
        let word = self.envelope().state.as_deref();
        match State::from_word(word) {
            Some(State::Completed) => Ok(()),
            _ => Err(Error::NotCompleted {
                step: self.step,
                state: sanitised(word),
            }),
        }
    }

    pub(crate) fn next(&self) -> Result<Option<PageToken>, Error> {
        let token = self
            .envelope()
            .next
            .clone()
            .filter(|token| !token.is_empty())
            .map(PageToken::new);
        token
            .transpose()
            .map_err(|error| Error::contract(self.step, error.to_string()))
    }

    pub(super) fn conclude(self) -> Result<Said, Error> {
        if let Asked::Contacts { skip, total } = self.asked {
            return self.conclude_contacts(skip, total);
        }
        self.check_run()?;
        self.check_completed()?;
        let next = self.next()?;
        let Envelope { total, unknown, .. } = self.parser.envelope;
        Ok(Said {
            next,
            total,
            summary_rows: 0,
            unknown_fields: unknown,
        })
    }

    /// There is a next page where a link says so, or where the total does.
    fn conclude_contacts(self, skip: u64, known: Option<u64>) -> Result<Said, Error> {
        let rows = self.parser.rows;
        let envelope = self.parser.envelope;
        if !envelope.has_data {
            return Err(Error::contract(self.step, "the answer has no contacts"));
        }
        let total = envelope.total.or(known);
        let reached = skip.saturating_add(rows);
        let has_link = envelope.next.is_some_and(|link| !link.trim().is_empty());
        let goes_on = rows > 0 && (has_link || total.is_some_and(|total| reached < total));
        let next = goes_on.then(|| {
            Skip {
                skip: reached,
                total,
            }
            .token()
        });
        Ok(Said {
            next: next.transpose()?,
            total,
            summary_rows: 0,
            unknown_fields: envelope.unknown,
        })
    }
}

/// Where a page of contacts begins, and how many there are if that was said. As a token `20000/25417`, or `20000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) skip: u64,
    pub(crate) total: Option<u64>,
}

impl Skip {
    fn token(self) -> Result<PageToken, Error> {
        let text = match self.total {
            Some(total) => format!("{}/{total}", self.skip),
            None => self.skip.to_string(),
        };
        PageToken::new(text).map_err(|error| Error::contract("get contacts", error.to_string()))
    }

    /// `None` for a token that is not one of ours.
    pub(crate) fn of_token(token: &PageToken) -> Option<Self> {
        let (skip, total) = match token.as_str().split_once('/') {
            Some((skip, total)) => (skip, Some(total.parse().ok()?)),
            None => (token.as_str(), None),
        };
        Some(Self {
            skip: skip.parse().ok()?,
            total,
        })
    }
}
