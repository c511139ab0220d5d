//! Digests for names and tokens.

use sha2::{Digest as _, Sha256};

/// The first half of the SHA-256 in hex, which fits into every token that Step Functions takes.
pub(crate) fn hex_digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}
