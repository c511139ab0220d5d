//! A page of rows, read as a stream.

mod chunk;
mod csv;
mod envelope;
mod feed;
mod input;
mod json;
mod packed;
mod scan;
#[cfg(test)]
mod tests;

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use crate::error::Error;
use definition::PageToken;

pub use chunk::{RowChunk, RowDigest};
pub(crate) use csv::{Announced, CsvPage};
pub(crate) use feed::Feed;
pub(crate) use json::{JsonPage, Opened, Skip};
pub(crate) use packed::{PackedFile, failed};

/// What a page said beside its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageToken>,
    /// How many rows the whole result has, where the API says so.
    pub total: Option<u64>,
    /// How many rows this page had.
    pub rows: u64,
    /// A hash of the rows, each followed by `\n`, in their order.
    pub digest: RowDigest,
    /// Rows that sum up the others, left out of `rows`: a total at the end of a file.
    pub summary_rows: u64,
    /// Names of the envelope's fields that this crate does not know, sanitised.
    pub unknown_fields: Vec<String>,
}

/// What a page said, without its rows.
struct Said {
    next: Option<PageToken>,
    total: Option<u64>,
    summary_rows: u64,
    unknown_fields: Vec<String>,
}

/// A page that is being read. Memory is bounded by the largest row, whatever the page's size.
pub struct Page {
    source: Source,
    hasher: Box<Xxh3>,
    rows: u64,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    Json(Box<JsonPage>),
    Csv(Box<CsvPage>),
    /// No rows: nothing at all, or only where the next page is.
    Nothing(&'static str, Option<PageToken>, Option<u64>),
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("source", &self.source)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Page {
    pub(crate) fn json(page: JsonPage) -> Self {
        Self::of(Source::Json(Box::new(page)))
    }

    pub(crate) fn csv(page: CsvPage) -> Self {
        Self::of(Source::Csv(Box::new(page)))
    }

    /// A page without rows.
    pub(crate) fn nothing(step: &'static str, next: Option<PageToken>, total: Option<u64>) -> Self {
        Self::of(Source::Nothing(step, next, total))
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            hasher: Box::default(),
            rows: 0,
            ended: false,
        }
    }

    /// Replaces the chunk's rows by the next ones, about 256 KiB; `false` when there are no more (and the chunk is empty).
    pub async fn fill(&mut self, chunk: &mut RowChunk) -> Result<bool, Error> {
        chunk.clear();
        if self.ended {
            return Ok(false);
        }
        let filled = match &mut self.source {
            Source::Json(page) => page.fill(chunk).await,
            Source::Csv(page) => page.fill(chunk).await,
            Source::Nothing(..) => Ok(()),
        };
        if let Err(error) = filled {
            // Rows of a page that breaks off are nobody's business.
            chunk.clear();
            return Err(error);
        }
        self.ended = chunk.is_empty();
        self.rows += chunk.len() as u64;
        self.hasher.update(chunk.bytes());
        Ok(!self.ended)
    }

    /// Says what the page said beside its rows, after all of them were read and everything was checked: that the body
    /// was whole, the run completed, and the page the one that was asked for.
    #[expect(
        clippy::unused_async,
        reason = "the caller awaits a page to its end; what the end takes may change"
    )]
    pub async fn finish(self) -> Result<PageEnd, Error> {
        let step = match &self.source {
            Source::Json(page) => page.step(),
            Source::Csv(page) => page.step(),
            Source::Nothing(step, ..) => step,
        };
        if !self.ended {
            return Err(Error::contract(step, "the page was not read to its end"));
        }
        let Said {
            next,
            total,
            summary_rows,
            unknown_fields,
        } = match self.source {
            Source::Json(page) => page.conclude()?,
            Source::Csv(page) => page.conclude(self.rows)?,
            Source::Nothing(_, next, total) => Said {
                next,
                total,
                summary_rows: 0,
                unknown_fields: Vec::new(),
            },
        };
        Ok(PageEnd {
            next,
            total,
            rows: self.rows,
            digest: RowDigest::of(&self.hasher),
            summary_rows,
            unknown_fields,
        })
    }
}
