//! A file as base64 within a JSON answer, decoded as it comes: memory is the same for any size.

mod base64;
mod scanner;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use definition::text::line;
use futures_util::{Stream, stream};
use serde_json::Value;

use self::scanner::FileScanner;
use crate::error::Error;
use crate::http::{Body, GZIP_MAGIC, explain_answer};

/// How much of the body is read at once, in bytes.
const READ: usize = 32 * 1024;
/// The longest explanation that is kept, in bytes.
const MESSAGE: usize = 1024;

/// A file that is being decoded.
pub(crate) struct Base64File {
    step: &'static str,
    body: Body,
    raw: Vec<u8>,
    scanner: FileScanner,
    /// What was decoded; from `taken` on not yet read.
    file: Vec<u8>,
    taken: usize,
    /// What stands around the file, once all of the answer was read.
    around: Option<AroundFile>,
}

/// What an answer says around its file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct AroundFile {
    /// Why there is no file, or no good one.
    pub(crate) error_message: String,
    /// Where the file is instead.
    pub(crate) uri: Option<String>,
    /// Whether a file is there, as base64 or empty.
    pub(crate) has_file: bool,
}

impl std::fmt::Debug for Base64File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nothing of what was read: there are rows and maybe a URL in it.
        f.debug_struct("Base64File")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Base64File {
    pub(crate) fn new(step: &'static str, body: Body) -> Self {
        Self {
            step,
            body,
            raw: vec![0; READ],
            scanner: FileScanner::default(),
            file: Vec::new(),
            taken: 0,
            around: None,
        }
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// Reads up to the file's first byte. Where there is no file, all of the answer is read, and what it says is given.
    pub(crate) async fn read_to_file(&mut self) -> Result<Option<AroundFile>, Error> {
        self.decode_some().await?;
        let is_empty = self.file.is_empty();
        Ok(self.around.clone().filter(|_| is_empty))
    }

    /// Whether the file, whose first bytes were read, is a gzip.
    pub(crate) fn is_gzip(&self) -> bool {
        self.file.starts_with(GZIP_MAGIC)
    }

    /// The file piece by piece.
    pub(crate) fn into_pieces(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self, async |mut file| {
            let mut piece = vec![0; READ];
            let length = file.read_bytes(&mut piece).await?;
            piece.truncate(length);
            Ok((length > 0).then(|| (Bytes::from(piece), file)))
        })
    }

    /// Reads some bytes of the file; 0 at its end, which is reached only if the answer is whole and reports no failure.
    pub(super) async fn read_bytes(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if self.taken == self.file.len() {
            self.file.clear();
            self.taken = 0;
            self.decode_some().await?;
        }
        let length = into.len().min(self.file.len() - self.taken);
        into[..length].copy_from_slice(&self.file[self.taken..self.taken + length]);
        self.taken += length;
        if length == 0 {
            self.check_end()?;
        }
        Ok(length)
    }

    /// Reads until some of the file is decoded, or the answer has ended.
    async fn decode_some(&mut self) -> Result<(), Error> {
        while self.file.is_empty() && self.around.is_none() {
            let read = self.body.read_bytes(&mut self.raw).await?;
            if read == 0 {
                self.around = Some(self.read_around()?);
                break;
            }
            self.scanner
                .scan(&self.raw[..read], &mut self.file)
                .map_err(|what| Error::contract(self.step, what))?;
        }
        Ok(())
    }

    /// What stands around the file, which has to be JSON like all the rest.
    fn read_around(&self) -> Result<AroundFile, Error> {
        let around = self.scanner.around();
        let json: Value = serde_json::from_slice(around).map_err(|_| self.incomplete_error())?;
        let around = parse_around(&json);
        if self.scanner.file_count() > 0 && !around.has_file {
            let what = "the file is not where it should be";
            return Err(Error::contract(self.step, what));
        }
        Ok(around)
    }

    fn incomplete_error(&self) -> Error {
        let what = if self.body.decoded_bytes() == 0 {
            "the answer is empty"
        } else {
            "the answer is not JSON"
        };
        if self.body.is_framed() || self.body.decoded_bytes() == 0 {
            Error::contract(self.step, what)
        } else {
            Error::unavailable(self.step, what)
        }
    }

    /// A message of failure may come after the file.
    fn check_end(&self) -> Result<(), Error> {
        match &self.around {
            Some(around) if !around.error_message.is_empty() => {
                Err(run_failed(self.step, &around.error_message))
            }
            _ => Ok(()),
        }
    }
}

/// The error for a success whose text says that the run failed.
pub(crate) fn run_failed(step: &'static str, message: &str) -> Error {
    Error::RunFailed {
        step,
        message: line(message, MESSAGE),
    }
}

/// The file is `files.file`, or `file` beside the error message; either may be within a list of one.
fn parse_around(json: &Value) -> AroundFile {
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
    let uri = text("URI").filter(|uri| !uri.is_empty());
    let has_file = files.get("file").is_some_and(Value::is_string);
    let mut error_message = text("errorMessage").unwrap_or_default();
    // Where there is no file, whatever explains that is told, because a definition may take its words for an empty result.
    if error_message.is_empty() && !has_file && uri.is_none() {
        error_message = explain_answer(&answer);
    }
    AroundFile {
        error_message,
        uri,
        has_file,
    }
}
