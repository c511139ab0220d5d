//! A file as base64 within a JSON answer, unpacked as it comes: memory is the same for any size.

mod base64;
mod scanner;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::scanner::Scanner;
use crate::client::Body;
use crate::error::Error;
use definition::text::line;

/// How much of the body is read at once.
const READ: usize = 32 * 1024;
/// The longest explanation that is kept.
const MESSAGE: usize = 1024;

/// A file that is being unpacked.
pub(crate) struct PackedFile {
    step: &'static str,
    body: Body,
    raw: Vec<u8>,
    scanner: Scanner,
    /// What was unpacked, from `taken` on not yet read.
    file: Vec<u8>,
    taken: usize,
    /// What stands around the file, once all was read.
    beside: Option<Beside>,
}

/// What an answer says beside its file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Why there is no file, or no good one.
    pub(crate) error_message: String,
    /// Where the file is instead.
    pub(crate) uri: Option<String>,
    /// Whether a file is there, as base64 or empty.
    pub(crate) has_file: bool,
}

impl std::fmt::Debug for PackedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nothing of what was read: there are rows and maybe a URL in it.
        f.debug_struct("PackedFile")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl PackedFile {
    pub(crate) fn new(step: &'static str, body: Body) -> Self {
        Self {
            step,
            body,
            raw: vec![0; READ],
            scanner: Scanner::default(),
            file: Vec::new(),
            taken: 0,
            beside: None,
        }
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// Reads up to the file's first byte; where there is none, all of the answer, and says what it said instead.
    pub(crate) async fn open(&mut self) -> Result<Option<Beside>, Error> {
        self.unpack_some().await?;
        let is_empty = self.file.is_empty();
        Ok(self.beside.clone().filter(|_| is_empty))
    }

    /// Reads some bytes of the file; 0 at its end, which is reached only by an answer that is whole and good.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if self.taken == self.file.len() {
            self.file.clear();
            self.taken = 0;
            self.unpack_some().await?;
        }
        let length = into.len().min(self.file.len() - self.taken);
        into[..length].copy_from_slice(&self.file[self.taken..self.taken + length]);
        self.taken += length;
        if length == 0 {
            self.check_end()?;
        }
        Ok(length)
    }

    /// Goes on until there is something of the file, or the answer has ended.
    async fn unpack_some(&mut self) -> Result<(), Error> {
        while self.file.is_empty() && self.beside.is_none() {
            let read = self.body.read(&mut self.raw).await?;
            if read == 0 {
                self.beside = Some(self.conclude()?);
                break;
            }
            self.scanner
                .take(&self.raw[..read], &mut self.file)
                .map_err(|what| Error::contract(self.step, what))?;
        }
        Ok(())
    }

    /// What stands around the file, which has to be JSON like all the rest.
    fn conclude(&self) -> Result<Beside, Error> {
        let around = self.scanner.around();
        let json: Value = serde_json::from_slice(around).map_err(|_| self.not_whole())?;
        let beside = beside(&json);
        if self.scanner.files() > 0 && !beside.has_file {
            let what = "the file is not where it should be";
            return Err(Error::contract(self.step, what));
        }
        Ok(beside)
    }

    fn not_whole(&self) -> Error {
        let what = if self.body.decoded() == 0 {
            "the answer is empty"
        } else {
            "the answer is not JSON"
        };
        if self.body.is_framed() || self.body.decoded() == 0 {
            Error::contract(self.step, what)
        } else {
            Error::unavailable(self.step, what)
        }
    }

    /// A message of failure may come after the file.
    fn check_end(&self) -> Result<(), Error> {
        match &self.beside {
            Some(beside) if !beside.error_message.is_empty() => {
                Err(failed(self.step, &beside.error_message))
            }
            _ => Ok(()),
        }
    }
}

/// A success that says that it is a failure.
pub(crate) fn failed(step: &'static str, message: &str) -> Error {
    Error::RunFailed {
        step,
        message: line(message, MESSAGE),
    }
}

/// The file is `files.file`, or `file` beside the error message; either may be within a list of one.
fn beside(json: &Value) -> Beside {
    let only = |value: &'_ Value| -> Value {
        match value {
            Value::Array(list) if list.len() == 1 => list[0].clone(),
            other => other.clone(),
        }
    };
    let answer = only(json);
    let files = only(answer.get("files").unwrap_or(&answer));
    let text = |name: &str| {
        let found = answer.as_object().into_iter().flatten();
        let mut found = found.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.find_map(|(_, value)| value.as_str().map(str::trim).map(str::to_owned))
    };
    Beside {
        error_message: text("errorMessage").unwrap_or_default(),
        uri: text("URI").filter(|uri| !uri.is_empty()),
        has_file: files.get("file").is_some_and(Value::is_string),
    }
}
