//! The client, the access key, or both, of a tenant's secret: they say how a token is asked for.

use cxone::{AccessKey, ClientCredentials, SignIn};

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
            Self::Client(_) => {
                "store a client_id and a client_secret that are valid there; if they are, try another client_auth"
            }
            Self::AccessKey(..) => {
                "store a client_id, a client_secret, an access_key_id and an access_key_secret that are valid there; if they are, try another client_auth"
            }
            Self::UserHub(_) => {
                "store an access_key_id and an access_key_secret that are valid there; without a client_id its token_url has to be UserHub's, https://{area}.nice-incontact.com/authentication/v1/token/access-key"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> ClientCredentials {
        ClientCredentials {
            client_id: id.to_owned(),
            client_secret: "s".into(),
            auth: cxone::ClientAuth::Basic,
        }
    }

    fn key(id: &str) -> AccessKey {
        AccessKey {
            id: id.to_owned(),
            secret: "s".into(),
        }
    }

    #[test]
    fn a_token_belongs_to_the_client_and_the_user_that_it_was_granted_for() {
        let all = [
            Credentials::Client(client("a")),
            Credentials::Client(client("b")),
            Credentials::AccessKey(client("a"), key("k")),
            Credentials::AccessKey(client("a"), key("k2")),
            Credentials::UserHub(key("k")),
            Credentials::UserHub(key("a")),
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(a.fingerprint() == b.fingerprint(), i == j);
            }
        }
        // What was stored before there were access keys is still this client's.
        assert_eq!(all[0].fingerprint(), fingerprint("a"));
    }
}
