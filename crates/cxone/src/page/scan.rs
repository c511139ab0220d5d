//! Finds where a JSON value ends, and proves on the way that it is JSON.
//!
//! It builds no values: a row goes from the wire to the part as the bytes that were sent, so that only its end has to be
//! found. Everything that RFC 8259 demands of the bytes is checked here except UTF-8, which is cheaper to check for many rows
//! at once.

/// How deep objects and arrays may be nested, as in `serde_json`.
const MAX_DEPTH: u8 = 127;

/// Why the scanner stopped before the end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanStop {
    /// The value goes on beyond the bytes at hand.
    Incomplete,
    /// It is not JSON.
    Bad(&'static str),
}

/// Where a value ends, and whether there is a raw line break between its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) end: usize,
    pub(crate) breaks: bool,
}

/// Scans the value that begins at `from`. A number must be followed by another byte, or it is taken for incomplete.
pub(crate) fn scan_value(bytes: &[u8], from: usize) -> Result<Extent, ScanStop> {
    let mut scanner = JsonScanner {
        bytes,
        at: from,
        breaks: false,
    };
    scanner.skip_value(MAX_DEPTH)?;
    Ok(Extent {
        end: scanner.at,
        breaks: scanner.breaks,
    })
}

/// Scans the object that begins at `from`, where a `{` is.
pub(crate) fn scan_object(bytes: &[u8], from: usize) -> Result<Extent, ScanStop> {
    let mut scanner = JsonScanner {
        bytes,
        at: from + 1,
        breaks: false,
    };
    scanner.skip_object(MAX_DEPTH)?;
    Ok(Extent {
        end: scanner.at,
        breaks: scanner.breaks,
    })
}

/// Scans the string that begins at `from`, and gives the index after its closing quote.
pub(crate) fn scan_string(bytes: &[u8], from: usize) -> Result<usize, ScanStop> {
    let mut scanner = JsonScanner {
        bytes,
        at: from,
        breaks: false,
    };
    scanner.expect_byte(b'"', "a field's name was expected")?;
    scanner.skip_string()?;
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

struct JsonScanner<'a> {
    bytes: &'a [u8],
    at: usize,
    breaks: bool,
}

impl JsonScanner<'_> {
    #[inline]
    fn peek_byte(&self) -> Result<u8, ScanStop> {
        self.bytes.get(self.at).copied().ok_or(ScanStop::Incomplete)
    }

    /// The next byte that is not white space, without taking it.
    #[inline]
    fn peek_token(&mut self) -> Result<u8, ScanStop> {
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
    fn expect_byte(&mut self, byte: u8, what: &'static str) -> Result<(), ScanStop> {
        if self.peek_token()? != byte {
            return Err(ScanStop::Bad(what));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn skip_value(&mut self, depth: u8) -> Result<(), ScanStop> {
        match self.peek_token()? {
            b'"' => {
                self.at += 1;
                self.skip_string()
            }
            b'-' | b'0'..=b'9' => self.skip_number(),
            b'{' => self.skip_nested(depth, Self::skip_object),
            b'[' => self.skip_nested(depth, Self::skip_array),
            b't' => self.skip_literal(b"true"),
            b'f' => self.skip_literal(b"false"),
            b'n' => self.skip_literal(b"null"),
            _ => Err(ScanStop::Bad("a value was expected")),
        }
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
            self.expect_byte(b'"', "a field's name was expected")?;
            self.skip_string()?;
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

    fn skip_literal(&mut self, word: &'static [u8]) -> Result<(), ScanStop> {
        let rest = &self.bytes[self.at..];
        let have = rest.len().min(word.len());
        if rest[..have] != word[..have] {
            return Err(ScanStop::Bad("a value was expected"));
        }
        if have < word.len() {
            return Err(ScanStop::Incomplete);
        }
        self.at += have;
        Ok(())
    }

    #[inline]
    fn skip_digits(&mut self) -> Result<(), ScanStop> {
        if !self.peek_byte()?.is_ascii_digit() {
            return Err(ScanStop::Bad("a digit was expected"));
        }
        while self.peek_byte()?.is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    #[inline]
    fn skip_number(&mut self) -> Result<(), ScanStop> {
        if self.peek_byte()? == b'-' {
            self.at += 1;
        }
        if self.peek_byte()? == b'0' {
            self.at += 1;
        } else {
            self.skip_digits()?;
        }
        if self.peek_byte()? == b'.' {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.peek_byte()?, b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek_byte()?, b'+' | b'-') {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        // A byte that must not follow a number, such as another digit after a zero, is refused by the caller.
        Ok(())
    }

    /// A string from after its opening quote.
    #[inline]
    fn skip_string(&mut self) -> Result<(), ScanStop> {
        loop {
            self.skip_plain_text();
            match self.peek_byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.skip_escape()?,
                _ => return Err(ScanStop::Bad("a control character in a string")),
            }
        }
    }

    /// Goes to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn skip_plain_text(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = ONES * 0x80;
        while let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*eight);
            let quote = word ^ (ONES * 0x22);
            let backslash = word ^ (ONES * 0x5c);
            // A byte's high bit ends up set where the byte was zero (or below 0x20). Borrows may set wrong bits, but only
            // in bytes after the first right one, which is the one that counts.
            let special = (quote.wrapping_sub(ONES) & !quote)
                | (backslash.wrapping_sub(ONES) & !backslash)
                | (word.wrapping_sub(ONES * 0x20) & !word);
            let special = special & HIGHS;
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
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
