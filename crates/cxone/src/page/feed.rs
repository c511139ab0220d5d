//! Where the bytes of a page come from: a body as it is, or a file that is packed into one.

use super::packed::PackedFile;
use crate::client::Body;
use crate::error::Error;

/// A source of bytes.
pub(crate) enum Feed {
    Plain(Box<Body>),
    Packed(Box<PackedFile>),
}

impl Feed {
    /// Reads some bytes; 0 at the end, which is reached only by what is whole.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Plain(body) => body.read(into).await,
            Self::Packed(file) => file.read(into).await,
        }
    }

    /// The body that the bytes come in.
    pub(super) fn body(&self) -> &Body {
        match self {
            Self::Plain(body) => body,
            Self::Packed(file) => file.body(),
        }
    }
}

impl From<Body> for Feed {
    fn from(body: Body) -> Self {
        Self::Plain(Box::new(body))
    }
}

impl From<PackedFile> for Feed {
    fn from(file: PackedFile) -> Self {
        Self::Packed(Box::new(file))
    }
}
