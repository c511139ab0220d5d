//! The body of an answer: decoded, bounded in size and ratio, and given up when it is too slow.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_compression::tokio::bufread::GzipDecoder;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, future};
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::Instant;

use super::config::Limits;
use crate::error::{Error, IoCause};

/// For how long a body may be slower than the least rate before it is given up.
const SLOW_FOR: Duration = Duration::from_secs(30);
/// The first bytes of a gzip.
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
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
    fn unpack(raw: RawBody) -> Self {
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
        let raw = RawBody::new(chunks, limits.min_rate);
        let coding = if gzip {
            Coding::unpack(raw)
        } else {
            Coding::Plain(raw)
        };
        Self {
            step,
            coding,
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
        let begins = raw.fill(GZIP_MAGIC.len()).await;
        let is_gzip = begins.is_ok() && raw.current.starts_with(GZIP_MAGIC);
        self.coding = if is_gzip {
            Coding::unpack(raw)
        } else {
            Coding::Plain(raw)
        };
        match begins {
            Ok(()) => Ok(self),
            Err(error) => Err(self.describe_fault(&error)),
        }
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
        let read = read.map_err(|error| self.describe_fault(&error))?;
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

    fn describe_fault(&self, error: &io::Error) -> Error {
        let fault = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<BodyFault>());
        match fault {
            Some(fault) => Error::Unavailable {
                step: self.step,
                reason: fault.to_string(),
                source: fault.cause(),
            },
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Error::unavailable(self.step, "the compressed body was cut off")
            }
            None => Error::contract(self.step, "the compressed body is damaged"),
        }
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

/// Why no more bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum BodyFault {
    #[error("the connection broke off in the middle of the answer")]
    ConnectionLost(#[source] Option<IoCause>),
    #[error("the answer took too long")]
    TimedOut,
    #[error("the answer came too slowly")]
    TooSlow,
}

impl BodyFault {
    fn cause(self) -> Option<IoCause> {
        match self {
            Self::ConnectionLost(cause) => cause,
            Self::TimedOut | Self::TooSlow => None,
        }
    }
}

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The bytes as they come off the wire, counted and timed.
struct RawBody {
    chunks: Chunks,
    current: Bytes,
    /// All bytes so far.
    bytes: u64,
    rate: TransferRate,
}

/// How fast the other side sends. Only the time spent waiting for it counts, not the time that the rows take here.
struct TransferRate {
    min_rate: u64,
    waiting_since: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl RawBody {
    fn new(chunks: Chunks, min_rate: u64) -> Self {
        let rate = TransferRate {
            min_rate,
            waiting_since: None,
            waited: Duration::ZERO,
            bytes: 0,
        };
        Self {
            chunks,
            current: Bytes::new(),
            bytes: 0,
            rate,
        }
    }
}

impl TransferRate {
    fn start_wait(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    /// Counts a chunk; an error if the last half minute of waiting brought less than the least rate.
    fn count_chunk(&mut self, bytes: usize) -> Result<(), BodyFault> {
        self.bytes += bytes as u64;
        let Some(since) = self.waiting_since.take() else {
            return Ok(());
        };
        self.waited += since.elapsed();
        if self.waited < SLOW_FOR {
            return Ok(());
        }
        let enough = self.bytes >= self.min_rate * self.waited.as_secs();
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        if enough {
            Ok(())
        } else {
            Err(BodyFault::TooSlow)
        }
    }
}

impl RawBody {
    /// Waits until this many bytes are at hand, or the body has ended.
    async fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.current.len() < wanted {
            let Some(chunk) = future::poll_fn(|cx| self.poll_chunk(cx)).await? else {
                break;
            };
            let mut joined = BytesMut::from(&self.current[..]);
            joined.extend_from_slice(&chunk);
            self.current = joined.freeze();
        }
        Ok(())
    }

    /// The next chunk; `None` at the end.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        match self.chunks.as_mut().poll_next(cx) {
            Poll::Pending => {
                self.rate.start_wait();
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Ok(None)),
            Poll::Ready(Some(Ok(chunk))) => {
                self.rate
                    .count_chunk(chunk.len())
                    .map_err(io::Error::other)?;
                self.bytes += chunk.len() as u64;
                Poll::Ready(Ok(Some(chunk)))
            }
            Poll::Ready(Some(Err(error))) => {
                let fault = if error.is_timeout() {
                    BodyFault::TimedOut
                } else {
                    BodyFault::ConnectionLost(IoCause::find(&error))
                };
                Poll::Ready(Err(io::Error::other(fault)))
            }
        }
    }
}

impl AsyncBufRead for RawBody {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.current.is_empty() {
            match ready!(this.poll_chunk(cx))? {
                Some(chunk) => this.current = chunk,
                None => break,
            }
        }
        Poll::Ready(Ok(&this.current))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.get_mut().current.advance(amount);
    }
}

impl AsyncRead for RawBody {
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

    /// Whether a body that comes in pieces of a size, each after a wait, is tolerated for two minutes.
    async fn is_tolerated(bytes: usize, wait: Duration) -> bool {
        let mut rate = TransferRate {
            min_rate: 1024,
            waiting_since: None,
            waited: Duration::ZERO,
            bytes: 0,
        };
        let pieces = 120 * 1000 / wait.as_millis();
        for _ in 0..pieces {
            rate.start_wait();
            tokio::time::advance(wait).await;
            // The time between a piece and the wait for the next is ours.
            if rate.count_chunk(bytes).is_err() {
                return false;
            }
            tokio::time::advance(Duration::from_secs(5)).await;
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_is_given_up_and_a_slow_stream_with_slow_work_in_between_is_not() {
        assert!(!is_tolerated(1, Duration::from_millis(60)).await);
        assert!(!is_tolerated(20 * 1024, Duration::from_secs(29)).await);
        assert!(is_tolerated(30 * 1024, Duration::from_secs(29)).await);
        assert!(is_tolerated(2 * 1024, Duration::from_secs(1)).await);
    }
}
