//! Gzip and base64 of a body that is streamed, the latter correct or corrupted by a fault.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::reply::Pieces;

/// Bytes that are kept back until the end is known, so that the end can be corrupted.
const HELD: usize = 6;
/// The length of a line of MIME.
const LINE: usize = 76;

/// Compresses the pieces one by one.
pub(crate) fn compress_pieces(pieces: Pieces, level: Compression) -> Pieces {
    let mut encoder = Some(GzEncoder::new(Vec::new(), level));
    let mut pieces = pieces;
    Box::new(std::iter::from_fn(move || {
        loop {
            let Some(open) = &mut encoder else {
                return None;
            };
            let Some(piece) = pieces.next() else { break };
            // Writing to memory doesn't fail.
            open.write_all(&piece).ok()?;
            if open.get_ref().len() >= 16 << 10 {
                return Some(std::mem::take(open.get_mut()));
            }
        }
        encoder.take()?.finish().ok()
    }))
}

/// The body as base64 within a JSON string; `how` is the fault's choice, empty for none.
pub(crate) fn base64_pieces(body: Pieces, how: &str) -> Pieces {
    Box::new(Encoder {
        body,
        held: Vec::new(),
        how: how.to_owned(),
        written: 0,
        ended: false,
    })
}

struct Encoder {
    body: Pieces,
    held: Vec<u8>,
    how: String,
    /// Characters so far, for breaking lines.
    written: usize,
    ended: bool,
}

impl Iterator for Encoder {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while !self.ended {
            let Some(piece) = self.body.next() else {
                self.ended = true;
                let rest = std::mem::take(&mut self.held);
                let text = self.encode_end(&rest);
                return Some(self.corrupt_text(&text));
            };
            self.held.extend_from_slice(&piece);
            let whole = self.held.len().saturating_sub(HELD) / 3 * 3;
            if whole > 0 {
                let text = STANDARD.encode(&self.held[..whole]);
                self.held.drain(..whole);
                return Some(self.corrupt_text(&text));
            }
        }
        None
    }
}

impl Encoder {
    fn encode_end(&self, rest: &[u8]) -> String {
        match self.how.as_str() {
            "truncated" => {
                let mut text = STANDARD.encode(rest);
                text.truncate(text.len().saturating_sub(5));
                text
            }
            "unpadded" => STANDARD_NO_PAD.encode(rest),
            "after-padding" => STANDARD.encode(rest) + "QQ==QUJD",
            _ => STANDARD.encode(rest),
        }
    }

    fn corrupt_text(&mut self, text: &str) -> Vec<u8> {
        let first = self.written == 0;
        let begin = self.written;
        self.written += text.len();
        match self.how.as_str() {
            "characters" if first => format!("*!{text}").into_bytes(),
            "escaped" => text
                .replace('/', "\\/")
                .replace('+', "\\u002b")
                .into_bytes(),
            "url-safe" => URL_SAFE
                .encode(STANDARD.decode(text).unwrap_or_default())
                .into_bytes(),
            "lines" => in_lines(text, begin),
            _ => text.as_bytes().to_vec(),
        }
    }
}

fn in_lines(text: &str, begin: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    for (at, byte) in text.bytes().enumerate() {
        if begin + at > 0 && (begin + at).is_multiple_of(LINE) {
            out.extend_from_slice(b"\\r\\n");
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(lengths: &[usize]) -> Pieces {
        let lengths = lengths.to_vec();
        Box::new(lengths.into_iter().map(|length| vec![b'x'; length]))
    }

    #[test]
    fn a_body_of_any_length_in_any_pieces_is_encoded_rightly() {
        for lengths in [
            &[][..],
            &[0],
            &[1],
            &[2, 0, 1],
            &[3, 3],
            &[5, 6, 7],
            &[1, 1, 1, 1, 1, 1, 1, 1],
            &[100_000, 1],
        ] {
            let text: Vec<u8> = base64_pieces(pieces(lengths), "").flatten().collect();
            let whole = vec![b'x'; lengths.iter().sum()];
            assert_eq!(text, STANDARD.encode(whole).as_bytes(), "{lengths:?}");
        }
    }

    #[test]
    fn two_hundred_megabytes_are_never_whole() {
        let body = std::iter::repeat_with(|| vec![b'x'; 64 << 10]).take(2_400);
        let (mut all, mut largest) = (0, 0);
        for piece in base64_pieces(Box::new(body), "") {
            all += piece.len();
            largest = largest.max(piece.len());
        }
        assert!(all > 200_000_000 && largest < 100_000, "{all} {largest}");
    }
}
