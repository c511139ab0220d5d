//! Texts for a message or a log line: those from outside made fit, and lists and numbers written out.

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

/// The most that is quoted of a text, in characters.
const QUOTED_CHARS: usize = 80;

/// A text in quotation marks, for a sentence about it: without control characters, what is invisible escaped, and at
/// most 80 characters of it. Spaces at its ends stay, because they may be what is wrong with it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut rest = without_controls(text);
    let mut kept: String = rest.by_ref().take(QUOTED_CHARS).collect();
    if rest.next().is_some() {
        kept.push('…');
    }
    format!("{kept:?}")
}

/// The first of several names, and how many more there are: `a, b and 3 more`.
#[must_use]
pub fn list_first(names: &[String], most: usize) -> String {
    let (first, rest) = names.split_at(names.len().min(most));
    let first = first.join(", ");
    match rest.len() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `1 page`, `2 pages`.
#[must_use]
pub fn count_of(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `1 row`, `2,000 rows`.
#[must_use]
pub fn count_rows(rows: u64) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{} {noun}", group_thousands(rows))
}

/// A number with commas between the thousands.
#[must_use]
pub fn group_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The most that is kept of a detail, in bytes.
pub const DETAIL_BYTES: usize = 500;

/// The most that is kept of the name of a run's state, in characters.
pub const STATE_CHARS: usize = 40;

/// What an API said, fit for a stored object, a log line and a message to a person: without control
/// characters, and at most [`DETAIL_BYTES`] of it.
#[must_use]
pub fn clean_detail(text: &str) -> String {
    let mut kept = String::new();
    for c in without_controls(text) {
        if kept.len() + c.len_utf8() > DETAIL_BYTES {
            break;
        }
        kept.push(c);
    }
    kept
}

/// An API's own name for the state of a run, fit for a message: without control characters, and at
/// most [`STATE_CHARS`] of it.
#[must_use]
pub fn clean_state(text: &str) -> String {
    without_controls(text).take(STATE_CHARS).collect()
}

fn without_controls(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control())
}

/// Whether a text contains one of these, in whatever case.
#[must_use]
pub fn contains_any(text: &str, parts: &[String]) -> bool {
    let text = text.to_lowercase();
    parts.iter().any(|part| text.contains(&part.to_lowercase()))
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

    #[test]
    fn a_quoted_text_keeps_its_spaces_and_nothing_invisible() {
        assert_eq!(quote(" a\r\nb "), "\" ab \"");
        assert_eq!(quote("safe\u{202e}txt"), "\"safe\\u{202e}txt\"");
        assert_eq!(quote(&"é".repeat(80)), format!("{:?}", "é".repeat(80)));
        assert_eq!(quote(&"é".repeat(81)), format!("\"{}…\"", "é".repeat(80)));
    }

    #[test]
    fn names_beyond_the_first_few_are_counted() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list_first(&[], 2), "");
        assert_eq!(list_first(&names, 2), "a, b and 1 more");
        assert_eq!(list_first(&names, 3), "a, b, c");
    }

    #[test]
    fn thousands_are_set_apart() {
        let numbers = [0, 7, 999, 1_000, 41_310, 1_234_567];
        let texts = ["0", "7", "999", "1,000", "41,310", "1,234,567"];
        assert_eq!(numbers.map(group_thousands), texts);
    }

    #[test]
    fn details_and_states_lose_their_control_characters_and_are_cut_between_characters() {
        let hostile = "\u{1b}[31mé".repeat(1000);
        let detail = clean_detail(&hostile);
        assert!(detail.len() <= DETAIL_BYTES && detail.starts_with("[31mé"));
        assert!(!detail.chars().any(char::is_control));
        assert_eq!(clean_detail("plain ☎"), "plain ☎");
        let state = clean_state(&hostile);
        assert_eq!(state.chars().count(), STATE_CHARS);
        assert!(!state.chars().any(char::is_control));
    }
}
