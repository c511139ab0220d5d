//! What the token endpoint grants.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::credentials::RefreshToken;
use crate::error::Error;
use crate::http::{AccessToken, RawAnswer};

pub(super) const STEP: &str = "sign in";
/// How long a token is taken to live when the answer does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);
/// The longest life that is believed, in seconds: a day.
const MAX_LIFETIME: f64 = 86_400.0;
/// A token that lives shorter than this is used for one request and not kept.
const MIN_CACHED_LIFETIME: Duration = Duration::from_mins(2);
/// The longest life of a refresh token that is believed, in seconds: a year.
const MAX_REFRESH_LIFETIME: f64 = 366.0 * 86_400.0;

/// An access token and how long it lives, counted from before the request for it.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    pub token: AccessToken,
    /// How long it lives, 0 s to 86,400 s; 300 s if the answer did not say.
    pub lifetime: Duration,
    /// Whether it lives long enough (120 s) to be kept for another request.
    pub cacheable: bool,
    /// What the access token can be renewed with, if the answer has a refresh token.
    pub refresh: Option<RefreshGrant>,
}

/// A refresh token and how long it lives, counted from before the request for it.
#[derive(Debug, Clone)]
pub struct RefreshGrant {
    pub token: RefreshToken,
    /// How long it lives, a year at most; `None` if the answer did not say.
    pub lifetime: Option<Duration>,
}

impl TokenGrant {
    /// Reads the answer to [`ask_for_token`](crate::Client::ask_for_token). An answer that
    /// [`sign_in`](crate::Client::sign_in) would not take is an error here as well.
    pub fn of_answer(answer: &RawAnswer) -> Result<Self, Error> {
        Self::parse(answer.json_body(STEP)?)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, Error> {
        let answer: TokenAnswer<'_> = serde_json::from_slice(body)
            .map_err(|_| Error::contract(STEP, "the answer is not a token"))?;
        answer.into_grant()
    }
}

#[derive(Deserialize)]
struct TokenAnswer<'a> {
    access_token: String,
    token_type: Option<String>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
    // The access token is good even where these two can't be read.
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    refresh_token_expires_in: Option<&'a RawValue>,
}

impl TokenAnswer<'_> {
    fn into_grant(self) -> Result<TokenGrant, Error> {
        let kind = self.token_type.as_deref();
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Error::contract(STEP, "the token is not a bearer token"));
        }
        let lifetime = parse_lifetime(self.expires_in.map(RawValue::get));
        let refresh = self.read_refresh();
        Ok(TokenGrant {
            token: AccessToken::new(self.access_token)?,
            lifetime,
            cacheable: lifetime >= MIN_CACHED_LIFETIME,
            refresh,
        })
    }

    fn read_refresh(&self) -> Option<RefreshGrant> {
        let token: String = serde_json::from_str(self.refresh_token?.get()).ok()?;
        let lifetime = parse_seconds(self.refresh_token_expires_in.map(RawValue::get));
        Some(RefreshGrant {
            token: RefreshToken::new(token)?,
            lifetime: lifetime
                .map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, MAX_REFRESH_LIFETIME))),
        })
    }
}

/// `expires_in` as a number or a text of one; anything else counts as missing.
fn parse_lifetime(raw: Option<&str>) -> Duration {
    parse_seconds(raw).map_or(DEFAULT_LIFETIME, |seconds| {
        Duration::from_secs_f64(seconds.clamp(0.0, MAX_LIFETIME))
    })
}

fn parse_seconds(raw: Option<&str>) -> Option<f64> {
    raw.and_then(|raw| raw.trim_matches('"').parse::<f64>().ok())
        .filter(|seconds| !seconds.is_nan())
}

#[cfg(test)]
mod tests {
    use super::super::credentials::MAX_REFRESH_TOKEN;
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
            assert_eq!(parse_lifetime(raw), Duration::from_secs(seconds), "{raw:?}");
        }
    }

    #[test]
    fn a_refresh_token_that_is_none_leaves_the_access_token_good() {
        let refresh = |answer: &str| {
            let answer: TokenAnswer<'_> = serde_json::from_str(answer).unwrap();
            answer.read_refresh().map(|refresh| {
                assert!(!format!("{refresh:?}").contains("r-1"));
                let lifetime = refresh.lifetime.map(|lifetime| lifetime.as_secs());
                (refresh.token.expose().to_owned(), lifetime)
            })
        };
        for nothing in ["null", "7", "\"\"", "{}"] {
            let answer = format!(r#"{{"access_token":"t","refresh_token":{nothing}}}"#);
            assert_eq!(refresh(&answer), None, "{answer}");
        }
        for (said, lifetime) in [
            ("7200", Some(7_200)),
            ("\"7200\"", Some(7_200)),
            ("-1", Some(0)),
            ("1e300", Some(366 * 86_400)),
            ("null", None),
            ("\"soon\"", None),
        ] {
            let answer = format!(
                r#"{{"access_token":"t","refresh_token":"r-1","refresh_token_expires_in":{said}}}"#
            );
            assert_eq!(refresh(&answer), Some(("r-1".to_owned(), lifetime)));
        }
        assert!(RefreshToken::new("x".repeat(MAX_REFRESH_TOKEN + 1)).is_none());
    }
}
