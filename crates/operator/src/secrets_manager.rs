//! The secrets of the tenants. The only module that uses the SDK of Secrets Manager.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::aws_error;
use crate::error::CommandError;

/// What AWS calls a secret, or a value of it, that is not there.
const ABSENT: &str = "ResourceNotFoundException";

/// The version of a secret that counts.
const CURRENT: &str = "AWSCURRENT";

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretSummary {
    pub(crate) name: String,
    pub(crate) changed_at: Option<Timestamp>,
    /// The key that it is encrypted with, if it is another than the account's own.
    pub(crate) kms_key: Option<String>,
    pub(crate) has_value: bool,
}

/// What a secret is created with or gets anew.
#[derive(Debug)]
pub(crate) struct SecretWrite {
    pub(crate) value: Option<SecretString>,
    pub(crate) kms_key: Option<String>,
}

impl SecretWrite {
    fn expose_value(&self) -> Option<String> {
        let value = self.value.as_ref()?;
        Some(value.expose_secret().to_owned())
    }
}

/// The secrets of an account in a region.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    client: Client,
}

impl Secrets {
    /// The SDK's configuration decides about endpoint, credentials and retries.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// The secrets whose names begin with a prefix, except those that are scheduled for deletion.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<SecretSummary>, CommandError> {
        let by_name = Filter::builder()
            .key(FilterNameStringType::Name)
            .values(prefix);
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .client
                .list_secrets()
                .filters(by_name.clone().build())
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| explain("ListSecrets", "*", &error))?;
            let listed = page.secret_list.unwrap_or_default().into_iter();
            found.extend(listed.map(|secret| SecretSummary {
                name: secret.name.unwrap_or_default(),
                changed_at: to_timestamp(secret.last_changed_date),
                kms_key: secret.kms_key_id,
                has_value: has_current(secret.secret_versions_to_stages),
            }));
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Describes a secret, if it exists.
    pub(crate) async fn describe(&self, name: &str) -> Result<Option<SecretSummary>, CommandError> {
        let answer = match self.client.describe_secret().secret_id(name).send().await {
            Ok(answer) => answer,
            Err(error) if aws_error::code_of(&error) == Some(ABSENT) => return Ok(None),
            Err(error) => return Err(explain("DescribeSecret", name, &error)),
        };
        if answer.deleted_date.is_some() {
            return Err(CommandError::SecretDeleted {
                secret: name.to_owned(),
            });
        }
        Ok(Some(SecretSummary {
            name: name.to_owned(),
            changed_at: to_timestamp(answer.last_changed_date),
            kms_key: answer.kms_key_id,
            has_value: has_current(answer.version_ids_to_stages),
        }))
    }

    /// The value that counts, if there is one.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<SecretString>, CommandError> {
        match self.client.get_secret_value().secret_id(name).send().await {
            // A binary secret has no text, and reads as an empty one.
            Ok(answer) => Ok(Some(answer.secret_string.unwrap_or_default().into())),
            Err(error) if aws_error::code_of(&error) == Some(ABSENT) => Ok(None),
            Err(error) => Err(explain("GetSecretValue", name, &error)),
        }
    }

    pub(crate) async fn create(&self, name: &str, write: &SecretWrite) -> Result<(), CommandError> {
        let answer = self
            .client
            .create_secret()
            .name(name)
            .set_secret_string(write.expose_value())
            .set_kms_key_id(write.kms_key.clone())
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| explain("CreateSecret", name, &error))
    }

    pub(crate) async fn update(&self, name: &str, write: &SecretWrite) -> Result<(), CommandError> {
        let answer = self
            .client
            .update_secret()
            .secret_id(name)
            .set_secret_string(write.expose_value())
            .set_kms_key_id(write.kms_key.clone())
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| explain("UpdateSecret", name, &error))
    }
}

/// Names the right that an operation needs. AWS's own words are left out, because they may repeat what was sent.
fn explain<E: ProvideErrorMetadata>(
    operation: &'static str,
    resource: &str,
    error: &SdkError<E>,
) -> CommandError {
    match aws_error::from_sdk(operation, resource, error) {
        CommandError::Refused { code, .. } => CommandError::Refused {
            operation,
            code,
            message: format!(
                "it needs secretsmanager:{operation} on {resource}{}",
                rights_on_key(operation)
            ),
        },
        other => other,
    }
}

/// What else an operation needs where the secret is encrypted with a key of one's own.
fn rights_on_key(operation: &str) -> &'static str {
    match operation {
        "GetSecretValue" => ", and kms:Decrypt on its key",
        "CreateSecret" => ", and kms:GenerateDataKey and kms:Decrypt on its key",
        "UpdateSecret" => ", and kms:GenerateDataKey, kms:Encrypt and kms:Decrypt on its key",
        _ => "",
    }
}

/// Whether one of a secret's versions is the one that counts.
fn has_current(versions: Option<HashMap<String, Vec<String>>>) -> bool {
    let mut stages = versions
        .into_iter()
        .flatten()
        .flat_map(|(_, stages)| stages);
    stages.any(|stage| stage == CURRENT)
}

fn to_timestamp(time: Option<DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}
