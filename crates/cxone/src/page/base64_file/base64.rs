//! Base64 that comes in pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decodes the pieces of a text, four characters at a time.
///
/// Line breaks between characters are skipped, and the URL-safe alphabet is taken too. The padding has to be there:
/// without it a text that was cut off could not be told from a whole one.
#[derive(Debug, Default)]
pub(super) struct Base64Decoder {
    /// Characters that have not been decoded; less than four between two pieces.
    characters: Vec<u8>,
    is_padded: bool,
}

impl Base64Decoder {
    pub(super) fn decode_piece(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let significant = text.iter().filter(|byte| !b"\r\n\t ".contains(byte));
        self.characters.extend(significant.map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        }));
        if self.is_padded && !self.characters.is_empty() {
            return Err("something follows the end of the base64");
        }
        let whole = self.characters.len() / 4 * 4;
        if whole == 0 {
            return Ok(());
        }
        let start = out.len();
        out.resize(start + whole / 4 * 3, 0);
        let decoded = STANDARD
            .decode_slice(&self.characters[..whole], &mut out[start..])
            .map_err(|_| "the file is not base64")?;
        out.truncate(start + decoded);
        self.is_padded = self.characters[whole - 1] == b'=';
        self.characters.drain(..whole);
        Ok(())
    }

    /// Checks that the text ended where a group ends.
    pub(super) fn check_end(&mut self) -> Result<(), &'static str> {
        if self.characters.is_empty() {
            Ok(())
        } else if self.is_padded {
            Err("something follows the end of the base64")
        } else {
            Err("the base64 ends in the middle")
        }
    }
}
