//! The body of an answer: decoded, and bounded in size and ratio.

use std::collections::VecDeque;
use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use tokio::io::AsyncReadExt;

use super::config::Limits;
use super::raw_body::{BodyFault, Chunks, RawBody, describe_break};
use crate::error::Error;

/// The first bytes of a gzip.
pub(crate) const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
/// How much of a body is looked at to tell what it is, in bytes.
const PEEKED: usize = 64;

pub(crate) struct Body {
    step: &'static str,
    coding: Coding,
    /// Bytes that were looked at and not yet read.
    peeked: VecDeque<u8>,
    decoded: u64,
    max_decoded: u64,
    limits: Limits,
    framed: bool,
}

enum Coding {
    Plain(RawBody),
    Gzip(Box<GzipDecoder<RawBody>>),
}

impl Coding {
    fn new(raw: RawBody, is_gzip: bool) -> Self {
        if !is_gzip {
            return Self::Plain(raw);
        }
        let mut decoder = GzipDecoder::new(raw);
        decoder.multiple_members(true);
        Self::Gzip(Box::new(decoder))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("step", &self.step)
            .field("decoded", &self.decoded)
            .finish_non_exhaustive()
    }
}

impl Body {
    /// The body of an answer. It is decoded here, because reqwest's own decoder drops all but the first member of a gzip.
    pub(crate) fn from_response(
        step: &'static str,
        response: reqwest::Response,
        max_decoded: u64,
        limits: Limits,
    ) -> Result<Self, Error> {
        let headers = response.headers();
        let framed =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let gzip = is_gzip(headers).map_err(|what| Error::contract(step, what))?;
        let chunks = response
            .bytes_stream()
            .map_err(|error| describe_break(&error));
        let chunks = Box::pin(chunks);
        Ok(Self::new(step, chunks, gzip, framed, max_decoded, limits))
    }

    /// A gzip that stands within another body, unpacked. The other one says where it ends, and times what comes.
    pub(crate) fn from_gzip(
        step: &'static str,
        chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
        max_decoded: u64,
        limits: Limits,
    ) -> Self {
        let chunks = Box::pin(chunks.map_err(io::Error::other));
        let limits = Limits {
            min_rate: 0,
            ..limits
        };
        Self::new(step, chunks, true, true, max_decoded, limits)
    }

    fn new(
        step: &'static str,
        chunks: Chunks,
        gzip: bool,
        framed: bool,
        max_decoded: u64,
        limits: Limits,
    ) -> Self {
        Self {
            step,
            coding: Coding::new(RawBody::new(chunks, limits.min_rate), gzip),
            peeked: VecDeque::new(),
            decoded: 0,
            max_decoded,
            limits,
            framed,
        }
    }

    /// A plain, framed body that comes in these pieces.
    #[cfg(test)]
    pub(crate) fn from_pieces(pieces: Vec<Vec<u8>>, max_decoded: u64) -> Self {
        let pieces = pieces.into_iter().map(|piece| Ok(Bytes::from(piece)));
        let chunks = Box::pin(futures_util::stream::iter(pieces));
        Self::new("test", chunks, false, true, max_decoded, Limits::default())
    }

    /// The body of a file, unpacked if its first two bytes are those of gzip, whatever the answer calls it. What came packed over
    /// the wire is unpacked once: no API packs a file twice.
    pub(crate) async fn unpack_file(mut self) -> Result<Self, Error> {
        let Coding::Plain(mut raw) = self.coding else {
            return Ok(self);
        };
        let filled = raw.fill(GZIP_MAGIC.len()).await;
        filled.map_err(|error| describe_fault(self.step, error))?;
        let is_gzip = raw.current.starts_with(GZIP_MAGIC);
        self.coding = Coding::new(raw, is_gzip);
        Ok(self)
    }

    /// The first byte that is neither white space nor a byte order mark, if it is among the first ones.
    pub(crate) async fn peek_first_byte(&mut self) -> Result<Option<u8>, Error> {
        let mut beginning = [0; PEEKED];
        let mut length = 0;
        while length < PEEKED {
            match self.read_bytes(&mut beginning[length..]).await? {
                0 => break,
                read => length += read,
            }
        }
        self.peeked.extend(&beginning[..length]);
        let begins = beginning[..length].strip_prefix(b"\xef\xbb\xbf");
        let begins = begins.unwrap_or(&beginning[..length]);
        Ok(begins.trim_ascii_start().first().copied())
    }

    /// Whether the answer said where its body ends, so that a body that was cut off can't look whole.
    pub(crate) fn is_framed(&self) -> bool {
        self.framed
    }

    /// How many bytes were read, after decoding.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.decoded
    }

    /// Reads some bytes; 0 at the end, which is reached only by a body that is whole.
    pub(crate) async fn read_bytes(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if !self.peeked.is_empty() {
            return Ok(std::io::Read::read(&mut self.peeked, into).unwrap_or(0));
        }
        let read = match &mut self.coding {
            Coding::Plain(raw) => raw.read(into).await,
            Coding::Gzip(decoder) => decoder.read(into).await,
        };
        let read = read.map_err(|error| describe_fault(self.step, error))?;
        self.decoded += read as u64;
        self.check_bounds()
            .map_err(|what| Error::contract(self.step, what))?;
        Ok(read)
    }

    /// Refuses a body that is too large, or that unpacks to too many times its size.
    fn check_bounds(&self) -> Result<(), String> {
        let Limits {
            ratio, ratio_after, ..
        } = self.limits;
        if self.decoded > self.max_decoded {
            return Err(format!(
                "the body is larger than {} bytes",
                self.max_decoded
            ));
        }
        if let Coding::Gzip(decoder) = &self.coding {
            let raw = decoder.get_ref().bytes.max(1);
            if self.decoded > ratio_after && self.decoded / raw > ratio {
                return Err(format!(
                    "the body unpacks to more than {ratio} times its size"
                ));
            }
        }
        Ok(())
    }

    /// Reads all of a body that is small; a body larger than its maximum is an error.
    pub(super) async fn read_all(mut self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        let mut buffer = [0; 8 * 1024];
        loop {
            match self.read_bytes(&mut buffer).await? {
                0 => return Ok(all),
                read => all.extend_from_slice(&buffer[..read]),
            }
        }
    }
}

fn describe_fault(step: &'static str, error: io::Error) -> Error {
    // Of the body that a gzip stands in.
    let error = match error.downcast::<Error>() {
        Ok(outer) => return outer,
        Err(error) => error,
    };
    let fault = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<BodyFault>());
    match fault {
        Some(fault) => Error::Unavailable {
            step,
            reason: fault.to_string(),
            source: fault.cause(),
        },
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::unavailable(step, "the compressed body was cut off")
        }
        None => Error::contract(step, "the compressed body is damaged"),
    }
}

/// Whether the body was packed for its way. Some servers state the characters' encoding here, or how they have stored the file.
fn is_gzip(headers: &HeaderMap) -> Result<bool, &'static str> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(_), Some(_)) => Err("the body is encoded more than once"),
        (Some(coding), None) => match coding
            .to_str()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "" | "identity" | "utf-8" | "utf8" | "aws-chunked" => Ok(false),
            "gzip" | "x-gzip" => Ok(true),
            _ => Err("the body is encoded in a way that was not asked for"),
        },
    }
}
