//! Signing in: OAuth 2.0 client credentials.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded::byte_serialize;

use super::transport::{Call, Effect};
use super::{Client, retry_after};
use crate::error::Error;

const STEP: &str = "sign in";
/// The longest token, in bytes: it has to fit into a header.
const MAX_TOKEN: usize = 8 * 1024;
/// How long a token is taken to live when the answer does not say.
const UNSAID: Duration = Duration::from_mins(5);
/// The longest life that is believed, a day.
const LONGEST: f64 = 86_400.0;
/// Below this a token is used for one request and not kept.
const WORTH_KEEPING: Duration = Duration::from_mins(2);
/// A difference between the clocks that is worth a warning.
const SKEW: Duration = Duration::from_mins(1);

/// What the client signs in with.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
}

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
        let visible = token.bytes().all(|b| b.is_ascii_graphic());
        if token.is_empty() || token.len() > MAX_TOKEN || !visible {
            return Err(Error::contract(
                STEP,
                "the access token does not fit into a header",
            ));
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Error::contract(STEP, "the access token does not fit into a header"))?;
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

    pub(super) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([REDACTED])")
    }
}

/// A token and how long it lives, counted from before the request for it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub token: AccessToken,
    /// How long it lives, 0 s to 86,400 s; 300 s if the answer did not say.
    pub lifetime: Duration,
    /// Whether it lives long enough (120 s) to be kept for another request.
    pub cacheable: bool,
}

#[derive(Deserialize)]
struct Answer<'a> {
    access_token: String,
    token_type: Option<String>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
}

impl Client {
    /// Signs in. A refusal is [`Error::Unauthorized`], whatever its status.
    pub async fn grant(&self, credentials: &ClientCredentials) -> Result<Grant, Error> {
        let secret = credentials.client_secret.expose_secret();
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let (id, password) = (encoded(&credentials.client_id), encoded(secret));
        let secrets = [secret, password.as_str()];
        let call = Call {
            step: STEP,
            effect: Effect::None,
            token: None,
            secrets: &secrets,
        };
        let request = self
            .request(Method::POST, self.config().token_url.clone())
            // RFC 6749 2.3.1: the id and the secret are form-encoded before they go into the header.
            .basic_auth(id, Some(&password))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let response = self.send(&call, request).await.map_err(refusal)?;
        warn_of_skew(response.headers());
        let body = self.small_json(&call, response).await?;
        let answer: Answer<'_> = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(STEP, "the answer is not a token"))?;
        if answer
            .token_type
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(Error::contract(STEP, "the token is not a bearer token"));
        }
        let lifetime = lifetime(answer.expires_in.map(RawValue::get));
        let token = AccessToken::new(answer.access_token)?;
        Ok(Grant {
            token,
            lifetime,
            cacheable: lifetime >= WORTH_KEEPING,
        })
    }
}

/// A token endpoint says 400 or 403 where it means that it does not know the client.
fn refusal(error: Error) -> Error {
    match error {
        Error::Forbidden { code, .. } => Error::Unauthorized { step: STEP, code },
        Error::Rejected {
            status: 400, code, ..
        } if matches!(
            code.as_str(),
            "invalid_client" | "unauthorized_client" | "invalid_grant" | "access_denied"
        ) =>
        {
            Error::Unauthorized { step: STEP, code }
        }
        other => other,
    }
}

/// `expires_in` as a number or a text of one; anything else counts as not said.
fn lifetime(raw: Option<&str>) -> Duration {
    let seconds = raw
        .and_then(|raw| raw.trim_matches('"').parse::<f64>().ok())
        .filter(|seconds| !seconds.is_nan());
    seconds.map_or(UNSAID, |seconds| {
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
    })
}

fn warn_of_skew(headers: &reqwest::header::HeaderMap) {
    let Some(theirs) = retry_after::date(headers) else {
        return;
    };
    let ours = SystemTime::now();
    let skew = ours
        .duration_since(theirs)
        .or_else(|_| theirs.duration_since(ours))
        .unwrap_or_default();
    if skew > SKEW {
        tracing::warn!(skew_s = skew.as_secs(), "the clock differs from CXone's");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_clamped_and_nonsense_counts_as_unsaid() {
        for (raw, seconds) in [
            (None, 300),
            (Some("null"), 300),
            (Some("\"soon\""), 300),
            (Some("\"NaN\""), 300),
            (Some("0"), 0),
            (Some("-1"), 0),
            (Some("3600"), 3600),
            (Some("\"3600\""), 3600),
            (Some("3600.0"), 3600),
            (Some("1e12"), 86_400),
            (Some("1e400"), 86_400),
        ] {
            assert_eq!(lifetime(raw), Duration::from_secs(seconds), "{raw:?}");
        }
    }

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
