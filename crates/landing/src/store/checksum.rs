//! SHA-256 of what is stored, by the library that the TLS stack brings along. It is the fastest in the
//! tree by far, and every stored byte is hashed twice.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A SHA-256 that is being computed.
#[derive(Clone)]
pub(crate) struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checksum([u8; 32]);

impl Checksum {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hasher = Sha256::default();
        hasher.update(bytes);
        Self::from_hasher(hasher)
    }

    pub(crate) fn from_hasher(hasher: Sha256) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hasher.0.finish().as_ref());
        Self(bytes)
    }

    /// In base64, as S3 writes it.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads what S3 writes.
    pub(super) fn parse_base64(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// In lower-case hex, as documents hold it.
    pub(crate) fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The checksum by which S3 knows an object that was uploaded in these parts.
    pub(crate) fn composite(parts: &[Self]) -> String {
        let mut hasher = Sha256::default();
        for part in parts {
            hasher.update(&part.0);
        }
        format!("{}-{}", Self::from_hasher(hasher).base64(), parts.len())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}
