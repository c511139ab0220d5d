//! A bucket and a tenant's two secrets in moto.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use local::world::TENANT;
use serde_json::Value;

/// What one test has of moto.
pub(crate) struct Moto {
    endpoint: String,
    name: String,
    s3: aws_sdk_s3::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Moto {
    /// Makes the bucket and the tenant's secrets; the names of both begin with `name`.
    pub(crate) async fn prepare(name: &str, tenant: &Value) -> Self {
        let endpoint = endpoint();
        let credentials = Credentials::new("id", "key", None, None, "test");
        let region = Region::from_static("us-east-1");
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .endpoint_url(&endpoint)
            .build();
        let secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(credentials)
            .endpoint_url(&endpoint)
            .build();
        let moto = Self {
            endpoint,
            name: name.to_owned(),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets),
        };
        moto.s3.create_bucket().bucket(name).send().await.unwrap();
        let secret = moto.secrets.create_secret().name(moto.secret(""));
        let secret = secret.secret_string(tenant.to_string());
        secret.send().await.unwrap();
        let token = moto.secrets.create_secret().name(moto.secret("/token"));
        token.send().await.unwrap();
        moto
    }

    fn prefix(&self) -> String {
        format!("{}/", self.name)
    }

    fn secret(&self, which: &str) -> String {
        format!("{}{TENANT}{which}", self.prefix())
    }

    /// What makes a handler use them.
    pub(crate) fn environment(&self) -> [(String, String); 3] {
        [
            ("AWS_ENDPOINT_URL".to_owned(), self.endpoint.clone()),
            ("LANDING_BUCKET".to_owned(), self.name.clone()),
            ("CXONE_SECRET_PREFIX".to_owned(), self.prefix()),
        ]
    }

    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let list = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let objects = page.unwrap().contents.unwrap_or_default();
            keys.extend(objects.into_iter().map(|object| object.key.unwrap()));
        }
        keys
    }

    pub(crate) async fn read(&self, key: &str) -> Vec<u8> {
        let object = self.s3.get_object().bucket(&self.name).key(key).send();
        let body = object.await.unwrap().body.collect().await.unwrap();
        body.into_bytes().to_vec()
    }

    pub(crate) async fn open_uploads(&self) -> usize {
        let list = self.s3.list_multipart_uploads().bucket(&self.name).send();
        list.await.unwrap().uploads.unwrap_or_default().len()
    }

    pub(crate) async fn token_versions(&self) -> usize {
        let list = self.secrets.list_secret_version_ids();
        let list = list
            .secret_id(self.secret("/token"))
            .include_deprecated(true);
        let answer = list.send().await.unwrap();
        answer.versions.unwrap_or_default().len()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how tests/moto/run says where moto is"
)]
fn endpoint() -> String {
    std::env::var("MOTO_ENDPOINT").expect("start this with tests/moto/run")
}
