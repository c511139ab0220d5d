//! Finds where a JSON value ends, and proves on the way that it is JSON.
//!
//! It makes no values: a row goes from the wire to the part as the bytes that were sent, so that all there is to do is
//! to find its end. Everything that RFC 8259 asks of the bytes is checked here but UTF-8, which is checked for many rows
//! at once, where it costs next to nothing.

/// How deep objects and arrays may be nested, as in `serde_json`.
const MAX_DEPTH: u8 = 127;

/// Why the scanner stopped before the end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
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
pub(crate) fn value(bytes: &[u8], from: usize) -> Result<Extent, Stop> {
    let mut scanner = Scanner {
        bytes,
        at: from,
        breaks: false,
    };
    scanner.value(MAX_DEPTH)?;
    Ok(Extent {
        end: scanner.at,
        breaks: scanner.breaks,
    })
}

/// Scans the object that begins at `from`, where a `{` is.
pub(crate) fn object(bytes: &[u8], from: usize) -> Result<Extent, Stop> {
    let mut scanner = Scanner {
        bytes,
        at: from + 1,
        breaks: false,
    };
    scanner.object(MAX_DEPTH)?;
    Ok(Extent {
        end: scanner.at,
        breaks: scanner.breaks,
    })
}

/// Scans the string that begins at `from`, and gives the index after its closing quote.
pub(crate) fn string(bytes: &[u8], from: usize) -> Result<usize, Stop> {
    let mut scanner = Scanner {
        bytes,
        at: from,
        breaks: false,
    };
    scanner.expect(b'"', "a field's name was expected")?;
    scanner.string()?;
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

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    breaks: bool,
}

impl Scanner<'_> {
    #[inline]
    fn peek(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// The next byte that is not white space, without taking it.
    #[inline]
    fn token(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = self.peek()?;
            if byte > b' ' {
                return Ok(byte);
            }
            match byte {
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.breaks = true,
                _ => return Err(Stop::Bad("a control character between tokens")),
            }
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Stop> {
        if self.token()? != byte {
            return Err(Stop::Bad(what));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn value(&mut self, depth: u8) -> Result<(), Stop> {
        match self.token()? {
            b'"' => {
                self.at += 1;
                self.string()
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => self.nested(depth, Self::object),
            b'[' => self.nested(depth, Self::array),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(Stop::Bad("a value was expected")),
        }
    }

    fn nested(
        &mut self,
        depth: u8,
        inner: fn(&mut Self, u8) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.at += 1;
        match depth.checked_sub(1) {
            None | Some(0) => Err(Stop::Bad("nested more than 127 deep")),
            Some(depth) => inner(self, depth),
        }
    }

    /// An object from after its opening brace.
    fn object(&mut self, depth: u8) -> Result<(), Stop> {
        if self.token()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.expect(b'"', "a field's name was expected")?;
            self.string()?;
            self.expect(b':', "a colon was expected")?;
            self.value(depth)?;
            let next = self.token()?;
            self.at += 1;
            match next {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(Stop::Bad("a comma or a closing brace was expected")),
            }
        }
    }

    /// An array from after its opening bracket.
    fn array(&mut self, depth: u8) -> Result<(), Stop> {
        if self.token()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            let next = self.token()?;
            self.at += 1;
            match next {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(Stop::Bad("a comma or a closing bracket was expected")),
            }
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), Stop> {
        let rest = &self.bytes[self.at..];
        let have = rest.len().min(word.len());
        if rest[..have] != word[..have] {
            return Err(Stop::Bad("a value was expected"));
        }
        if have < word.len() {
            return Err(Stop::Incomplete);
        }
        self.at += have;
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Stop> {
        if !self.peek()?.is_ascii_digit() {
            return Err(Stop::Bad("a digit was expected"));
        }
        while self.peek()?.is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), Stop> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek()? == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek()?, b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        // What must not follow a number, such as another digit after a zero, is refused by whoever reads on.
        Ok(())
    }

    /// A string from after its opening quote.
    #[inline]
    fn string(&mut self) -> Result<(), Stop> {
        loop {
            self.plain();
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                _ => return Err(Stop::Bad("a control character in a string")),
            }
        }
    }

    /// Goes to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn plain(&mut self) {
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
    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xdc00..=0xdfff => Err(Stop::Bad("a lone surrogate")),
                0xd800..=0xdbff => self.low_surrogate(),
                _ => Ok(()),
            },
            _ => Err(Stop::Bad("an unknown escape")),
        }
    }

    fn low_surrogate(&mut self) -> Result<(), Stop> {
        for expected in *b"\\u" {
            if self.peek()? != expected {
                return Err(Stop::Bad("a lone surrogate"));
            }
            self.at += 1;
        }
        match self.hex4()? {
            0xdc00..=0xdfff => Ok(()),
            _ => Err(Stop::Bad("a lone surrogate")),
        }
    }

    fn hex4(&mut self) -> Result<u32, Stop> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?)
                .to_digit(16)
                .ok_or(Stop::Bad("a hexadecimal digit was expected"))?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
