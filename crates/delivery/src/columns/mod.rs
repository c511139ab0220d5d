//! What rows have in their columns: counted while they land, summed up in the commit.

mod comparison;
mod counts;
mod report;
mod usual;

pub use comparison::Expected;
pub(crate) use counts::is_zero;
pub use counts::{ColumnCount, ColumnCounts, MAX_COLUMN_NAME, MAX_COLUMNS};
pub use definition::rows::ValueKind;
pub use report::{ChangedColumn, ColumnReport, ColumnRows, NewColumns};
pub use usual::COMPARED_WINDOWS;
