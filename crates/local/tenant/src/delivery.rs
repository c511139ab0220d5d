//! From an answer to bytes, pauses and ends: HTTP/1.1 by hand, because it has to be done wrong on request.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::api::IMF;
use crate::reply::{Body, Delivery, Pieces, Reply};

/// What to do next on a connection.
pub(crate) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// The connection ends in order.
    Close,
    /// The connection ends with a TCP reset.
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
pub(crate) fn steps(mut reply: Reply, terms: &Terms) -> Steps {
    let delivery = std::mem::replace(&mut reply.delivery, Delivery::Plain);
    match delivery {
        Delivery::Plain => plain(reply, terms),
        Delivery::Nothing { reset } => list(vec![if reset { Step::Reset } else { Step::Close }]),
        Delivery::Stalled(pause) => list(vec![Step::Pause(pause), Step::Close]),
        Delivery::Raw(bytes) => list(vec![Step::Send(bytes), Step::Close]),
        Delivery::GzipForced => forced(reply, terms),
        spoiling => spoilt(reply, terms, &spoiling),
    }
}

/// Compressed as well as can be, whatever the client accepts.
fn forced(mut reply: Reply, terms: &Terms) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new()));
    let pieces: Pieces = match body {
        Body::Whole(bytes) => Box::new(std::iter::once(bytes)),
        Body::Pieces(pieces) => pieces,
    };
    reply.body = Body::Pieces(compressed(pieces, Compression::best()));
    let terms = Terms {
        gzip: false,
        ..*terms
    };
    plain(reply.header("Content-Encoding", "gzip"), &terms)
}

fn list(steps: Vec<Step>) -> Steps {
    Box::new(steps.into_iter())
}

/// The head of an answer up to and without its last empty line.
fn head(reply: &Reply, terms: &Terms, extra: &[(&str, String)]) -> Vec<u8> {
    let now = terms
        .now
        .checked_add(SignedDuration::from_secs(reply.skew))
        .unwrap_or(terms.now);
    let date = now.to_zoned(TimeZone::UTC).strftime(IMF).to_string();
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nDate: {date}\r\n",
        reply.status,
        reason(reply.status)
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

fn ended(mut head: Vec<u8>) -> Vec<u8> {
    head.extend_from_slice(b"\r\n");
    head
}

/// An answer as it should be.
fn plain(mut reply: Reply, terms: &Terms) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new()));
    let last = terms.close.then_some(Step::Close);
    match body {
        Body::Whole(bytes) => {
            let length = if matches!(reply.status, 204 | 304) {
                vec![]
            } else {
                vec![("Content-Length", bytes.len().to_string())]
            };
            let mut out = ended(head(&reply, terms, &length));
            out.extend_from_slice(&bytes);
            Box::new(std::iter::once(Step::Send(out)).chain(last))
        }
        Body::Pieces(pieces) => {
            let mut extra = vec![("Transfer-Encoding", "chunked".to_owned())];
            if terms.gzip {
                extra.push(("Content-Encoding", "gzip".to_owned()));
            }
            let head = ended(head(&reply, terms, &extra));
            let pieces = if terms.gzip {
                compressed(pieces, Compression::fast())
            } else {
                pieces
            };
            let chunks = pieces.map(|piece| Step::Send(chunk(&piece)));
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

/// An answer that is spoilt on its way; its body is held whole, which a fault may do.
fn spoilt(mut reply: Reply, terms: &Terms, delivery: &Delivery) -> Steps {
    let body = std::mem::replace(&mut reply.body, Body::Whole(Vec::new())).collect();
    let closing = Terms {
        close: true,
        ..*terms
    };
    let letter = Letter {
        reply,
        terms: closing,
        body,
    };
    match delivery {
        Delivery::Drip {
            bytes,
            every,
            limit,
        } => letter.drip(*bytes, *every, *limit),
        Delivery::HugeHeaders { bytes } => {
            let lines = bytes.div_ceil(1_024);
            let mut extra: Vec<(&str, String)> = (0..lines)
                .map(|_| ("X-Padding", "p".repeat(1_011)))
                .collect();
            extra.push(sized(letter.body.len()));
            letter.closed(&extra, &letter.body)
        }
        Delivery::ConflictingLength => {
            let length = letter.body.len();
            letter.closed(
                &[sized(length), sized(length + 7)],
                &[&letter.body[..], b"1234567"].concat(),
            )
        }
        Delivery::GzipTruncated { .. }
        | Delivery::GzipBadCrc
        | Delivery::GzipMembers { .. }
        | Delivery::GzipGarbage
        | Delivery::GzipPlain => {
            let bytes = badly_compressed(&letter.body, delivery);
            letter.closed(
                &[("Content-Encoding", "gzip".to_owned()), sized(bytes.len())],
                &bytes,
            )
        }
        _ => letter.cut(delivery),
    }
}

/// An answer with its body at hand.
struct Letter {
    reply: Reply,
    terms: Terms,
    body: Vec<u8>,
}

impl Letter {
    fn send(&self, extra: &[(&str, String)], body: &[u8]) -> Step {
        let mut out = ended(head(&self.reply, &self.terms, extra));
        out.extend_from_slice(body);
        Step::Send(out)
    }

    fn closed(&self, extra: &[(&str, String)], body: &[u8]) -> Steps {
        list(vec![self.send(extra, body), Step::Close])
    }

    /// The body in part.
    fn cut(&self, delivery: &Delivery) -> Steps {
        let whole = self.body.len();
        match delivery {
            Delivery::Reset { bytes } => {
                let part = self.send(
                    &[sized(whole.max(bytes + 1))],
                    &self.body[..whole.min(*bytes)],
                );
                // What is still on its way would be lost with the reset.
                list(vec![
                    part,
                    Step::Pause(Duration::from_millis(30)),
                    Step::Reset,
                ])
            }
            Delivery::Short { missing } => {
                let keep = whole.saturating_sub(*missing);
                self.closed(&[sized(keep + missing)], &self.body[..keep])
            }
            Delivery::Unterminated => self.closed(
                &[("Transfer-Encoding", "chunked".to_owned())],
                &chunk(&self.body),
            ),
            Delivery::CloseDelimited { bytes } => self.closed(&[], &self.body[..whole.min(*bytes)]),
            Delivery::Hang(pause) => list(vec![
                self.send(&[sized(whole.max(1))], &[]),
                Step::Pause(*pause),
                Step::Close,
            ]),
            _ => list(vec![Step::Close]),
        }
    }

    fn drip(self, bytes: usize, every: Duration, limit: Duration) -> Steps {
        let head = self.send(&[sized(self.body.len())], &[]);
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

fn sized(length: usize) -> (&'static str, String) {
    ("Content-Length", length.to_string())
}

fn badly_compressed(body: &[u8], delivery: &Delivery) -> Vec<u8> {
    let mut bytes = gzip(body);
    match delivery {
        Delivery::GzipTruncated { missing } => bytes.truncate(bytes.len().saturating_sub(*missing)),
        Delivery::GzipBadCrc => {
            // The checksum is the first half of the last eight bytes.
            let at = bytes.len() - 8;
            bytes[at] ^= 0xff;
        }
        Delivery::GzipMembers { members } => {
            let size = body.len().div_ceil((*members).max(1)).max(1);
            bytes = body.chunks(size).flat_map(gzip).collect();
        }
        Delivery::GzipGarbage => bytes.extend_from_slice(b"garbage after the end"),
        _ => bytes = body.to_vec(),
    }
    bytes
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    compressed(
        Box::new(std::iter::once(bytes.to_vec())),
        Compression::fast(),
    )
    .flatten()
    .collect()
}

/// The pieces compressed as they come.
fn compressed(pieces: Pieces, level: Compression) -> Pieces {
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

fn reason(status: u16) -> &'static str {
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
