//! Answers, before they are written as bytes.

use std::time::Duration;

use serde_json::Value;

/// The preferred date format of HTTP (RFC 9110).
pub(crate) const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// Pieces of a body, made when they are sent.
pub(crate) type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// An answer and how it is delivered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    pub(crate) delivery: Delivery,
    /// Seconds by which the `Date` header is wrong.
    pub(crate) skew: i64,
}

pub(crate) enum Body {
    Whole(Vec<u8>),
    Pieces(Pieces),
}

/// How the bytes are delivered; all but the first are faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    Plain,
    /// The connection ends without a byte.
    Nothing {
        reset: bool,
    },
    /// The connection ends without a byte, after a while.
    Stalled(Duration),
    /// These bytes and nothing else.
    Raw(Vec<u8>),
    /// A reset after so many bytes of the body.
    Reset {
        bytes: usize,
    },
    /// So many bytes fewer than promised.
    Short {
        missing: usize,
    },
    Unterminated,
    /// Without length or chunks, cut after so many bytes.
    CloseDelimited {
        bytes: usize,
    },
    GzipTruncated {
        missing: usize,
    },
    GzipBadCrc,
    GzipMembers {
        members: usize,
    },
    GzipGarbage,
    GzipPlain,
    /// Compressed, whatever the client accepts.
    GzipForced,
    /// The same, and no header says so.
    GzipFile,
    Drip {
        bytes: usize,
        every: Duration,
        limit: Duration,
    },
    Hang(Duration),
    HugeHeaders {
        bytes: usize,
    },
    ConflictingLength,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = if content_type.is_empty() {
            Vec::new()
        } else {
            vec![("Content-Type", content_type.to_owned())]
        };
        Self {
            status,
            headers,
            body: Body::Whole(body),
            delivery: Delivery::Plain,
            skew: 0,
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, "", Vec::new())
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn streamed(content_type: &'static str, pieces: Pieces) -> Self {
        Self {
            body: Body::Pieces(pieces),
            ..Self::new(200, content_type, Vec::new())
        }
    }

    /// An error in the form that the guide's API uses.
    pub(crate) fn error(status: u16, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({ "error": error, "error_description": description }),
        )
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Body {
    pub(crate) fn collect(self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Pieces(pieces) => pieces.flatten().collect(),
        }
    }
}
