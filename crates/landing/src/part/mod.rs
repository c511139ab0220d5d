//! Parts: data objects under names that nobody else uses, each with a sidecar of its sorted keys.
//!
//! Rows are written in one of the formats of [`format`], compressed with level 1 of gzip or zstd or
//! not at all. While a part is open, memory holds two upload buffers of 5 MiB and the keys of at
//! most 98,304 rows, however many rows come.

mod compress;
mod data;
mod entry;
mod file;
mod format;
mod pick;
mod reader;
mod rewrite;
mod row;
mod rows;
mod set;
mod sidecar;
mod spec;
mod upload;

pub(crate) use entry::{ENTRY_BYTES, Entry};
pub(crate) use format::Cells;
pub(crate) use pick::pick_rows;
pub(crate) use sidecar::find_sidecar;

pub use file::TableFile;
pub use format::RowExport;
pub use rewrite::rewrite;
pub use rows::{ReadPart, RowReader, format_of};
pub use set::PartSet;
pub use spec::{Limits, PartSpec};
