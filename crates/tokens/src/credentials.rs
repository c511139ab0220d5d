//! What is said of a tenant's credentials: what they are, and where to look if they are refused.

use definition::tenant::Credentials;

/// What tokens are granted for, for a log.
pub(crate) fn kind_of(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::Client(_) => "client",
        Credentials::AccessKey(..) => "client and access key",
        Credentials::UserHub(_) => "access key",
    }
}

/// What to look at where a token endpoint refuses.
pub(crate) fn remedy_for(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::Client(_) => {
            "store a client_id and a client_secret that are valid there; if they are, try another client_auth"
        }
        Credentials::AccessKey(..) => {
            "store a client_id, a client_secret, an access_key_id and an access_key_secret that are valid there; if they are, try another client_auth"
        }
        Credentials::UserHub(_) => {
            "store an access_key_id and an access_key_secret that are valid there; without a client_id its token_url has to be UserHub's, https://{area}.nice-incontact.com/authentication/v1/token/access-key"
        }
    }
}

#[cfg(test)]
mod tests {
    use definition::tenant::{AccessKey, ClientAuth, ClientCredentials};

    use super::*;
    use crate::token_state::fingerprint;

    fn client(id: &str) -> ClientCredentials {
        ClientCredentials {
            client_id: id.to_owned(),
            client_secret: "s".into(),
            auth: ClientAuth::Basic,
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
