//! Tables and lines that fit a terminal.

/// Where a column's texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lines with columns that are as wide as their longest text, two spaces apart. No line ends in spaces, and none is longer
/// than the width.
pub(crate) fn lay_out(rows: &[Vec<String>], align: &[Align], width: Option<usize>) -> Vec<String> {
    let widths: Vec<usize> = (0..align.len())
        .map(|column| {
            let texts = rows.iter().filter_map(|row| row.get(column));
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(align.iter().zip(&widths));
        let cells: Vec<String> = cells
            .map(|(text, (align, width))| match align {
                Align::Left => format!("{text:<width$}"),
                Align::Right => format!("{text:>width$}"),
            })
            .collect();
        cut(cells.join("  ").trim_end(), width)
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

/// A text in lines that are no longer than the width, each but the first behind an indent. A word that is longer stays whole.
pub(crate) fn wrap(text: &str, indent: usize, width: Option<usize>) -> Vec<String> {
    let width = width.unwrap_or(usize::MAX);
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last_mut().map(|line| line.chars().count());
        let length = word.trim_end().chars().count();
        if line.is_some_and(|line| line > indent && line + length > width) {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
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
            lay_out(&rows, &align, None),
            ["a         1", "long  1,000  end"]
        );
        assert_eq!(
            lay_out(&rows, &align, Some(10)),
            ["a        …", "long  1,0…"]
        );
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
