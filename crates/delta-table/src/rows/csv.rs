//! The cells of a CSV record, as the parts have it: an empty cell is null, and `""` is the empty text.

use std::borrow::Cow;

use super::value::Given;

/// The cells of a record; it may have its line end.
pub(super) fn read_cells(record: &str) -> Vec<Given<'_>> {
    let record = record.strip_suffix('\n').unwrap_or(record);
    let mut is_quoted = false;
    // A quote inside a quoted cell is doubled, so that each one opens or closes.
    let cells = record.split(|c: char| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    cells.map(read_cell).collect()
}

fn read_cell(cell: &str) -> Given<'_> {
    let quoted = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'));
    match quoted {
        Some(text) if text.contains('"') => Given::Text(Cow::Owned(text.replace("\"\"", "\""))),
        Some(text) => Given::Text(Cow::Borrowed(text)),
        None if cell.is_empty() => Given::Null,
        None => Given::Text(Cow::Borrowed(cell)),
    }
}
