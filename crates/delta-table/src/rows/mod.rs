//! Rows of parts as Parquet, one row group after another.

mod buffer;
mod csv;
mod json;
mod misfits;
mod value;
mod writer;

pub use misfits::Tally;
pub use writer::{FileWriter, RowStamp, RowsError, WrittenFile};
