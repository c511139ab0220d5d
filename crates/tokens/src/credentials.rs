//! What the client secret holds: its fields say how a token is asked for. Pure; nothing here is ever printed.

use cxone::{AccessKey, ClientCredentials, SignIn};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::token_state::{Fingerprint, fingerprint};

/// The client, the access key, or both.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// `{"client_id", "client_secret"}`.
    Client(ClientCredentials),
    /// The same with `{"access_key_id", "access_key_secret"}`.
    AccessKey(ClientCredentials, AccessKey),
    /// `{"access_key_id", "access_key_secret"}` alone.
    UserHub(AccessKey),
}

impl Credentials {
    /// Reads the client secret's value. Other fields may stand beside these.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
            return Err(Problem::NotAnObject);
        };
        let has = |names: [&str; 2]| names.iter().any(|name| fields.contains_key(*name));
        let has_client = has(["client_id", "client_secret"]);
        let has_key = has(["access_key_id", "access_key_secret"]);
        Ok(match (has_client, has_key) {
            (true, true) => Self::AccessKey(client(&mut fields)?, key(&mut fields)?),
            (false, true) => Self::UserHub(key(&mut fields)?),
            (_, false) => Self::Client(client(&mut fields)?),
        })
    }

    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        match self {
            Self::Client(client) => SignIn::Client(client),
            Self::AccessKey(client, key) => SignIn::AccessKey(client, key),
            Self::UserHub(key) => SignIn::UserHub(key),
        }
    }

    /// The client, which a refresh token needs as well: no way to renew a UserHub token is documented.
    pub(crate) fn client(&self) -> Option<&ClientCredentials> {
        match self {
            Self::Client(client) | Self::AccessKey(client, _) => Some(client),
            Self::UserHub(_) => None,
        }
    }

    /// For whom tokens are granted: another client's, or another user's, are not used.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Client(client) => fingerprint(&client.client_id),
            Self::AccessKey(client, key) => {
                fingerprint(&format!("{}\0{}", client.client_id, key.id))
            }
            Self::UserHub(key) => fingerprint(&format!("\0{}", key.id)),
        }
    }

    /// How it is called in a log.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::AccessKey(..) => "client and access key",
            Self::UserHub(_) => "access key",
        }
    }

    /// What to look at where a token endpoint refuses.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Client(_) => "store a client_id and a client_secret that are valid there",
            Self::AccessKey(..) => {
                "store a client_id, a client_secret, an access_key_id and an access_key_secret that are valid there"
            }
            Self::UserHub(_) => {
                "store an access_key_id and an access_key_secret that are valid there; without a client_id the token URL has to be UserHub's, which ends in /token/access-key"
            }
        }
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Client(a), Self::Client(b)) => is_same_client(a, b),
            (Self::AccessKey(a, x), Self::AccessKey(b, y)) => {
                is_same_client(a, b) && is_same_key(x, y)
            }
            (Self::UserHub(x), Self::UserHub(y)) => is_same_key(x, y),
            _ => false,
        }
    }
}

fn client(fields: &mut Map<String, Value>) -> Result<ClientCredentials, Problem> {
    Ok(ClientCredentials {
        client_id: take(fields, "client_id")?,
        client_secret: take(fields, "client_secret")?.into(),
    })
}

fn key(fields: &mut Map<String, Value>) -> Result<AccessKey, Problem> {
    Ok(AccessKey {
        id: take(fields, "access_key_id")?,
        secret: take(fields, "access_key_secret")?.into(),
    })
}

fn take(fields: &mut Map<String, Value>, name: &'static str) -> Result<String, Problem> {
    match fields.remove(name) {
        None => Err(Problem::Missing(name)),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Problem::NotText(name)),
    }
}

fn is_same_client(a: &ClientCredentials, b: &ClientCredentials) -> bool {
    a.client_id == b.client_id && a.client_secret.expose_secret() == b.client_secret.expose_secret()
}

fn is_same_key(a: &AccessKey, b: &AccessKey) -> bool {
    a.id == b.id && a.secret.expose_secret() == b.secret.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = r#"{"client_id":"a","client_secret":"b","note":1}"#;
    const BOTH: &str =
        r#"{"client_id":"a","client_secret":"b","access_key_id":"k","access_key_secret":"s="}"#;
    const KEY: &str = r#"{"access_key_id":"k","access_key_secret":"s="}"#;

    fn parse(text: &str) -> Credentials {
        Credentials::parse(text).unwrap()
    }

    #[test]
    fn the_fields_say_how_a_token_is_asked_for() {
        assert!(matches!(parse(CLIENT).sign_in(), SignIn::Client(_)));
        assert!(matches!(parse(BOTH).sign_in(), SignIn::AccessKey(..)));
        assert!(matches!(parse(KEY).sign_in(), SignIn::UserHub(_)));
        assert!(parse(KEY).client().is_none());
    }

    #[test]
    fn a_client_secret_names_the_field_that_is_wrong() {
        for (text, problem) in [
            ("", Problem::NotAnObject),
            ("[]", Problem::NotAnObject),
            ("{}", Problem::Missing("client_id")),
            (r#"{"client_id":"a"}"#, Problem::Missing("client_secret")),
            (
                r#"{"client_id":7,"client_secret":"b"}"#,
                Problem::NotText("client_id"),
            ),
            (
                r#"{"client_id":"a","client_secret":""}"#,
                Problem::NotText("client_secret"),
            ),
            (
                r#"{"access_key_id":"k"}"#,
                Problem::Missing("access_key_secret"),
            ),
            (
                r#"{"access_key_secret":"s"}"#,
                Problem::Missing("access_key_id"),
            ),
            (
                r#"{"access_key_id":"k","access_key_secret":null}"#,
                Problem::NotText("access_key_secret"),
            ),
            (
                r#"{"client_id":"a","client_secret":"b","access_key_id":"k"}"#,
                Problem::Missing("access_key_secret"),
            ),
            (
                r#"{"client_id":"a","access_key_id":"k","access_key_secret":"s"}"#,
                Problem::Missing("client_secret"),
            ),
        ] {
            assert_eq!(Credentials::parse(text).unwrap_err(), problem, "{text}");
        }
    }

    #[test]
    fn a_token_belongs_to_the_client_and_the_user_that_it_was_granted_for() {
        let all = [
            CLIENT,
            BOTH,
            KEY,
            &BOTH.replace("\"k\"", "\"k2\""),
            &KEY.replace("\"k\"", "\"k2\""),
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                let (a, b) = (parse(a), parse(b));
                assert_eq!(a.fingerprint() == b.fingerprint(), i == j);
                assert_eq!(a.is_same_as(&b), i == j);
            }
        }
        // What was stored before there were access keys is still this client's.
        assert_eq!(parse(CLIENT).fingerprint(), fingerprint("a"));
        for text in [CLIENT, BOTH, KEY] {
            let other = parse(&text.replace("\"b\"", "\"c\"").replace("s=", "t="));
            assert_eq!(parse(text).fingerprint(), other.fingerprint());
            assert!(!parse(text).is_same_as(&other), "another secret");
        }
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let shown = format!("{:?}", (parse(BOTH), parse(KEY)));
        assert!(!shown.contains("s="), "{shown}");
    }
}
