//! What a client signs in with.

use definition::tenant::{AccessKey, ClientCredentials, Credentials};
use secrecy::{ExposeSecret, SecretString};

/// The longest refresh token that is kept, in bytes: it is stored in a secret, which holds 64 KiB.
pub(super) const MAX_REFRESH_TOKEN: usize = 16 * 1024;

/// How to sign in: what the token endpoint is sent.
#[derive(Debug, Clone, Copy)]
pub enum SignIn<'a> {
    /// A client, for itself (RFC 6749, 4.4).
    Client(&'a ClientCredentials),
    /// A client, for the user of an access key: the key is user name and password (RFC 6749, 4.3).
    AccessKey(&'a ClientCredentials, &'a AccessKey),
    /// A user's access key alone, as JSON. UserHub takes it at `/authentication/v1/token/access-key`.
    UserHub(&'a AccessKey),
    /// A client, with the refresh token that came with its last access token (RFC 6749, 6).
    Refresh(&'a ClientCredentials, &'a RefreshToken),
}

impl<'a> From<&'a ClientCredentials> for SignIn<'a> {
    fn from(client: &'a ClientCredentials) -> Self {
        Self::Client(client)
    }
}

impl<'a> From<&'a Credentials> for SignIn<'a> {
    fn from(credentials: &'a Credentials) -> Self {
        match credentials {
            Credentials::Client(client) => Self::Client(client),
            Credentials::AccessKey(client, key) => Self::AccessKey(client, key),
            Credentials::UserHub(key) => Self::UserHub(key),
        }
    }
}

/// A token that an access token can be renewed with. Never shown.
#[derive(Debug, Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// Takes a token if it is not empty and has at most 16 KiB.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Option<Self> {
        let token: String = token.into();
        let fits = !token.is_empty() && token.len() <= MAX_REFRESH_TOKEN;
        fits.then(|| Self(token.into()))
    }

    /// The token, to be stored where secrets are kept and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
