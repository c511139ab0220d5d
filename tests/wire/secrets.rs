//! A Secrets Manager with one tenant's secret.

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use cxone_sim::Tenant;
use local_aws::lambda::LambdaHost;
use local_aws::{Gateway, Services};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{CLIENT_ID, CLIENT_SECRET};

const PREFIX: &str = "cxone/";

/// Two secrets: the tenant, and a place for its token.
pub(crate) struct Secrets {
    gateway: Gateway,
    _folder: TempDir,
}

impl Secrets {
    /// With what reaches a simulated tenant.
    pub(crate) async fn reaching(tenant: &Tenant) -> Self {
        Self::holding(&json!({
            "base_url": tenant.base_url(), "token_url": tenant.token_url(),
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        }))
        .await
    }

    /// With another tenant's secret.
    pub(crate) async fn holding(secret: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = LambdaHost::start().await.unwrap();
        let services = Services::open(folder.path(), host).unwrap();
        services
            .secrets
            .put(&format!("{PREFIX}acme"), Some(&secret.to_string()));
        services
            .secrets
            .put(&format!("{PREFIX}acme/token"), Some("{}"));
        let listen = ([127, 0, 0, 1], 0).into();
        Self {
            gateway: Gateway::start(listen, services).await.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.gateway.url()
    }
}

/// The SDK's client of it.
pub(crate) fn sdk(url: &str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("id", "key", None, None, "test"))
        .endpoint_url(url)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}
