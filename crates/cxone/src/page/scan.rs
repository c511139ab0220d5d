//! Finds where a JSON value ends, and proves on the way that it is JSON.
//!
//! It builds no values: a row goes from the wire to the part as the bytes that were sent, so that only its end has to be
//! found. Everything that RFC 8259 demands of the bytes is checked here except UTF-8, which is cheaper to check for many rows
//! at once.

use definition::rows::ValueKind;

/// How deep objects and arrays may be nested, as in `serde_json`.
pub(super) const MAX_DEPTH: u8 = 127;

/// Why the scanner stopped before the end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanStop {
    /// The value goes on beyond the bytes at hand.
    Incomplete,
    /// It is not JSON.
    Bad(&'static str),
}

/// Scans the value that begins at `from`, and gives the index after it. A number must be followed by another byte, or it is taken
/// for incomplete.
pub(crate) fn scan_value(bytes: &[u8], from: usize) -> Result<usize, ScanStop> {
    let mut scanner = JsonScanner::new(bytes, from);
    scanner.skip_value(MAX_DEPTH)?;
    Ok(scanner.at)
}

/// Scans the string that begins at `from`, and gives the index after its closing quote.
pub(crate) fn scan_string(bytes: &[u8], from: usize) -> Result<usize, ScanStop> {
    let mut scanner = JsonScanner::new(bytes, from);
    scanner.skip_name()?;
    Ok(scanner.at)
}

/// The index of the first byte that is not white space, or the length.
pub(crate) fn skip_space(bytes: &[u8], from: usize) -> usize {
    let space = bytes[from..]
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t'))
        .count();
    from + space
}

/// Goes from token to token.
pub(super) struct JsonScanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether there was a raw line break between tokens.
    pub(super) breaks: bool,
}

impl<'a> JsonScanner<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            breaks: false,
        }
    }

    /// The name of a member, with its quotes.
    #[inline]
    pub(super) fn skip_name(&mut self) -> Result<(), ScanStop> {
        self.expect_byte(b'"', "a field's name was expected")?;
        self.skip_string()?;
        Ok(())
    }

    #[inline]
    fn peek_byte(&self) -> Result<u8, ScanStop> {
        self.bytes.get(self.at).copied().ok_or(ScanStop::Incomplete)
    }

    /// The next byte that is not white space, without taking it.
    #[inline]
    pub(super) fn peek_token(&mut self) -> Result<u8, ScanStop> {
        loop {
            let byte = self.peek_byte()?;
            if byte > b' ' {
                return Ok(byte);
            }
            match byte {
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.breaks = true,
                _ => return Err(ScanStop::Bad("a control character between tokens")),
            }
            self.at += 1;
        }
    }

    #[inline]
    pub(super) fn expect_byte(&mut self, byte: u8, what: &'static str) -> Result<(), ScanStop> {
        if self.peek_token()? != byte {
            return Err(ScanStop::Bad(what));
        }
        self.at += 1;
        Ok(())
    }

    /// A value that is at most so deep; says what it is, and whether it is a string with escapes.
    #[inline]
    pub(super) fn skip_value(&mut self, depth: u8) -> Result<(ValueKind, bool), ScanStop> {
        let kind = match self.peek_token()? {
            b'"' => {
                self.at += 1;
                return Ok((ValueKind::Text, self.skip_string()?));
            }
            b'-' | b'0'..=b'9' => return Ok((self.skip_number()?, false)),
            b'{' => {
                self.skip_nested(depth, Self::skip_object)?;
                ValueKind::Object
            }
            b'[' => {
                self.skip_nested(depth, Self::skip_array)?;
                ValueKind::List
            }
            b't' => self.skip_literal(b"true", ValueKind::Boolean)?,
            b'f' => self.skip_literal(b"false", ValueKind::Boolean)?,
            b'n' => self.skip_literal(b"null", ValueKind::Null)?,
            _ => return Err(ScanStop::Bad("a value was expected")),
        };
        Ok((kind, false))
    }

    fn skip_nested(
        &mut self,
        depth: u8,
        inner: fn(&mut Self, u8) -> Result<(), ScanStop>,
    ) -> Result<(), ScanStop> {
        self.at += 1;
        match depth.checked_sub(1) {
            None | Some(0) => Err(ScanStop::Bad("nested more than 127 deep")),
            Some(depth) => inner(self, depth),
        }
    }

    /// An object from after its opening brace.
    fn skip_object(&mut self, depth: u8) -> Result<(), ScanStop> {
        if self.peek_token()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_name()?;
            self.expect_byte(b':', "a colon was expected")?;
            self.skip_value(depth)?;
            let next = self.peek_token()?;
            self.at += 1;
            match next {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(ScanStop::Bad("a comma or a closing brace was expected")),
            }
        }
    }

    /// An array from after its opening bracket.
    fn skip_array(&mut self, depth: u8) -> Result<(), ScanStop> {
        if self.peek_token()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_value(depth)?;
            let next = self.peek_token()?;
            self.at += 1;
            match next {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(ScanStop::Bad("a comma or a closing bracket was expected")),
            }
        }
    }

    fn skip_literal(&mut self, word: &[u8], kind: ValueKind) -> Result<ValueKind, ScanStop> {
        let rest = &self.bytes[self.at..];
        let have = rest.len().min(word.len());
        if rest[..have] != word[..have] {
            return Err(ScanStop::Bad("a value was expected"));
        }
        if have < word.len() {
            return Err(ScanStop::Incomplete);
        }
        self.at += have;
        Ok(kind)
    }

    #[inline]
    fn skip_digits(&mut self) -> Result<(), ScanStop> {
        let first = self.at;
        while let Some(eight) = self.next_eight() {
            let digits = digits_in(eight);
            self.at += digits;
            if digits < 8 {
                break;
            }
        }
        while self.peek_byte()?.is_ascii_digit() {
            self.at += 1;
        }
        if self.at == first {
            return Err(ScanStop::Bad("a digit was expected"));
        }
        Ok(())
    }

    #[inline]
    fn skip_number(&mut self) -> Result<ValueKind, ScanStop> {
        let mut kind = ValueKind::Integer;
        if self.peek_byte()? == b'-' {
            self.at += 1;
        }
        if self.peek_byte()? == b'0' {
            self.at += 1;
        } else {
            self.skip_digits()?;
        }
        if self.peek_byte()? == b'.' {
            kind = ValueKind::Decimal;
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.peek_byte()?, b'e' | b'E') {
            kind = ValueKind::Decimal;
            self.at += 1;
            if matches!(self.peek_byte()?, b'+' | b'-') {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        // A byte that must not follow a number, such as another digit after a zero, is refused by the caller.
        Ok(kind)
    }

    /// A string from after its opening quote; says whether it has escapes.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, ScanStop> {
        let mut has_escapes = false;
        loop {
            self.skip_plain_text();
            match self.peek_byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                b'\\' => {
                    has_escapes = true;
                    self.skip_escape()?;
                }
                _ => return Err(ScanStop::Bad("a control character in a string")),
            }
        }
    }

    #[inline]
    fn next_eight(&self) -> Option<u64> {
        let eight = self.bytes.get(self.at..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*eight))
    }

    /// Goes to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn skip_plain_text(&mut self) {
        while let Some(eight) = self.next_eight() {
            let plain = plain_text_in(eight);
            self.at += plain;
            if plain < 8 {
                return;
            }
        }
        while self
            .bytes
            .get(self.at)
            .is_some_and(|b| *b >= b' ' && *b != b'"' && *b != b'\\')
        {
            self.at += 1;
        }
    }

    /// An escape, from its backslash on.
    fn skip_escape(&mut self) -> Result<(), ScanStop> {
        self.at += 1;
        let kind = self.peek_byte()?;
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.parse_hex4()? {
                0xdc00..=0xdfff => Err(ScanStop::Bad("a lone surrogate")),
                0xd800..=0xdbff => self.skip_low_surrogate(),
                _ => Ok(()),
            },
            _ => Err(ScanStop::Bad("an unknown escape")),
        }
    }

    fn skip_low_surrogate(&mut self) -> Result<(), ScanStop> {
        for expected in *b"\\u" {
            if self.peek_byte()? != expected {
                return Err(ScanStop::Bad("a lone surrogate"));
            }
            self.at += 1;
        }
        match self.parse_hex4()? {
            0xdc00..=0xdfff => Ok(()),
            _ => Err(ScanStop::Bad("a lone surrogate")),
        }
    }

    fn parse_hex4(&mut self) -> Result<u32, ScanStop> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek_byte()?)
                .to_digit(16)
                .ok_or(ScanStop::Bad("a hexadecimal digit was expected"))?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES * 0x80;

/// How many of eight bytes come before the first quote, backslash or control character.
#[inline]
const fn plain_text_in(word: u64) -> usize {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    // A byte's high bit ends up set where the byte was zero (or below 0x20). Borrows may set wrong bits, but only in bytes after the
    // first right one, which is the one that counts.
    let special = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    (special & HIGHS).trailing_zeros() as usize / 8
}

/// How many of eight bytes come before the first that is no digit.
#[inline]
const fn digits_in(word: u64) -> usize {
    // A digit is 0 to 9 now, so that adding 0x76 leaves its high bit unset. Carries come from bytes that are no digits, and go into
    // bytes after them.
    let values = word ^ (ONES * 0x30);
    let others = values.wrapping_add(ONES * 0x76) | values;
    (others & HIGHS).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eight_bytes_are_looked_at_as_one_by_one_would_be(
            bytes in prop::array::uniform8(prop_oneof![b'0'..=b'9', any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'a')])
        ) {
            let word = u64::from_le_bytes(bytes);
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
            prop_assert_eq!(digits_in(word), digits.count());
            let plain = bytes.iter().take_while(|byte| **byte >= b' ' && !b"\"\\".contains(byte));
            prop_assert_eq!(plain_text_in(word), plain.count());
        }
    }
}
