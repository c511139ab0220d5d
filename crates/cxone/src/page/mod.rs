//! A page of rows, read as a stream.

mod base64_file;
mod byte_source;
mod chunk;
mod csv;
mod ending;
mod input_buffer;
mod json;
mod scan;

use std::fmt;

use definition::PageToken;
use xxhash_rust::xxh3::Xxh3;

use crate::error::Error;
use ending::PageEnding;

pub(crate) use base64_file::{Base64File, run_failed};
pub(crate) use byte_source::ByteSource;
pub use chunk::{RowChunk, RowDigest};
pub(crate) use csv::{Announced, ColumnNames, CsvPage, FileRules};
pub use ending::PageEnd;
pub(crate) use json::{
    Envelope, JsonPage, OpenedAt, parse_count, parse_field, parse_text_or_number,
};

/// A page that is being read. Memory is bounded by the largest row, whatever the page's size.
pub struct Page {
    rows: RowSource,
    hasher: Box<Xxh3>,
    row_count: u64,
    ended: bool,
}

#[derive(Debug)]
enum RowSource {
    Json(Box<JsonPage<Box<dyn Envelope>>>),
    Csv(Box<CsvPage>),
    Empty(EmptyPage),
}

/// A page without rows: nothing at all, or only where the next page is.
#[derive(Debug)]
struct EmptyPage {
    step: &'static str,
    next: Option<PageToken>,
    total: Option<u64>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("rows", &self.rows)
            .field("row_count", &self.row_count)
            .finish_non_exhaustive()
    }
}

impl Page {
    pub(crate) fn from_json<E: Envelope + 'static>(page: JsonPage<E>) -> Self {
        Self::from_rows(RowSource::Json(Box::new(page.boxed())))
    }

    pub(crate) fn from_csv(page: CsvPage) -> Self {
        Self::from_rows(RowSource::Csv(Box::new(page)))
    }

    /// A page without rows, as the step that asked for it found it.
    pub(crate) fn without_rows(
        step: &'static str,
        next: Option<PageToken>,
        total: Option<u64>,
    ) -> Self {
        Self::from_rows(RowSource::Empty(EmptyPage { step, next, total }))
    }

    fn from_rows(rows: RowSource) -> Self {
        Self {
            rows,
            hasher: Box::default(),
            row_count: 0,
            ended: false,
        }
    }

    /// Replaces the chunk's rows by the next ones, about 256 KiB; `false` when there are no more (and the chunk is empty).
    pub async fn read_rows(&mut self, chunk: &mut RowChunk) -> Result<bool, Error> {
        chunk.clear();
        if self.ended {
            return Ok(false);
        }
        let filled = match &mut self.rows {
            RowSource::Json(page) => page.fill_chunk(chunk).await,
            RowSource::Csv(page) => page.fill_chunk(chunk).await,
            RowSource::Empty(_) => Ok(()),
        };
        if let Err(error) = filled {
            // The rows of a page that is not whole must not be used.
            chunk.clear();
            return Err(error);
        }
        self.ended = chunk.is_empty();
        self.row_count += chunk.len() as u64;
        self.hasher.update(chunk.bytes());
        Ok(!self.ended)
    }

    /// What the page said beside its rows, after all of them were read and everything was checked: that the body was
    /// whole, the run completed, and the page the one that was asked for.
    #[expect(
        clippy::unused_async,
        reason = "the caller awaits a page to its end; what the end takes may change"
    )]
    pub async fn finish(self) -> Result<PageEnd, Error> {
        let step = match &self.rows {
            RowSource::Json(page) => page.step(),
            RowSource::Csv(page) => page.step(),
            RowSource::Empty(page) => page.step,
        };
        if !self.ended {
            return Err(Error::contract(step, "the page was not read to its end"));
        }
        let PageEnding {
            next,
            total,
            summary_rows,
            suspect_records,
            unknown_fields,
        } = match self.rows {
            RowSource::Json(page) => page.conclude()?,
            RowSource::Csv(page) => page.conclude(self.row_count)?,
            RowSource::Empty(EmptyPage { next, total, .. }) => PageEnding {
                next,
                total,
                summary_rows: 0,
                suspect_records: Vec::new(),
                unknown_fields: Vec::new(),
            },
        };
        Ok(PageEnd {
            next,
            total,
            rows: self.row_count,
            digest: RowDigest::from_hasher(&self.hasher),
            summary_rows,
            suspect_records,
            unknown_fields,
        })
    }
}
