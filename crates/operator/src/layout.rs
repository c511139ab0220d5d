//! Tables and lines that fit a terminal.

/// Where a column's texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lines with columns that are as wide as their longest text, two spaces apart. No line ends in spaces, and none is longer
/// than the width: where they don't fit, those columns are left out that can be spared, the first of these first.
pub(crate) fn lay_out(
    rows: &[Vec<String>],
    align: &[Align],
    spare: &[usize],
    width: Option<usize>,
) -> Vec<String> {
    let mut columns: Vec<usize> = (0..align.len()).collect();
    let mut spare = spare.iter();
    loop {
        let lines = lay_out_columns(rows, align, &columns);
        let is_too_long = |line: &String| width.is_some_and(|it| line.chars().count() > it);
        match spare.next() {
            Some(spared) if lines.iter().any(is_too_long) => columns.retain(|it| it != spared),
            _ => return lines.iter().map(|line| cut(line, width)).collect(),
        }
    }
}

fn lay_out_columns(rows: &[Vec<String>], align: &[Align], columns: &[usize]) -> Vec<String> {
    let width_of = |column: usize| {
        let texts = rows.iter().filter_map(|row| row.get(column));
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(|column| width_of(*column)).collect();
    let lines = rows.iter().map(|row| {
        let cells = columns.iter().zip(&widths).map(|(column, width)| {
            let text = row.get(*column).map_or("", String::as_str);
            match align[*column] {
                Align::Left => format!("{text:<width$}"),
                Align::Right => format!("{text:>width$}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect()
}

/// A line that is no longer than the width.
pub(crate) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => {
            let mut kept: String = line.chars().take(width.saturating_sub(1)).collect();
            kept.push('…');
            kept
        }
        _ => line.to_owned(),
    }
}

/// What stands before a label's text, at most so many characters.
const LABEL_MAX: usize = 14;

/// A line as several, if the terminal is narrower. What is to be copied stays whole.
pub(crate) fn fit_line(line: &str, width: Option<usize>) -> Vec<String> {
    let text = line.trim_start();
    let is_to_copy = ["cxr ", "aws "].iter().any(|word| text.starts_with(word));
    if is_to_copy || width.is_none_or(|width| line.chars().count() <= width) {
        return vec![line.to_owned()];
    }
    // Below the text of a label, or a little further in than the line.
    let label = text.find("  ").filter(|_| text.len() == line.len());
    let after = label.map(|end| end + text[end..].len() - text[end..].trim_start().len());
    let begins = line.len() - text.len();
    let indent = after.filter(|it| *it <= LABEL_MAX).unwrap_or(begins + 4);
    wrap(line, indent, width)
}

/// A text in lines that are no longer than the width, each but the first behind an indent. A word that is longer stays whole.
pub(crate) fn wrap(text: &str, indent: usize, width: Option<usize>) -> Vec<String> {
    wrap_pieces(text.split_inclusive(' '), indent, width)
}

/// Pieces of text one after another, in lines as those of [`wrap`]. No piece is divided.
pub(crate) fn wrap_pieces<'t>(
    pieces: impl IntoIterator<Item = &'t str>,
    indent: usize,
    width: Option<usize>,
) -> Vec<String> {
    let width = width.unwrap_or(usize::MAX);
    let mut lines = vec![String::new()];
    for piece in pieces {
        let line = lines.last_mut().map(|line| line.chars().count());
        let length = piece.trim_end().chars().count();
        if line.is_some_and(|line| line > indent && line + length > width) {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(piece);
        }
    }
    let lines = lines.iter();
    lines.map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_text_and_lines_fit() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned(), String::new()],
            vec!["long".to_owned(), "1,000".to_owned(), "end".to_owned()],
        ];
        let align = [Align::Left, Align::Right, Align::Left];
        assert_eq!(
            lay_out(&rows, &align, &[], None),
            ["a         1", "long  1,000  end"]
        );
        assert_eq!(
            lay_out(&rows, &align, &[], Some(10)),
            ["a        …", "long  1,0…"]
        );
        assert_eq!(
            lay_out(&rows, &align, &[1, 0], Some(10)),
            ["a", "long  end"]
        );
        let narrow = lay_out(&rows, &align, &[1, 0], Some(2));
        assert_eq!(narrow, ["", "e…"], "what can't be spared is cut");
    }

    #[test]
    fn a_text_is_wrapped_between_words() {
        let text = "one two three fourteen-long";
        assert_eq!(
            wrap(text, 2, Some(9)),
            ["one two", "  three", "  fourteen-long"]
        );
        assert_eq!(wrap(text, 2, None), [text]);
    }
}
