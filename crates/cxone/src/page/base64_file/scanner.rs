//! Finds the string of a `"file"` in JSON that comes in pieces, and keeps all the rest.

use memchr::{memchr, memchr2};

use super::base64::Base64Decoder;

/// The most that may stand around a file, in bytes.
const MAX_AROUND: usize = 64 * 1024;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum AnswerPosition {
    #[default]
    Outside,
    /// Within another string, and whether a backslash came last.
    Text {
        escaped: bool,
    },
    File,
    /// Within the file behind a backslash, and how many characters behind it.
    Escape,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct FileScanner {
    at: AnswerPosition,
    /// The answer with an empty string in the place of the file.
    around: Vec<u8>,
    escape: Vec<u8>,
    decoder: Base64Decoder,
    files: u32,
}

impl FileScanner {
    /// The answer with an empty string in the place of the file, without a byte order mark.
    pub(super) fn around(&self) -> &[u8] {
        let around = self.around.as_slice();
        around.strip_prefix(b"\xef\xbb\xbf").unwrap_or(around)
    }

    /// How many strings that are files have begun.
    pub(super) fn file_count(&self) -> u32 {
        self.files
    }

    /// Scans a piece of the answer; the part of the file in it is decoded and appended to `file`.
    pub(super) fn scan(&mut self, mut bytes: &[u8], file: &mut Vec<u8>) -> Result<(), String> {
        while !bytes.is_empty() {
            let taken = match self.at {
                AnswerPosition::Outside => self.scan_outside(bytes)?,
                AnswerPosition::Text { escaped } => self.scan_text(bytes, escaped),
                AnswerPosition::File => self.scan_file(bytes, file)?,
                AnswerPosition::Escape => self.scan_escape(bytes[0], file)?,
            };
            bytes = &bytes[taken..];
            if self.around.len() > MAX_AROUND {
                return Err(format!("more than {MAX_AROUND} bytes beside the file"));
            }
        }
        Ok(())
    }

    fn scan_outside(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let Some(quote) = memchr(b'"', bytes) else {
            self.around.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        self.around.extend_from_slice(&bytes[..quote]);
        let is_file = is_value_of_file(&self.around);
        self.around.push(b'"');
        self.at = if is_file {
            self.files += 1;
            AnswerPosition::File
        } else {
            AnswerPosition::Text { escaped: false }
        };
        if self.files > 1 {
            return Err("there is more than one file in the answer".to_owned());
        }
        Ok(quote + 1)
    }

    fn scan_text(&mut self, bytes: &[u8], escaped: bool) -> usize {
        if escaped {
            self.around.push(bytes[0]);
            self.at = AnswerPosition::Text { escaped: false };
            return 1;
        }
        let taken = memchr2(b'"', b'\\', bytes).map_or(bytes.len(), |at| at + 1);
        self.around.extend_from_slice(&bytes[..taken]);
        self.at = match bytes[taken - 1] {
            b'"' => AnswerPosition::Outside,
            b'\\' => AnswerPosition::Text { escaped: true },
            _ => AnswerPosition::Text { escaped: false },
        };
        taken
    }

    fn scan_file(&mut self, bytes: &[u8], file: &mut Vec<u8>) -> Result<usize, String> {
        let end = memchr2(b'"', b'\\', bytes);
        self.decoder
            .decode_piece(&bytes[..end.unwrap_or(bytes.len())], file)?;
        let Some(end) = end else {
            return Ok(bytes.len());
        };
        if bytes[end] == b'"' {
            self.decoder.check_end()?;
            self.around.push(b'"');
            self.at = AnswerPosition::Outside;
        } else {
            self.escape.clear();
            self.at = AnswerPosition::Escape;
        }
        Ok(end + 1)
    }

    /// JSON may write any character of base64 behind a backslash.
    fn scan_escape(&mut self, byte: u8, file: &mut Vec<u8>) -> Result<usize, String> {
        self.escape.push(byte);
        let character = match self.escape.as_slice() {
            [character @ (b'/' | b'"' | b'\\')] => *character,
            [b'r' | b'n' | b't'] => b'\n',
            [b'u'] | [b'u', _] | [b'u', _, _] | [b'u', _, _, _] => return Ok(1),
            [b'u', digits @ ..] => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .unwrap_or(b'?'),
            _ => b'?',
        };
        self.decoder.decode_piece(&[character], file)?;
        self.at = AnswerPosition::File;
        Ok(1)
    }
}

/// Whether a string that begins here is the value of a `"file"`.
fn is_value_of_file(around: &[u8]) -> bool {
    let Some(name) = around.trim_ascii_end().strip_suffix(b":") else {
        return false;
    };
    let Some(before) = name.trim_ascii_end().strip_suffix(b"\"file\"") else {
        return false;
    };
    // A quote behind a backslash does not begin a field's name.
    !before.ends_with(b"\\")
}
