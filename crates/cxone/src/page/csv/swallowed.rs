//! Finds records that may have swallowed others. By RFC 4180 a quoted cell may have lines, so that such a file can't be refused.

use memchr::{memchr_iter, memchr2};

/// Whether a quoted cell of this record reads like records of the file: it has several lines, and each of them, together with the
/// other cells in the line where it begins and in the one where it ends, has as many commas as the header. So it looks where an
/// opening quote was never closed and the next quote, some records later, happens to end a cell.
pub(super) fn may_hold_records(record: &[u8], ends: &[usize]) -> bool {
    // With one column, every text of several lines would look like that.
    if ends.len() < 2 || memchr2(b'\n', b'\r', record).is_none() {
        return false;
    }
    let commas = ends.len() - 1;
    let starts = [0].into_iter().chain(ends.iter().copied());
    let mut cells = starts.zip(ends).enumerate();
    cells.any(|(before, (start, end))| reads_like_records(&record[start..*end], before, commas))
}

/// `before` is how many commas stand before the cell, and `commas` how many a record has.
fn reads_like_records(cell: &[u8], before: usize, commas: usize) -> bool {
    let count = |line: &[u8]| memchr_iter(b',', line).count();
    let mut lines = cell.split(|byte| matches!(byte, b'\n' | b'\r'));
    let (Some(first), Some(last)) = (lines.next(), lines.next_back()) else {
        return false;
    };
    before + count(first) == commas
        && count(last) == before
        && lines
            .filter(|line| !line.is_empty())
            .all(|line| count(line) == commas)
}

#[cfg(test)]
mod tests {
    use super::may_hold_records;

    fn check(cells: &[&str], expected: bool) {
        let mut ends = Vec::new();
        let mut record = String::new();
        for cell in cells {
            record.push_str(cell);
            ends.push(record.len());
        }
        assert_eq!(
            may_hold_records(record.as_bytes(), &ends),
            expected,
            "{cells:?}"
        );
    }

    #[test]
    fn a_cell_whose_lines_are_like_the_files_own_is_suspected() {
        for cells in [
            &["1", "needs call back,a\n2,plain,b\n3,pipe 5", "c"][..],
            &["1", "needs call back,a\r\n2,plain,b\r\n\r\n3,pipe 5", "c"],
            &["1", "needs call back,a\r\r\n3,pipe 5", "c"],
            &["1", "needs call back\n2,plain\n3,pipe 5"],
            &["1", "Smith, Ann", "to call\n2,,"],
            &["needs call back,x,y\nlast", "b", "c"],
            &["1", "x", "open\n2,y,"],
        ] {
            check(cells, true);
        }
    }

    #[test]
    fn prose_of_several_lines_is_not() {
        for cells in [
            &["1", "one line, two commas, here", "c"][..],
            &["1", "first\nsecond", "c"],
            &["1", "Dear Ann,\nthanks,\nBob", "c"],
            &["1", "12 Main St, Springfield\nUSA", "c"],
            &["a\nb"],
            &["1", "a\n", ""],
            &["1", "", ""],
        ] {
            check(cells, false);
        }
    }
}
