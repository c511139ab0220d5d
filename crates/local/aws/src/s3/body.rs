//! Bodies on their way in and out.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::dto::StreamingBlob;
use tokio::io::AsyncReadExt;

/// How much of a file is read at once.
const PIECE: u64 = 1 << 18;

/// The body of a request, of which one handle can read on what the other one left.
#[derive(Clone)]
pub(super) struct SharedBody(Arc<Mutex<Incoming>>);

impl SharedBody {
    pub(super) fn new(body: Incoming) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// Reads to the end, or until the client gives up.
    pub(super) async fn drain(mut self) {
        while let Some(Ok(_)) = self.frame().await {}
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for SharedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.lock()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().size_hint()
    }
}

/// Reads a file while it is sent, so that memory does not grow with it.
pub(super) fn stream_file(mut file: File, range: Range<u64>) -> io::Result<StreamingBlob> {
    file.seek(SeekFrom::Start(range.start))?;
    let start = (tokio::fs::File::from_std(file), range.end - range.start);
    let pieces = stream::try_unfold(start, |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let size = left.min(PIECE);
        let mut piece = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        file.read_exact(&mut piece).await?;
        Ok(Some((Bytes::from(piece), (file, left - size))))
    });
    Ok(StreamingBlob::wrap(pieces))
}
