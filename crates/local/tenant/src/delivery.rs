//! Turns an answer into bytes and pauses. HTTP/1.1 is written by hand, because faults break it.

use std::time::Duration;

use flate2::Compression;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::encode::compress_pieces;
use crate::reply::{Body, Delivery, HTTP_DATE, Pieces, Reply};

/// What to do next on a connection.
pub(crate) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// The connection is closed in order.
    Close,
    /// The connection is closed with a TCP reset.
    Reset,
}

pub(crate) type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// How the answer may be written.
pub(crate) struct Terms {
    pub(crate) gzip: bool,
    pub(crate) close: bool,
    pub(crate) now: Timestamp,
}

/// The steps that deliver an answer.
pub(crate) fn delivery_steps(mut reply: Reply, terms: &Terms) -> Steps {
    let delivery = std::mem::replace(&mut reply.delivery, Delivery::Plain);
    match delivery {
        Delivery::Plain => plain_steps(reply, terms),
        Delivery::Nothing { reset } => {
            step_list(vec![if reset { Step::Reset } else { Step::Close }])
        }
        Delivery::Stalled(pause) => step_list(vec![Step::Pause(pause), Step::Close]),
        Delivery::Raw(bytes) => step_list(vec![Step::Send(bytes), Step::Close]),
        Delivery::GzipForced => force_gzip(reply.header("Content-Encoding", "gzip"), terms),
        Delivery::GzipFile => force_gzip(reply, terms),
        spoiling => faulty_steps(reply, terms, &spoiling),
    }
}

/// Compressed at the highest level, whether or not the client accepts gzip.
fn force_gzip(mut reply: Reply, terms: &Terms) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new()));
    let pieces: Pieces = match body {
        Body::Whole(bytes) => Box::new(std::iter::once(bytes)),
        Body::Pieces(pieces) => pieces,
    };
    reply.body = Body::Pieces(compress_pieces(pieces, Compression::best()));
    let terms = Terms {
        gzip: false,
        ..*terms
    };
    plain_steps(reply, &terms)
}

fn step_list(steps: Vec<Step>) -> Steps {
    Box::new(steps.into_iter())
}

/// The head of an answer without the empty line that ends it.
fn write_head(reply: &Reply, terms: &Terms, extra: &[(&str, String)]) -> Vec<u8> {
    let now = terms
        .now
        .checked_add(SignedDuration::from_secs(reply.skew))
        .unwrap_or(terms.now);
    let date = now.to_zoned(TimeZone::UTC).strftime(HTTP_DATE).to_string();
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nDate: {date}\r\n",
        reply.status,
        reason_phrase(reply.status)
    );
    let own = reply.headers.iter().map(|(name, value)| (*name, value));
    for (name, value) in own.chain(extra.iter().map(|(name, value)| (*name, value))) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if terms.close {
        head.push_str("Connection: close\r\n");
    }
    head.into_bytes()
}

fn end_head(mut head: Vec<u8>) -> Vec<u8> {
    head.extend_from_slice(b"\r\n");
    head
}

fn plain_steps(mut reply: Reply, terms: &Terms) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new()));
    let last = terms.close.then_some(Step::Close);
    match body {
        Body::Whole(bytes) => {
            let length = if matches!(reply.status, 204 | 304) {
                vec![]
            } else {
                vec![("Content-Length", bytes.len().to_string())]
            };
            let mut out = end_head(write_head(&reply, terms, &length));
            out.extend_from_slice(&bytes);
            Box::new(std::iter::once(Step::Send(out)).chain(last))
        }
        Body::Pieces(pieces) => {
            let mut extra = vec![("Transfer-Encoding", "chunked".to_owned())];
            if terms.gzip {
                extra.push(("Content-Encoding", "gzip".to_owned()));
            }
            let head = end_head(write_head(&reply, terms, &extra));
            let pieces = if terms.gzip {
                compress_pieces(pieces, Compression::fast())
            } else {
                pieces
            };
            let chunks = pieces.map(|piece| Step::Send(encode_chunk(&piece)));
            let end = std::iter::once(Step::Send(b"0\r\n\r\n".to_vec()));
            Box::new(
                std::iter::once(Step::Send(head))
                    .chain(chunks)
                    .chain(end)
                    .chain(last),
            )
        }
    }
}

/// An answer that a fault corrupts; its whole body is held in memory.
fn faulty_steps(mut reply: Reply, terms: &Terms, delivery: &Delivery) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new())).collect();
    let closing = Terms {
        close: true,
        ..*terms
    };
    let letter = FaultyAnswer {
        reply,
        terms: closing,
        body,
    };
    match delivery {
        Delivery::Drip {
            bytes,
            every,
            limit,
        } => letter.drip_body(*bytes, *every, *limit),
        Delivery::HugeHeaders { bytes } => {
            let lines = bytes.div_ceil(1_024);
            let mut extra: Vec<(&str, String)> = (0..lines)
                .map(|_| ("X-Padding", "p".repeat(1_011)))
                .collect();
            extra.push(content_length(letter.body.len()));
            letter.send_and_close(&extra, &letter.body)
        }
        Delivery::ConflictingLength => {
            let length = letter.body.len();
            letter.send_and_close(
                &[content_length(length), content_length(length + 7)],
                &[&letter.body[..], b"1234567"].concat(),
            )
        }
        Delivery::GzipTruncated { .. }
        | Delivery::GzipBadCrc
        | Delivery::GzipMembers { .. }
        | Delivery::GzipGarbage
        | Delivery::GzipPlain => {
            let bytes = badly_compressed(&letter.body, delivery);
            letter.send_and_close(
                &[
                    ("Content-Encoding", "gzip".to_owned()),
                    content_length(bytes.len()),
                ],
                &bytes,
            )
        }
        _ => letter.partial_body(delivery),
    }
}

/// An answer whose body is in memory.
struct FaultyAnswer {
    reply: Reply,
    terms: Terms,
    body: Vec<u8>,
}

impl FaultyAnswer {
    fn send_step(&self, extra: &[(&str, String)], body: &[u8]) -> Step {
        let mut out = end_head(write_head(&self.reply, &self.terms, extra));
        out.extend_from_slice(body);
        Step::Send(out)
    }

    fn send_and_close(&self, extra: &[(&str, String)], body: &[u8]) -> Steps {
        step_list(vec![self.send_step(extra, body), Step::Close])
    }

    /// A part of the body.
    fn partial_body(&self, delivery: &Delivery) -> Steps {
        let whole = self.body.len();
        match delivery {
            Delivery::Reset { bytes } => {
                let part = self.send_step(
                    &[content_length(whole.max(bytes + 1))],
                    &self.body[..whole.min(*bytes)],
                );
                // A reset discards what the client has not received yet.
                step_list(vec![
                    part,
                    Step::Pause(Duration::from_millis(30)),
                    Step::Reset,
                ])
            }
            Delivery::Short { missing } => {
                let keep = whole.saturating_sub(*missing);
                self.send_and_close(&[content_length(keep + missing)], &self.body[..keep])
            }
            Delivery::Unterminated => self.send_and_close(
                &[("Transfer-Encoding", "chunked".to_owned())],
                &encode_chunk(&self.body),
            ),
            Delivery::CloseDelimited { bytes } => {
                self.send_and_close(&[], &self.body[..whole.min(*bytes)])
            }
            Delivery::Hang(pause) => step_list(vec![
                self.send_step(&[content_length(whole.max(1))], &[]),
                Step::Pause(*pause),
                Step::Close,
            ]),
            _ => step_list(vec![Step::Close]),
        }
    }

    fn drip_body(self, bytes: usize, every: Duration, limit: Duration) -> Steps {
        let head = self.send_step(&[content_length(self.body.len())], &[]);
        let times =
            usize::try_from(limit.as_millis() / every.as_millis().max(1)).unwrap_or(usize::MAX);
        let drops: Vec<Vec<u8>> = self
            .body
            .chunks(bytes)
            .take(times)
            .map(<[u8]>::to_vec)
            .collect();
        let drops = drops
            .into_iter()
            .flat_map(move |drop| [Step::Send(drop), Step::Pause(every)]);
        Box::new(
            std::iter::once(head)
                .chain(drops)
                .chain(std::iter::once(Step::Close)),
        )
    }
}

fn content_length(length: usize) -> (&'static str, String) {
    ("Content-Length", length.to_string())
}

fn badly_compressed(body: &[u8], delivery: &Delivery) -> Vec<u8> {
    let mut bytes = gzip_bytes(body);
    match delivery {
        Delivery::GzipTruncated { missing } => bytes.truncate(bytes.len().saturating_sub(*missing)),
        Delivery::GzipBadCrc => {
            // The checksum is the first half of the last eight bytes.
            let at = bytes.len() - 8;
            bytes[at] ^= 0xff;
        }
        Delivery::GzipMembers { members } => {
            let size = body.len().div_ceil((*members).max(1)).max(1);
            bytes = body.chunks(size).flat_map(gzip_bytes).collect();
        }
        Delivery::GzipGarbage => bytes.extend_from_slice(b"garbage after the end"),
        _ => bytes = body.to_vec(),
    }
    bytes
}

fn encode_chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

fn gzip_bytes(bytes: &[u8]) -> Vec<u8> {
    compress_pieces(
        Box::new(std::iter::once(bytes.to_vec())),
        Compression::fast(),
    )
    .flatten()
    .collect()
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}
