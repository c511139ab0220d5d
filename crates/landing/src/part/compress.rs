//! Compressing into a buffer in memory, and back.

use std::io::{self, Write};

use bytes::buf::Writer;
use bytes::{BufMut as _, BytesMut};
use definition::Compression;
use flate2::write::{GzEncoder, MultiGzDecoder};

/// The level of both codecs: the compressor is the largest cost of a row.
const LEVEL: i32 = 1;

type Buffer = Writer<BytesMut>;

pub(super) enum Encoder {
    Plain(Buffer),
    Gzip(Box<GzEncoder<Buffer>>),
    Zstd(zstd::stream::write::Encoder<'static, Buffer>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    pub(super) fn new(compression: Compression, buffer: BytesMut) -> io::Result<Self> {
        let buffer = buffer.writer();
        Ok(match compression {
            Compression::None => Self::Plain(buffer),
            Compression::Gzip => Self::Gzip(Box::new(GzEncoder::new(
                buffer,
                flate2::Compression::new(LEVEL.unsigned_abs()),
            ))),
            Compression::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(buffer, LEVEL)?),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(buffer) => buffer.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// What has come out and was not taken yet.
    pub(super) fn output(&self) -> &BytesMut {
        match self {
            Self::Plain(buffer) => buffer.get_ref(),
            Self::Gzip(encoder) => encoder.get_ref().get_ref(),
            Self::Zstd(encoder) => encoder.get_ref().get_ref(),
        }
    }

    /// Takes what has come out; the rest comes out into another buffer.
    pub(super) fn exchange(&mut self, buffer: BytesMut) -> BytesMut {
        let output = match self {
            Self::Plain(buffer) => buffer.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut().get_mut(),
            Self::Zstd(encoder) => encoder.get_mut().get_mut(),
        };
        std::mem::replace(output, buffer)
    }

    pub(super) fn finish(self) -> io::Result<BytesMut> {
        Ok(match self {
            Self::Plain(buffer) => buffer,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        }
        .into_inner())
    }
}

/// A decompressor. Data that goes on after the end of a gzip member or a zstd frame is read on.
pub(super) enum Decoder {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(zstd::stream::write::Decoder<'static, Vec<u8>>),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

impl Decoder {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(Vec::new()),
            Compression::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Compression::Zstd => Self::Zstd(zstd::stream::write::Decoder::new(Vec::new())?),
        })
    }

    /// Takes some input and hands out what comes out of it, with the room for what comes next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<&mut Vec<u8>> {
        Ok(match self {
            Self::Plain(output) => {
                output.extend_from_slice(bytes);
                output
            }
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                decoder.get_mut()
            }
            Self::Zstd(decoder) => {
                decoder.write_all(bytes)?;
                decoder.get_mut()
            }
        })
    }

    /// What comes out at the end.
    pub(super) fn finish(&mut self) -> io::Result<&mut Vec<u8>> {
        Ok(match self {
            Self::Plain(output) => output,
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                decoder.get_mut()
            }
            Self::Zstd(decoder) => {
                decoder.flush()?;
                decoder.get_mut()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compression: Compression) {
        let compressed = |text: &[u8]| {
            let mut encoder = Encoder::new(compression, BytesMut::new()).unwrap();
            encoder.write(text).unwrap();
            encoder.finish().unwrap()
        };
        let mut stored = compressed(b"one, ");
        stored.extend_from_slice(&compressed(b"two"));
        let mut decoder = Decoder::new(compression).unwrap();
        let mut out = Vec::new();
        for byte in &stored {
            out.append(decoder.write(&[*byte]).unwrap());
        }
        out.append(decoder.finish().unwrap());
        assert_eq!(out, b"one, two");
    }

    #[test]
    fn members_and_frames_after_the_first_are_read() {
        check(Compression::None);
        check(Compression::Gzip);
        check(Compression::Zstd);
    }
}
