//! What the token secret holds, read and written. Pure; nothing here is ever printed.

use cxone::{AccessToken, RefreshToken};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expiry::{Life, Now};
use crate::token_state::{CachedRefreshToken, CachedToken, Fingerprint, Snapshot, fingerprint};

/// The format of the token secret. The first one knew no refresh token and is read as well; another number is somebody
/// else's, and a miss.
const VERSION: u8 = 2;
const READABLE_VERSIONS: [u8; 2] = [1, VERSION];

/// The token secret's value.
#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    access_token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    /// For whom it was granted, SHA-256 in hex: a token of another client or another user is not used.
    client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_expires_at: Option<Timestamp>,
}

/// Reads the token secret's value. Whatever can't be read holds no token, and that is no error.
pub(crate) fn parse_token(
    version: Option<String>,
    created: Option<Timestamp>,
    text: &SecretString,
    now: Now,
) -> Snapshot {
    let value: Value = serde_json::from_str(text.expose_secret()).unwrap_or_default();
    let stored = Stored::deserialize(&value).ok();
    // A value without a `v` is a placeholder, such as the empty one that a template makes.
    let is_ours = value.get("v").is_some();
    let issued_at = stored.as_ref().map(|stored| stored.issued_at);
    Snapshot {
        version,
        written_at: is_ours.then_some(created.or(issued_at)).flatten(),
        token: stored.and_then(|stored| to_cached_token(stored, now)),
    }
}

fn to_cached_token(stored: Stored, now: Now) -> Option<CachedToken> {
    if !READABLE_VERSIONS.contains(&stored.v) {
        return None;
    }
    let life = Life::stored(stored.issued_at, stored.expires_at, now)?;
    let client = parse_fingerprint(&stored.client)?;
    let token = AccessToken::new(stored.access_token).ok()?;
    let refresh = stored
        .refresh_token
        .and_then(RefreshToken::new)
        .map(|token| CachedRefreshToken::new(token, stored.refresh_expires_at));
    Some(CachedToken::new(token, client, life).renewed_by(refresh))
}

/// The value to write for a token.
pub(crate) fn render_token(held: &CachedToken) -> Result<SecretString, serde_json::Error> {
    let refresh = held.refresh();
    let stored = Stored {
        v: VERSION,
        access_token: held.token().expose().to_owned(),
        issued_at: held.life().issued_at(),
        expires_at: held.life().expires_at(),
        client: hex::encode(held.client()),
        refresh_token: refresh.map(|refresh| refresh.token().expose().to_owned()),
        refresh_expires_at: refresh.and_then(CachedRefreshToken::expires_at),
    };
    serde_json::to_string(&stored).map(SecretString::from)
}

/// The `ClientRequestToken` of a write over `version`: the same for everybody who read that
/// version, so that Secrets Manager takes the first write and refuses every other value.
pub(crate) fn request_token(version: Option<&str>) -> String {
    hex::encode(fingerprint(&format!(
        "cxone token after {}",
        version.unwrap_or("nothing")
    )))
}

fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let mut bytes = Fingerprint::default();
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now() -> Now {
        Now {
            wall: "2025-06-15T12:00:00Z".parse().unwrap(),
            monotonic: Duration::from_secs(7),
        }
    }

    fn token() -> CachedToken {
        CachedToken::new(
            AccessToken::new("t0ken").unwrap(),
            fingerprint("client-1"),
            Life::granted(now(), Duration::from_hours(1)),
        )
    }

    fn parse(text: &str) -> Snapshot {
        parse_token(Some("v1".into()), Some(now().wall), &text.into(), now())
    }

    #[test]
    fn a_token_comes_back_as_it_was_written() {
        let text = render_token(&token()).unwrap();
        let snapshot = parse(text.expose_secret());
        assert_eq!(snapshot.written_at, Some(now().wall));
        let read = snapshot.token.unwrap();
        assert_eq!(read, token());
        assert_eq!(read.life(), token().life());
        assert_eq!(read.token().expose(), "t0ken");
    }

    #[test]
    fn a_refresh_token_comes_back_beside_its_token() {
        for ends in [None, Some("2025-06-16T12:00:00Z".parse().unwrap())] {
            let refresh = CachedRefreshToken::new(RefreshToken::new("r3fresh").unwrap(), ends);
            let held = token().renewed_by(Some(refresh));
            let text = render_token(&held).unwrap();
            assert!(!format!("{text:?}{held:?}").contains("r3fresh"));
            let read = parse(text.expose_secret()).token.unwrap();
            let refresh = read.refresh().unwrap();
            assert_eq!(refresh.token().expose(), "r3fresh");
            assert_eq!(refresh.expires_at(), ends);
        }
        assert!(token().refresh().is_none());
    }

    #[test]
    fn what_was_stored_before_there_were_refresh_tokens_is_read() {
        let text = format!(
            r#"{{"v":1,"access_token":"t0ken","issued_at":"2025-06-15T12:00:00Z","expires_at":"2025-06-15T13:00:00Z","client":"{}"}}"#,
            hex::encode(fingerprint("client-1"))
        );
        let read = parse(&text).token.unwrap();
        assert_eq!(read, token());
        assert!(read.refresh().is_none());
    }

    #[test]
    fn a_refresh_token_that_is_none_leaves_the_token_good() {
        let good = render_token(&token()).unwrap();
        let mut changed: Value = serde_json::from_str(good.expose_secret()).unwrap();
        changed["refresh_token"] = "".into();
        let read = parse(&changed.to_string()).token.unwrap();
        assert_eq!(read, token());
        assert!(read.refresh().is_none());
    }

    #[test]
    fn a_token_secret_that_cannot_be_read_is_a_miss() {
        let good = render_token(&token()).unwrap();
        let good: Value = serde_json::from_str(good.expose_secret()).unwrap();
        let with = |field: &str, value: Value| {
            let mut changed = good.clone();
            changed[field] = value;
            changed.to_string()
        };
        for text in [
            with("v", 3.into()),
            with("v", Value::Null),
            with("access_token", "".into()),
            with("access_token", "a\r\nb".into()),
            with("access_token", "a".repeat(9_000).into()),
            with("access_token", Value::Null),
            with("issued_at", "yesterday".into()),
            with("expires_at", "2025-06-15T11:00:00Z".into()),
            with("expires_at", "2035-06-15T11:00:00Z".into()),
            with("refresh_token", 7.into()),
            with("refresh_expires_at", "soon".into()),
            with("client", "é".repeat(32).into()),
            with("client", "zz".repeat(32).into()),
        ] {
            let snapshot = parse(&text);
            assert_eq!(snapshot.token, None, "{text}");
            assert_eq!(snapshot.written_at, Some(now().wall), "{text}");
        }
    }

    #[test]
    fn a_placeholder_is_nobodys_token_and_may_be_overwritten_at_once() {
        for text in ["", "{}", "null", "[]", "not json", "{\"v\":1", "\"v\""] {
            let snapshot = parse(text);
            assert_eq!(snapshot.token, None, "{text}");
            assert_eq!(snapshot.written_at, None, "{text}");
        }
    }

    #[test]
    fn a_request_token_is_one_that_secrets_manager_takes() {
        for version in [None, Some("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE")] {
            assert!((32..=64).contains(&request_token(version).len()));
        }
        assert_ne!(request_token(None), request_token(Some("a")));
        assert_ne!(request_token(Some("b")), request_token(Some("a")));
    }
}
