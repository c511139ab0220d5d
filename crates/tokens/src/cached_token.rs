//! Tokens in memory, with what decisions about them need.

use cxone::{AccessToken, RefreshToken};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::expiry::Life;

/// The SHA-256 of a token or of whom it was granted for: enough to tell two apart.
pub type Fingerprint = [u8; 32];

#[must_use]
pub fn fingerprint(text: &str) -> Fingerprint {
    Sha256::digest(text).into()
}

/// An access token, and what decisions about it need. Two are equal if they are the same token of the same client.
#[derive(Clone, Debug)]
pub struct CachedToken {
    token: AccessToken,
    id: Fingerprint,
    client: Fingerprint,
    life: Life,
    refresh: Option<CachedRefreshToken>,
}

impl CachedToken {
    /// A token that was granted to `client`.
    #[must_use]
    pub fn new(token: AccessToken, client: Fingerprint, life: Life) -> Self {
        let id = fingerprint(token.expose());
        Self {
            token,
            id,
            client,
            life,
            refresh: None,
        }
    }

    /// The same token, with the refresh token that came with it.
    #[must_use]
    pub fn renewed_by(self, refresh: Option<CachedRefreshToken>) -> Self {
        Self { refresh, ..self }
    }

    #[must_use]
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// The refresh token that came with it.
    #[must_use]
    pub fn refresh(&self) -> Option<&CachedRefreshToken> {
        self.refresh.as_ref()
    }

    /// The OAuth client that it was granted to, and the user.
    #[must_use]
    pub fn client(&self) -> Fingerprint {
        self.client
    }

    #[must_use]
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// Whether the other one is the same token, whoever it was granted to.
    pub(crate) fn is_same_token(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl PartialEq for CachedToken {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.client == other.client
    }
}

impl Eq for CachedToken {}

/// A refresh token. Two are equal if they are the same token.
#[derive(Clone, Debug)]
pub struct CachedRefreshToken {
    token: RefreshToken,
    id: Fingerprint,
    expires_at: Option<Timestamp>,
}

impl CachedRefreshToken {
    /// A refresh token that is valid until `expires_at`, or until it is refused.
    #[must_use]
    pub fn new(token: RefreshToken, expires_at: Option<Timestamp>) -> Self {
        let id = fingerprint(token.expose());
        Self {
            token,
            id,
            expires_at,
        }
    }

    #[must_use]
    pub fn token(&self) -> &RefreshToken {
        &self.token
    }

    /// When it ends by the wall clock, if CXone said so. A wrong clock costs a grant and no more.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

impl PartialEq for CachedRefreshToken {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CachedRefreshToken {}
