//! Reads requests of HTTP/1.1.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// A fault makes page tokens large, so the head of a request may be large too.
const HEAD_LIMIT: usize = 2 << 20;
const BODY_LIMIT: usize = 1 << 20;

/// One request, read to its end.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection carried a request before.
    pub(crate) reused: bool,
}

pub(crate) enum Incoming {
    Request(Request),
    /// The client has closed the connection.
    End,
    /// Bytes that are refused with this status.
    Bad(u16),
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn all_queries(&self) -> &[(String, String)] {
        &self.query
    }

    pub(crate) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().starts_with("gzip"))
        })
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// Reads the next request; `buffer` keeps bytes of the one after it.
pub(crate) async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Incoming> {
    let mut searched = 0;
    let head = loop {
        if let Some(at) = end_of_head(buffer, searched) {
            break at;
        }
        searched = buffer.len().saturating_sub(3);
        if buffer.len() > HEAD_LIMIT {
            return Ok(Incoming::Bad(431));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Incoming::End);
        }
    };
    let Some(mut request) = parse_head(&buffer[..head]) else {
        return Ok(Incoming::Bad(400));
    };
    if request.header("transfer-encoding").is_some() {
        return Ok(Incoming::Bad(411));
    }
    let length = request
        .header("content-length")
        .map_or(Ok(0), str::parse::<usize>);
    let Ok(length) = length else {
        return Ok(Incoming::Bad(400));
    };
    if length > BODY_LIMIT {
        return Ok(Incoming::Bad(413));
    }
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Incoming::End);
        }
    }
    request.body = buffer[head..head + length].to_vec();
    buffer.drain(..head + length);
    Ok(Incoming::Request(request))
}

fn end_of_head(buffer: &[u8], from: usize) -> Option<usize> {
    buffer[from..]
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .map(|at| from + at + 4)
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    if !parsed.parse(head).ok()?.is_complete() {
        return None;
    }
    let target = parsed.path?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = parsed.headers.iter();
    Some(Request {
        method: parsed.method?.to_owned(),
        path: path.to_owned(),
        query: parse_form(query.as_bytes()),
        headers: headers
            .map(|header| {
                (
                    header.name.to_owned(),
                    String::from_utf8_lossy(header.value).trim().to_owned(),
                )
            })
            .collect(),
        ..Request::default()
    })
}

/// `application/x-www-form-urlencoded`, the form of queries and of the token request.
pub(crate) fn parse_form(text: &[u8]) -> Vec<(String, String)> {
    let pairs = text
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((pair, &b""[..]), |at| (&pair[..at], &pair[at + 1..]));
            (percent_decode(name, true), percent_decode(value, true))
        })
        .collect()
}

/// Percent-encoding of everything but what never needs it.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend([format!("%{byte:02X}")]);
        }
    }
    out
}

/// Percent-decoding; a `+` is a space in forms only.
pub(crate) fn percent_decode(text: &[u8], plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = if *first == b'%' {
            tail.get(..2)
                .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok())
        } else {
            None
        };
        bytes.push(match escaped {
            Some(byte) => byte,
            None if plus && *first == b'+' => b' ',
            None => *first,
        });
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
