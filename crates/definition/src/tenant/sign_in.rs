//! The client, the access key, or both: they say how a token is asked for.

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::fields::{Fields, Problem};

/// The client, the access key, or both.
#[derive(Debug)]
pub enum Credentials {
    /// A registered client: `{"client_id", "client_secret"}`.
    Client(ClientCredentials),
    /// A registered client that signs in as the user of an access key: beside the client's two, `{"access_key_id", "access_key_secret"}`.
    AccessKey(ClientCredentials, AccessKey),
    /// A user's access key without a client: `{"access_key_id", "access_key_secret"}` alone.
    UserHub(AccessKey),
}

#[derive(Debug, Clone)]
pub struct ClientCredentials {
    pub client_id: String,
    pub client_secret: SecretString,
    pub auth: ClientAuth,
}

/// How the token endpoint is told a client's id and secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the Basic header, as they are. Public clients of CXone do so.
    #[default]
    Basic,
    /// In the Basic header, each form-encoded first (RFC 6749, 2.3.1).
    BasicEncoded,
    /// In the form, without a Basic header.
    Post,
}

/// The access key of a user.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: String,
    pub secret: SecretString,
}

impl Credentials {
    /// The client, which a refresh token needs as well: no way to renew a UserHub token is documented.
    #[must_use]
    pub fn client(&self) -> Option<&ClientCredentials> {
        match self {
            Self::Client(client) | Self::AccessKey(client, _) => Some(client),
            Self::UserHub(_) => None,
        }
    }

    /// The SHA-256 of whom tokens are granted to: another client's, or another user's, are not used. A stored token carries it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let identity = match self {
            Self::Client(client) => client.client_id.clone(),
            Self::AccessKey(client, key) => format!("{}\0{}", client.client_id, key.id),
            Self::UserHub(key) => format!("\0{}", key.id),
        };
        Sha256::digest(identity).into()
    }
}

/// The fields that are there say how to sign in.
pub(super) fn read_credentials(fields: &Fields) -> Result<Credentials, Problem> {
    let has_client = fields.has_any(["client_id", "client_secret"]);
    let has_key = fields.has_any(["access_key_id", "access_key_secret"]);
    match (has_client, has_key) {
        (true, true) => Ok(Credentials::AccessKey(
            read_client(fields)?,
            read_key(fields)?,
        )),
        (true, false) => read_client(fields).map(Credentials::Client),
        (false, true) => {
            let key = read_key(fields)?;
            check_user_hub(fields)?;
            Ok(Credentials::UserHub(key))
        }
        (false, false) => Err(Problem::NeitherOf("client_id", "access_key_id")),
    }
}

/// UserHub alone takes an access key without a client, and no issuer says where that is. The usual endpoints, whose paths end in
/// `/token`, want a client, so that the key would be sent there for nothing.
fn check_user_hub(fields: &Fields) -> Result<(), Problem> {
    let Some(url) = fields.read_url("token_url")? else {
        return Err(Problem::Wrong("token_url", NO_USER_HUB));
    };
    let last = url.path().trim_end_matches('/').rsplit('/').next();
    if last.is_some_and(|last| last.eq_ignore_ascii_case("token")) {
        return Err(Problem::Wrong("token_url", NOT_USER_HUB));
    }
    Ok(())
}

fn read_client(fields: &Fields) -> Result<ClientCredentials, Problem> {
    let client = ClientCredentials {
        client_id: fields.require_id("client_id")?,
        client_secret: fields.require_secret("client_secret")?,
        auth: read_client_auth(fields)?,
    };
    if client.auth == ClientAuth::Basic && client.client_id.contains(':') {
        return Err(Problem::Wrong("client_id", COLON));
    }
    Ok(client)
}

fn read_key(fields: &Fields) -> Result<AccessKey, Problem> {
    Ok(AccessKey {
        id: fields.require_id("access_key_id")?,
        secret: fields.require_secret("access_key_secret")?,
    })
}

fn read_client_auth(fields: &Fields) -> Result<ClientAuth, Problem> {
    match fields.read_text("client_auth")? {
        None | Some("basic") => Ok(ClientAuth::Basic),
        Some("basic_encoded") => Ok(ClientAuth::BasicEncoded),
        Some("post") => Ok(ClientAuth::Post),
        Some(_) => Err(Problem::Wrong("client_auth", CLIENT_AUTH)),
    }
}

pub(super) const CLIENT_AUTH: &str = "is none of \"basic\", \"basic_encoded\" and \"post\"";
pub(super) const COLON: &str =
    "has a colon, which client_auth \"basic\" can't send; use \"basic_encoded\" or \"post\"";
pub(super) const NO_USER_HUB: &str = "is missing, and no issuer takes an access key without a client_id; use https://{area}.nice-incontact.com/authentication/v1/token/access-key, or add client_id and client_secret";
pub(super) const NOT_USER_HUB: &str = "is an endpoint that takes no access key without a client_id; use https://{area}.nice-incontact.com/authentication/v1/token/access-key, or add client_id and client_secret";
