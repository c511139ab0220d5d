//! As much of Secrets Manager as a token needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};

use crate::harness::{CLIENT_ID, CLIENT_SECRET};
use crate::raw::{Raw, answer};

pub(crate) const CLIENT: &str = "cxone/client";
pub(crate) const TOKEN: &str = "cxone/token";
const JSON: &str = "application/x-amz-json-1.1";

/// Two secrets: the client, and a place for its token.
pub(crate) struct Secrets(Raw);

impl Secrets {
    pub(crate) async fn start() -> Self {
        Self::holding(&json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET })).await
    }

    /// With another client secret.
    pub(crate) async fn holding(client: &Value) -> Self {
        let values = BTreeMap::from([
            (CLIENT.to_owned(), client.to_string()),
            (TOKEN.to_owned(), "{}".to_owned()),
        ]);
        let values = Arc::new(Mutex::new(values));
        Self(Raw::start(move |request| respond(&mut values.lock().unwrap(), request)).await)
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }
}

fn respond(values: &mut BTreeMap<String, String>, request: &str) -> Vec<u8> {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap();
    let name = body["SecretId"].as_str().unwrap();
    if let Some(value) = body["SecretString"].as_str() {
        assert!(head.contains("PutSecretValue"), "{head}");
        values.insert(name.to_owned(), value.to_owned());
    }
    let Some(value) = values.get(name) else {
        let error = json!({ "__type": "ResourceNotFoundException" });
        return answer(400, JSON, &error.to_string());
    };
    let found = json!({
        "ARN": name, "Name": name, "VersionId": "00000000-0000-0000-0000-000000000001",
        "SecretString": value, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1_700_000_000,
    });
    answer(200, JSON, &found.to_string())
}

/// The SDK's client of it.
pub(crate) fn sdk(url: &str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("id", "key", None, None, "test"))
        .endpoint_url(url)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}
