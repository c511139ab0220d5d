//! Where the bytes of a page come from: a body as it is, or a file that a body holds as base64.

use super::base64_file::Base64File;
use crate::error::Error;
use crate::http::Body;

pub(crate) enum ByteSource {
    Plain(Box<Body>),
    Base64(Box<Base64File>),
}

impl ByteSource {
    /// Reads some bytes; 0 at the end, which is reached only if all of them came.
    pub(super) async fn read_bytes(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Plain(body) => body.read_bytes(into).await,
            Self::Base64(file) => file.read_bytes(into).await,
        }
    }

    /// The body that the bytes come in.
    pub(super) fn body(&self) -> &Body {
        match self {
            Self::Plain(body) => body,
            Self::Base64(file) => file.body(),
        }
    }
}

impl From<Body> for ByteSource {
    fn from(body: Body) -> Self {
        Self::Plain(Box::new(body))
    }
}

impl From<Base64File> for ByteSource {
    fn from(file: Base64File) -> Self {
        Self::Base64(Box::new(file))
    }
}
