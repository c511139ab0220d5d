//! Texts from outside, made fit for a message or a log line.

/// One line: control characters become spaces, and what is longer than `max` bytes is cut.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        // Direction marks could make a line read as another one.
        let hidden =
            c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let c = if hidden { ' ' } else { c };
        if line.len() + c.len_utf8() > max {
            line.push('…');
            break;
        }
        line.push(c);
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_stay_on_one_line_and_short() {
        assert_eq!(line("a\r\nb\u{1b}[31m", 64), "a  b [31m");
        assert_eq!(line(&"é".repeat(10), 5), "éé…");
        assert_eq!(line("safe\u{202e}txt", 64), "safe txt");
    }
}
