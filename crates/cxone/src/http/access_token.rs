//! What a call is authorised with.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

const STEP: &str = "sign in";
/// The longest token, in bytes: it has to fit into a header.
const MAX_TOKEN: usize = 8 * 1024;

/// An OAuth access token that fits into a header. Never shown.
#[derive(Clone)]
pub struct AccessToken {
    secret: SecretString,
    bearer: HeaderValue,
}

impl AccessToken {
    /// Takes a token if it is not empty, fits into a header and has at most 8 KiB.
    pub fn new(token: impl Into<String>) -> Result<Self, Error> {
        let token: String = token.into();
        let misfit = || Error::contract(STEP, "the access token does not fit into a header");
        let visible = token.bytes().all(|b| b.is_ascii_graphic());
        if token.is_empty() || token.len() > MAX_TOKEN || !visible {
            return Err(misfit());
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| misfit())?;
        bearer.set_sensitive(true);
        Ok(Self {
            secret: SecretString::from(token),
            bearer,
        })
    }

    /// The token, to be stored where secrets are kept and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The value of the `Authorization` header.
    pub(crate) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_would_break_a_header_are_refused() {
        for bad in ["", "a\r\nX: y", "a\0b", "a b", "tökén", &"x".repeat(8193)] {
            assert!(AccessToken::new(bad).is_err(), "{bad:?}");
        }
        let token = AccessToken::new("eyJ.abc-_~+/=").unwrap();
        assert_eq!(token.expose(), "eyJ.abc-_~+/=");
        assert!(!format!("{token:?} {:?}", token.bearer()).contains("eyJ"));
    }
}
