//! Signing in: with a client, an access key or both, or with a refresh token.

use std::borrow::Cow;
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
/// The longest refresh token that is kept, in bytes: it is stored in a secret, which holds 64 KiB.
const MAX_REFRESH_TOKEN: usize = 16 * 1024;
/// The longest life of a refresh token that is believed, a year.
const LONGEST_REFRESH: f64 = 366.0 * 86_400.0;
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

/// The access key of a user.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// The key's id.
    pub id: String,
    /// The key's secret.
    pub secret: SecretString,
}

/// What the token endpoint is shown.
#[derive(Debug, Clone, Copy)]
pub enum SignIn<'a> {
    /// A client, for itself (RFC 6749, 4.4).
    Client(&'a ClientCredentials),
    /// A client, for the user of an access key: the key is user name and password (4.3).
    AccessKey(&'a ClientCredentials, &'a AccessKey),
    /// A user's access key alone, as JSON. UserHub takes it at `/authentication/v1/token/access-key`.
    UserHub(&'a AccessKey),
    /// A client, with the refresh token that came with its last access token (6).
    Refresh(&'a ClientCredentials, &'a RefreshToken),
}

impl<'a> From<&'a ClientCredentials> for SignIn<'a> {
    fn from(client: &'a ClientCredentials) -> Self {
        Self::Client(client)
    }
}

/// What an access token can be renewed with. Never shown.
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
    /// What it can be renewed with, if the answer has such a thing.
    pub refresh: Option<RefreshGrant>,
}

/// A refresh token and how long it lives, counted from before the request for it.
#[derive(Debug, Clone)]
pub struct RefreshGrant {
    /// The token.
    pub token: RefreshToken,
    /// How long it lives, a year at most; `None` if the answer did not say.
    pub lifetime: Option<Duration>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    access_token: String,
    token_type: Option<String>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
    // Whatever is wrong with these two, the access token is good.
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    refresh_token_expires_in: Option<&'a RawValue>,
}

impl Answer<'_> {
    fn refresh(&self) -> Option<RefreshGrant> {
        let token: String = serde_json::from_str(self.refresh_token?.get()).ok()?;
        let lifetime = seconds(self.refresh_token_expires_in.map(RawValue::get));
        Some(RefreshGrant {
            token: RefreshToken::new(token)?,
            lifetime: lifetime
                .map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_REFRESH))),
        })
    }
}

/// A request for a token, and all that must not come back from its answer.
struct Form<'a> {
    /// Id and secret of the client, form-encoded (RFC 6749, 2.3.1) for the header.
    client: Option<(String, String)>,
    kind: &'static str,
    body: String,
    secrets: Vec<Cow<'a, str>>,
}

impl<'a> Form<'a> {
    fn new(with: SignIn<'a>) -> Self {
        match with {
            SignIn::Client(client) => Self::url_encoded(client, "client_credentials", &[]),
            SignIn::AccessKey(client, key) => {
                let fields = [
                    ("username", key.id.as_str()),
                    ("password", key.secret.expose_secret()),
                ];
                Self::url_encoded(client, "password", &fields)
            }
            SignIn::Refresh(client, token) => {
                let fields = [("refresh_token", token.expose())];
                Self::url_encoded(client, "refresh_token", &fields)
            }
            SignIn::UserHub(key) => Self::user_hub(key),
        }
    }

    fn url_encoded(
        client: &'a ClientCredentials,
        grant_type: &str,
        fields: &[(&str, &'a str)],
    ) -> Self {
        let secret = client.client_secret.expose_secret();
        let client = (encoded(&client.client_id), encoded(secret));
        let mut secrets = vec![Cow::Borrowed(secret), Cow::Owned(client.1.clone())];
        let mut body = format!("grant_type={grant_type}");
        for (name, value) in fields {
            let value_encoded = encoded(value);
            body.extend(["&", name, "=", &value_encoded]);
            // A key's id is half a secret: it is not repeated either.
            secrets.extend([Cow::Borrowed(*value), Cow::Owned(value_encoded)]);
        }
        Self {
            client: Some(client),
            kind: "application/x-www-form-urlencoded",
            body,
            secrets,
        }
    }

    fn user_hub(key: &'a AccessKey) -> Self {
        let secret = key.secret.expose_secret();
        Self {
            client: None,
            kind: "application/json",
            body: serde_json::json!({"accessKeyId": key.id, "accessKeySecret": secret}).to_string(),
            secrets: vec![Cow::Borrowed(&key.id), Cow::Borrowed(secret)],
        }
    }
}

/// As a form has it: keys may end in `=`, which would end them there.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

impl Client {
    /// Signs in. A refusal is [`Error::Unauthorized`], whatever its status.
    pub async fn grant<'a>(&self, with: impl Into<SignIn<'a>>) -> Result<Grant, Error> {
        let form = Form::new(with.into());
        let secrets: Vec<&str> = form.secrets.iter().map(AsRef::as_ref).collect();
        let call = Call {
            step: STEP,
            effect: Effect::None,
            token: None,
            secrets: &secrets,
        };
        let mut request = self
            .request(Method::POST, self.config().token_url.clone())
            .header(CONTENT_TYPE, form.kind)
            .body(form.body);
        if let Some((id, secret)) = form.client {
            request = request.basic_auth(id, Some(secret));
        }
        let response = self.send(&call, request).await.map_err(refusal)?;
        warn_of_skew(response.headers());
        let body = self.small_json(&call, response).await?;
        let answer: Answer<'_> = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(STEP, "the answer is not a token"))?;
        if answer
            .token_type
            .as_ref()
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(Error::contract(STEP, "the token is not a bearer token"));
        }
        let lifetime = lifetime(answer.expires_in.map(RawValue::get));
        let refresh = answer.refresh();
        let token = AccessToken::new(answer.access_token)?;
        Ok(Grant {
            token,
            lifetime,
            cacheable: lifetime >= WORTH_KEEPING,
            refresh,
        })
    }
}

/// A token endpoint says 400 or 403 where it means that it does not know the client.
fn refusal(error: Error) -> Error {
    match error {
        Error::Forbidden { code, .. } => Error::Unauthorized { step: STEP, code },
        // No run is gone here, and no page: the URL leads nowhere.
        Error::NotFound { status, .. } => Error::Config {
            step: STEP,
            what: format!("there is no token endpoint at the token URL (status {status})"),
        },
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
    seconds(raw).map_or(UNSAID, |seconds| {
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
    })
}

fn seconds(raw: Option<&str>) -> Option<f64> {
    raw.and_then(|raw| raw.trim_matches('"').parse::<f64>().ok())
        .filter(|seconds| !seconds.is_nan())
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

    fn client() -> ClientCredentials {
        ClientCredentials {
            client_id: "c@x".to_owned(),
            client_secret: "s=&cret".into(),
        }
    }

    fn key() -> AccessKey {
        AccessKey {
            id: "KEYID4WX==".to_owned(),
            secret: "k+y s&cret=".into(),
        }
    }

    #[test]
    fn every_way_to_sign_in_has_its_own_body() {
        let (client, key) = (client(), key());
        let refresh = RefreshToken::new("r=1").unwrap();
        for (with, body) in [
            (
                SignIn::Client(&client),
                "grant_type=client_credentials".to_owned(),
            ),
            (
                SignIn::AccessKey(&client, &key),
                "grant_type=password&username=KEYID4WX%3D%3D&password=k%2By+s%26cret%3D".to_owned(),
            ),
            (
                SignIn::Refresh(&client, &refresh),
                "grant_type=refresh_token&refresh_token=r%3D1".to_owned(),
            ),
            (
                SignIn::UserHub(&key),
                r#"{"accessKeyId":"KEYID4WX==","accessKeySecret":"k+y s&cret="}"#.to_owned(),
            ),
        ] {
            let form = Form::new(with);
            assert_eq!(form.body, body);
            let is_user_hub = matches!(with, SignIn::UserHub(_));
            assert_eq!(form.client.is_none(), is_user_hub);
            assert_eq!(form.kind == "application/json", is_user_hub);
        }
    }

    #[test]
    fn what_was_sent_is_known_as_a_secret_in_either_spelling() {
        let (client, key) = (client(), key());
        let form = Form::new(SignIn::AccessKey(&client, &key));
        for secret in ["s=&cret", "s%3D%26cret", "k+y s&cret=", "k%2By+s%26cret%3D"] {
            assert!(form.secrets.iter().any(|known| known == secret), "{secret}");
        }
        let shown = format!("{client:?} {key:?}");
        assert!(!shown.contains("cret="), "{shown}");
    }

    #[test]
    fn a_refresh_token_that_is_none_leaves_the_access_token_good() {
        let refresh = |answer: &str| {
            let answer: Answer<'_> = serde_json::from_str(answer).unwrap();
            answer.refresh().map(|refresh| {
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
