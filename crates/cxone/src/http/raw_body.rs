//! The bytes of a body as they come off the wire, given up when they come too slowly.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, future};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio::time::Instant;

use crate::error::IoCause;

/// For how long a body may be slower than the least rate before it is given up.
const SLOW_FOR: Duration = Duration::from_secs(30);

/// Why no more bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyFault {
    #[error("the connection broke off in the middle of the answer")]
    ConnectionLost(#[source] Option<IoCause>),
    #[error("the answer took too long")]
    TimedOut,
    #[error("the answer came too slowly")]
    TooSlow,
}

impl BodyFault {
    pub(super) fn cause(self) -> Option<IoCause> {
        match self {
            Self::ConnectionLost(cause) => cause,
            Self::TimedOut | Self::TooSlow => None,
        }
    }
}

/// Why an answer broke off.
pub(super) fn describe_break(error: &reqwest::Error) -> io::Error {
    io::Error::other(if error.is_timeout() {
        BodyFault::TimedOut
    } else {
        BodyFault::ConnectionLost(IoCause::find(error))
    })
}

pub(super) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The bytes as they come off the wire, counted and timed.
pub(super) struct RawBody {
    chunks: Chunks,
    /// What came last and was not yet read.
    pub(super) current: Bytes,
    /// All bytes so far.
    pub(super) bytes: u64,
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
    pub(super) fn new(chunks: Chunks, min_rate: u64) -> Self {
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
    pub(super) async fn fill(&mut self, wanted: usize) -> io::Result<()> {
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
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(error)),
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
