//! The body of an answer: decoded, bounded, and not endlessly slow.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_compression::tokio::bufread::GzipDecoder;
use bytes::{Buf, Bytes};
use futures_util::Stream;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING,
};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::Instant;

use super::Limits;
use crate::error::Error;

/// How long a body may be slow before it counts.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that is being read.
pub(crate) struct Body {
    step: &'static str,
    coding: Coding,
    decoded: u64,
    max_decoded: u64,
    limits: Limits,
    framed: bool,
}

enum Coding {
    Plain(Raw),
    Gzip(Box<GzipDecoder<Raw>>),
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
    /// Takes an answer's body, to be decoded here: reqwest's own decoder drops all but the first member of a gzip.
    pub(super) fn of(
        step: &'static str,
        response: reqwest::Response,
        max_decoded: u64,
        limits: Limits,
    ) -> Result<Self, Error> {
        let headers = response.headers();
        let framed =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let gzip = is_gzip(headers).map_err(|what| Error::contract(step, what))?;
        let chunks = Box::pin(response.bytes_stream());
        Ok(Self::new(step, chunks, gzip, framed, max_decoded, limits))
    }

    fn new(
        step: &'static str,
        chunks: Chunks,
        gzip: bool,
        framed: bool,
        max_decoded: u64,
        limits: Limits,
    ) -> Self {
        let raw = Raw::new(chunks, limits.min_rate);
        let coding = if gzip {
            let mut decoder = GzipDecoder::new(raw);
            decoder.multiple_members(true);
            Coding::Gzip(Box::new(decoder))
        } else {
            Coding::Plain(raw)
        };
        Self {
            step,
            coding,
            decoded: 0,
            max_decoded,
            limits,
            framed,
        }
    }

    /// A framed body of these pieces, without a connection; one that is `None` is where the connection breaks off.
    #[cfg(test)]
    pub(crate) fn of_pieces(
        pieces: Vec<Option<Vec<u8>>>,
        gzip: bool,
        max_decoded: u64,
        limits: Limits,
    ) -> Self {
        // What kind of error it is makes no difference, but for a timeout.
        let lost = || reqwest::Proxy::all("no URL").expect_err("it is none");
        let pieces = pieces
            .into_iter()
            .map(move |piece| piece.map(Bytes::from).ok_or_else(lost));
        let chunks = Box::pin(futures_util::stream::iter(pieces));
        Self::new("fuzz", chunks, gzip, true, max_decoded, limits)
    }

    /// Whether the answer said where its body ends, so that a body that was cut off can't look whole.
    pub(crate) fn is_framed(&self) -> bool {
        self.framed
    }

    /// How many bytes were read, after decoding.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Reads some bytes; 0 at the end, which is reached only by a body that is whole.
    pub(crate) async fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let read = match &mut self.coding {
            Coding::Plain(raw) => raw.read(into).await,
            Coding::Gzip(decoder) => decoder.read(into).await,
        };
        let read = read.map_err(|error| self.fault(&error))?;
        self.decoded += read as u64;
        if self.decoded > self.max_decoded {
            return Err(Error::contract(
                self.step,
                format!("the body is larger than {} bytes", self.max_decoded),
            ));
        }
        if let Coding::Gzip(decoder) = &self.coding {
            let raw = decoder.get_ref().bytes;
            if self.decoded > self.limits.ratio_after
                && self.decoded / raw.max(1) > self.limits.ratio
            {
                let ratio = self.limits.ratio;
                return Err(Error::contract(
                    self.step,
                    format!("the body unpacks to more than {ratio} times its size"),
                ));
            }
        }
        Ok(read)
    }

    /// Reads all of a body that is small; one byte too many is an error.
    pub(super) async fn read_all(mut self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        let mut buffer = [0; 8 * 1024];
        loop {
            match self.read(&mut buffer).await? {
                0 => return Ok(all),
                read => all.extend_from_slice(&buffer[..read]),
            }
        }
    }

    fn fault(&self, error: &io::Error) -> Error {
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Broken>())
        {
            Some(broken) => Error::unavailable(self.step, broken.to_string()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Error::unavailable(self.step, "the compressed body was cut off")
            }
            None => Error::contract(self.step, "the compressed body is damaged"),
        }
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, &'static str> {
    let packed_file = headers.get(CONTENT_TYPE).is_some_and(|value| {
        matches!(
            value.to_str().map(str::trim),
            Ok("application/gzip" | "application/x-gzip")
        )
    });
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(packed_file),
        (Some(_), Some(_)) => Err("the body is encoded more than once"),
        (Some(coding), None) => match coding
            .to_str()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "" | "identity" => Ok(packed_file),
            "gzip" | "x-gzip" => Ok(true),
            _ => Err("the body is encoded in a way that was not asked for"),
        },
    }
}

/// Why no more bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection broke off in the middle of the answer")]
    Lost,
    #[error("the answer took too long")]
    TimedOut,
    #[error("the answer came too slowly")]
    TooSlow,
}

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The bytes as they come off the wire, counted and timed.
struct Raw {
    chunks: Chunks,
    current: Bytes,
    /// All bytes so far.
    bytes: u64,
    pace: Pace,
}

/// Only the time spent waiting for the other side counts, not the time that the rows take here.
struct Pace {
    min_rate: u64,
    waiting_since: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl Raw {
    fn new(chunks: Chunks, min_rate: u64) -> Self {
        let pace = Pace {
            min_rate,
            waiting_since: None,
            waited: Duration::ZERO,
            bytes: 0,
        };
        Self {
            chunks,
            current: Bytes::new(),
            bytes: 0,
            pace,
        }
    }
}

impl Pace {
    fn waits(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    /// Counts a chunk; an error if the last half minute of waiting was not worth it.
    fn came(&mut self, bytes: usize) -> Result<(), Broken> {
        self.bytes += bytes as u64;
        let Some(since) = self.waiting_since.take() else {
            return Ok(());
        };
        self.waited += since.elapsed();
        if self.waited < PATIENCE {
            return Ok(());
        }
        let enough = self.bytes >= self.min_rate * self.waited.as_secs();
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        if enough { Ok(()) } else { Err(Broken::TooSlow) }
    }
}

impl AsyncBufRead for Raw {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.current.is_empty() {
            match this.chunks.as_mut().poll_next(cx) {
                Poll::Pending => {
                    this.pace.waits();
                    return Poll::Pending;
                }
                Poll::Ready(None) => break,
                Poll::Ready(Some(Ok(chunk))) => {
                    this.pace.came(chunk.len()).map_err(io::Error::other)?;
                    this.bytes += chunk.len() as u64;
                    this.current = chunk;
                }
                Poll::Ready(Some(Err(error))) => {
                    let broken = if error.is_timeout() {
                        Broken::TimedOut
                    } else {
                        Broken::Lost
                    };
                    return Poll::Ready(Err(io::Error::other(broken)));
                }
            }
        }
        Poll::Ready(Ok(&this.current))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.get_mut().current.advance(amount);
    }
}

impl AsyncRead for Raw {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = available.len().min(into.remaining());
        into.put_slice(&available[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body that comes in pieces of a size, each after a wait, is put up with for two minutes.
    async fn is_put_up_with(bytes: usize, wait: Duration) -> bool {
        let mut pace = Pace {
            min_rate: 1024,
            waiting_since: None,
            waited: Duration::ZERO,
            bytes: 0,
        };
        let pieces = 120 * 1000 / wait.as_millis();
        for _ in 0..pieces {
            pace.waits();
            tokio::time::advance(wait).await;
            // The time between a piece and the wait for the next is ours.
            if pace.came(bytes).is_err() {
                return false;
            }
            tokio::time::advance(Duration::from_secs(5)).await;
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_is_given_up_and_a_slow_stream_with_slow_work_in_between_is_not() {
        assert!(!is_put_up_with(1, Duration::from_millis(60)).await);
        assert!(!is_put_up_with(20 * 1024, Duration::from_secs(29)).await);
        assert!(is_put_up_with(30 * 1024, Duration::from_secs(29)).await);
        assert!(is_put_up_with(2 * 1024, Duration::from_secs(1)).await);
    }
}
