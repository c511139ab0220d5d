//! Where values end, looked for eight bytes at a time.

use delivery::columns::ValueKind;
use memchr::memchr2;

use super::malformed::Malformed;

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[inline]
pub(super) fn skip_space(lines: &[u8], mut at: usize) -> usize {
    while lines.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

/// The row up to its line end, which is the next thing that is not a space.
pub(super) fn row_end(lines: &[u8], at: usize) -> Result<&[u8], Malformed> {
    let end = skip_space(lines, at);
    match lines.get(end) {
        None | Some(b'\n') => Ok(&lines[..end]),
        Some(_) => Err(Malformed::NotAnObject),
    }
}

/// Where the value that begins here ends, whether it is a string with escapes, and what it is.
#[inline]
pub(super) fn value_end(lines: &[u8], start: usize) -> Option<(usize, bool, ValueKind)> {
    match lines.get(start)? {
        b'"' => {
            let (end, escaped) = string_end(lines, start + 1)?;
            Some((end, escaped, ValueKind::Text))
        }
        b'{' => Some((nested_end(lines, start)?, false, ValueKind::Object)),
        b'[' => Some((nested_end(lines, start)?, false, ValueKind::List)),
        first => {
            let length = lines[start..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n') || is_space(*byte))?;
            let scalar = &lines[start..start + length];
            let has_fraction = scalar.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
            (length > 0).then_some((start + length, false, scalar_kind(*first, has_fraction)))
        }
    }
}

/// What a number or literal is that begins with this byte.
#[inline]
fn scalar_kind(first: u8, has_fraction: bool) -> ValueKind {
    match first {
        b'n' => ValueKind::Null,
        b't' | b'f' => ValueKind::Boolean,
        _ if has_fraction => ValueKind::Decimal,
        _ => ValueKind::Integer,
    }
}

/// Behind the closing quote of the string whose text begins here.
#[inline]
pub(super) fn string_end(lines: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += quote_or_backslash(&lines[at..])?;
        if lines[at] == b'"' {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at = (at + 2).min(lines.len());
    }
}

/// Most strings are shorter than it takes to set a vector search up: the first
/// sixteen bytes are looked at eight at a time.
#[inline]
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    for (nth, word) in words.iter().take(2).enumerate() {
        let found = matches_in(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(nth * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let looked_at = words.len().min(2) * 8;
    memchr2(b'"', b'\\', &text[looked_at..]).map(|at| looked_at + at)
}

/// The end of a number or literal that a comma or a closing brace follows at once, and what it is.
#[inline]
pub(super) fn scalar_end(lines: &[u8], start: usize) -> Option<(usize, ValueKind)> {
    let text = &lines[start..];
    let (words, _) = text.as_chunks::<8>();
    let mut has_fraction = false;
    for (nth, word) in words.iter().take(4).enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ eight(b',')) | zero_bytes(word ^ eight(b'}')) | bytes_to_space(word);
        let fraction = point_or_exponent(word);
        if found != 0 {
            // The lowest bit alone is exact, so that a point counts if its bit is below that of the end.
            has_fraction |= fraction & (found - 1) & !found != 0;
            let length = nth * 8 + found.trailing_zeros() as usize / 8;
            let is_scalar = length > 0 && text[length] > b' ';
            return is_scalar.then(|| (start + length, scalar_kind(text[0], has_fraction)));
        }
        has_fraction |= fraction != 0;
    }
    None
}

/// The high bit of the first byte that is a point or begins an exponent; bits above it mean nothing.
#[inline]
const fn point_or_exponent(word: u64) -> u64 {
    let lower_case = word | eight(0x20);
    zero_bytes(word ^ eight(b'.')) | zero_bytes(lower_case ^ eight(b'e'))
}

/// A word of eight such bytes.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of the first byte that is zero; bits above it mean nothing.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(eight(1)) & !word & eight(0x80)
}

/// The high bit of the first byte that is a space or less; bits above it mean nothing.
#[inline]
const fn bytes_to_space(word: u64) -> u64 {
    word.wrapping_sub(eight(b' ' + 1)) & !word & eight(0x80)
}

/// The high bit of the first byte that is a quote or a backslash; bits above it mean nothing.
#[inline]
fn matches_in(word: u64) -> u64 {
    zero_bytes(word ^ eight(b'"')) | zero_bytes(word ^ eight(b'\\'))
}

/// Behind the bracket that closes the one here.
pub(super) fn nested_end(lines: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match lines.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                (at, _) = string_end(lines, at + 1)?;
                continue;
            }
            b'\n' => return None,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_quote_or_backslash_is_found(text in prop::collection::vec(
            prop::sample::select(b"aaaaaa!#[]\xa2\xdc\x00\xff\"\\".to_vec()), 0..40)) {
            let expected = text.iter().position(|b| matches!(b, b'"' | b'\\'));
            prop_assert_eq!(quote_or_backslash(&text), expected);
        }

        #[test]
        fn a_scalar_ends_before_its_comma_or_brace(
            text in prop::collection::vec(prop::sample::select(b"11111111eE+-.nul,} \n\t".to_vec()), 0..48)
        ) {
            let end = text.iter().position(|byte| matches!(byte, b',' | b'}' | 0..=b' '));
            let expected = end.filter(|end| *end > 0 && text[*end] > b' ');
            // Long ones, and those at the end of the text, are left to the slower way.
            let found = scalar_end(&text, 0);
            let end_found = found.map(|(end, _)| end);
            prop_assert!(end_found == expected || found.is_none() && end.is_none_or(|end| end >= 8 * (text.len() / 8).min(4)));
            if let Some((end, kind)) = found {
                // The slower way says the same of what it is.
                prop_assert_eq!(value_end(&text, 0), Some((end, false, kind)));
            }
        }
    }
}
