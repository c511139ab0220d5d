//! The request for a token, in each of its forms.

use std::borrow::Cow;

use definition::tenant::{AccessKey, ClientAuth, ClientCredentials};
use secrecy::ExposeSecret;
use url::form_urlencoded::byte_serialize;

use super::credentials::SignIn;

/// A request for a token, and the secrets that an error must not repeat from its answer.
pub(super) struct SignInForm<'a> {
    /// Id and secret of the client for the Basic header, if they belong there.
    pub(super) basic: Option<(String, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) secrets: Vec<Cow<'a, str>>,
}

impl<'a> SignInForm<'a> {
    pub(super) fn new(with: SignIn<'a>) -> Self {
        match with {
            SignIn::Client(client) => Self::encode_form(client, "client_credentials", &[]),
            SignIn::AccessKey(client, key) => {
                let fields = [
                    ("username", key.id.as_str()),
                    ("password", key.secret.expose_secret()),
                ];
                Self::encode_form(client, "password", &fields)
            }
            SignIn::Refresh(client, token) => {
                let fields = [("refresh_token", token.expose())];
                Self::encode_form(client, "refresh_token", &fields)
            }
            SignIn::UserHub(key) => Self::encode_user_hub(key),
        }
    }

    pub(super) fn secret_texts(&self) -> Vec<&str> {
        self.secrets.iter().map(AsRef::as_ref).collect()
    }

    fn encode_form(
        client: &'a ClientCredentials,
        grant_type: &str,
        fields: &[(&str, &'a str)],
    ) -> Self {
        let secret = client.client_secret.expose_secret();
        let encoded = (form_encode(&client.client_id), form_encode(secret));
        let mut secrets = vec![Cow::Borrowed(secret), Cow::Owned(encoded.1.clone())];
        let mut body = format!("grant_type={grant_type}");
        for (name, value) in fields {
            let value_encoded = form_encode(value);
            body.extend(["&", name, "=", &value_encoded]);
            // A key's id is half a secret: it is not repeated either.
            secrets.extend([Cow::Borrowed(*value), Cow::Owned(value_encoded)]);
        }
        let basic = match client.auth {
            ClientAuth::Basic => Some((client.client_id.clone(), secret.to_owned())),
            ClientAuth::BasicEncoded => Some(encoded),
            ClientAuth::Post => {
                body.extend(["&client_id=", &encoded.0, "&client_secret=", &encoded.1]);
                None
            }
        };
        Self {
            basic,
            content_type: "application/x-www-form-urlencoded",
            body,
            secrets,
        }
    }

    fn encode_user_hub(key: &'a AccessKey) -> Self {
        let secret = key.secret.expose_secret();
        Self {
            basic: None,
            content_type: "application/json",
            body: serde_json::json!({"accessKeyId": key.id, "accessKeySecret": secret}).to_string(),
            secrets: vec![Cow::Borrowed(&key.id), Cow::Borrowed(secret)],
        }
    }
}

/// Encodes a value for a form: keys may end in `=`, which would otherwise be cut off.
fn form_encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::credentials::RefreshToken;
    use super::*;

    fn test_client() -> ClientCredentials {
        ClientCredentials {
            client_id: "c@x".to_owned(),
            client_secret: "s=&cret".into(),
            auth: ClientAuth::Basic,
        }
    }

    fn test_key() -> AccessKey {
        AccessKey {
            id: "KEYID4WX==".to_owned(),
            secret: "k+y s&cret=".into(),
        }
    }

    #[test]
    fn every_way_to_sign_in_has_its_own_body() {
        let (client, key) = (test_client(), test_key());
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
            let form = SignInForm::new(with);
            assert_eq!(form.body, body);
            let is_user_hub = matches!(with, SignIn::UserHub(_));
            assert_eq!(form.basic.is_none(), is_user_hub);
            assert_eq!(form.content_type == "application/json", is_user_hub);
        }
    }

    #[test]
    fn the_client_is_told_in_one_of_three_ways() {
        let key = test_key();
        for (auth, basic, in_body) in [
            (ClientAuth::Basic, Some(("c@x", "s=&cret")), ""),
            (ClientAuth::BasicEncoded, Some(("c%40x", "s%3D%26cret")), ""),
            (
                ClientAuth::Post,
                None,
                "&client_id=c%40x&client_secret=s%3D%26cret",
            ),
        ] {
            let client = ClientCredentials {
                auth,
                ..test_client()
            };
            let refresh = RefreshToken::new("r").unwrap();
            for with in [
                SignIn::Client(&client),
                SignIn::AccessKey(&client, &key),
                SignIn::Refresh(&client, &refresh),
            ] {
                let form = SignInForm::new(with);
                let sent = form.basic.as_ref();
                let sent = sent.map(|(id, secret)| (id.as_str(), secret.as_str()));
                assert_eq!(sent, basic);
                assert_eq!(form.body.contains("client_secret"), basic.is_none());
                assert!(form.body.ends_with(in_body), "{}", form.body);
            }
        }
    }

    #[test]
    fn what_was_sent_is_known_as_a_secret_in_either_spelling() {
        let (client, key) = (test_client(), test_key());
        let form = SignInForm::new(SignIn::AccessKey(&client, &key));
        for secret in ["s=&cret", "s%3D%26cret", "k+y s&cret=", "k%2By+s%26cret%3D"] {
            assert!(form.secrets.iter().any(|known| known == secret), "{secret}");
        }
        let shown = format!("{client:?} {key:?}");
        assert!(!shown.contains("cret="), "{shown}");
    }
}
