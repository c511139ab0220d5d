//! The `aws-chunked` encoding, in which SDKs send a body whose checksum follows it.

use bytes::{Buf, Bytes, BytesMut};

/// Decodes a body piece by piece.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: BytesMut,
    /// Bytes of the current chunk that are still to come, with the line end after it.
    chunk: Option<usize>,
    ended: bool,
    trailers: Vec<(String, String)>,
}

/// A body that does not keep to the encoding.
#[derive(Debug)]
pub(super) struct Malformed;

impl Decoder {
    /// Takes what came in and gives what it held.
    pub(super) fn push(&mut self, input: &[u8]) -> Result<Vec<Bytes>, Malformed> {
        self.pending.extend_from_slice(input);
        let mut decoded = Vec::new();
        loop {
            if let Some(left) = self.chunk {
                if self.pending.is_empty() {
                    return Ok(decoded);
                }
                if left > 0 {
                    let take = left.min(self.pending.len());
                    decoded.push(self.pending.split_to(take).freeze());
                    self.chunk = Some(left - take);
                    continue;
                }
                if self.pending.len() < 2 {
                    return Ok(decoded);
                }
                if &self.pending[..2] != b"\r\n" {
                    return Err(Malformed);
                }
                self.pending.advance(2);
                self.chunk = None;
            }
            let Some(line) = self.line()? else {
                return Ok(decoded);
            };
            self.take_line(&line)?;
        }
    }

    /// The trailing headers, once the whole body has come in.
    pub(super) fn finish(self) -> Result<Vec<(String, String)>, Malformed> {
        if self.ended {
            Ok(self.trailers)
        } else {
            Err(Malformed)
        }
    }

    fn line(&mut self) -> Result<Option<String>, Malformed> {
        let Some(end) = self.pending.windows(2).position(|pair| pair == b"\r\n") else {
            // No header line of a chunk is longer than its signature makes it.
            return if self.pending.len() > 8192 {
                Err(Malformed)
            } else {
                Ok(None)
            };
        };
        let line = self.pending.split_to(end);
        self.pending.advance(2);
        let line = std::str::from_utf8(&line).map_err(|_| Malformed)?;
        Ok(Some(line.to_owned()))
    }

    fn take_line(&mut self, line: &str) -> Result<(), Malformed> {
        if self.ended {
            if let Some((name, value)) = line.split_once(':') {
                let name = name.trim().to_ascii_lowercase();
                self.trailers.push((name, value.trim().to_owned()));
            }
            return Ok(());
        }
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| Malformed)?;
        self.ended = size == 0;
        self.chunk = (size > 0).then_some(size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_pieces_of_any_size_is_the_same() {
        let wire = b"5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAA==\r\n\r\n";
        for size in 1..wire.len() {
            let mut decoder = Decoder::default();
            let mut body = Vec::new();
            for piece in wire.chunks(size) {
                body.extend(decoder.push(piece).unwrap().concat());
            }
            assert_eq!(body, b"hello world");
            let trailers = decoder.finish().unwrap();
            assert_eq!(
                trailers,
                [("x-amz-checksum-crc32".to_owned(), "AAAA==".to_owned())]
            );
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(b"5\r\nhel").unwrap();
        assert!(decoder.finish().is_err());
    }
}
