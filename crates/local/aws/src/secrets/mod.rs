//! Secrets Manager, in memory.

mod secret;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Response;
use serde_json::{Value, json};

use crate::http::Body;
use crate::response::{self, JsonError};
use secret::{CURRENT, Secret, version_id};

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Secrets and their versions.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Mutex<Vault>>);

#[derive(Debug, Default)]
struct Vault {
    secrets: BTreeMap<String, Secret>,
    /// How far the clock is behind that dates new versions.
    behind: Duration,
}

impl Secrets {
    /// The ARN of a secret.
    #[must_use]
    pub fn arn(name: &str) -> String {
        format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-local1")
    }

    /// Dates what is stored from now on so much earlier, so that a test need not wait for a version to grow old.
    pub fn set_clock_behind(&self, behind: Duration) {
        self.lock().behind = behind;
    }

    /// Takes a secret away with all its versions.
    pub fn remove(&self, name: &str) {
        self.lock().secrets.remove(name);
    }

    /// Schedules a secret for deletion: it can be described, and neither read nor listed.
    pub fn schedule_deletion(&self, name: &str) {
        let mut vault = self.lock();
        let now = vault.now();
        if let Some(secret) = vault.secrets.get_mut(name) {
            secret.deleted = Some(now);
        }
    }

    /// Makes a secret, or gives it a new value; without a value it exists and can't be read, as AWS makes it.
    pub fn put(&self, name: &str, value: Option<&str>) {
        let mut vault = self.lock();
        let now = vault.now();
        let secret = vault.secrets.entry(name.to_owned());
        let secret = secret.or_insert_with(|| Secret::empty(now));
        if let Some(value) = value {
            let id = version_id(&format!("{name}/{}", secret.versions.len()));
            secret.add(id, value, vec![CURRENT.to_owned()], now);
        }
    }

    /// The current value of a secret.
    #[must_use]
    pub fn current(&self, name: &str) -> Option<String> {
        let vault = self.lock();
        let (_, version) = vault.secrets.get(name)?.stage(CURRENT)?;
        Some(version.value.clone())
    }

    /// The key that a secret is encrypted with, if it is another than the account's own.
    #[must_use]
    pub fn kms_key(&self, name: &str) -> Option<String> {
        self.lock().secrets.get(name)?.kms_key.clone()
    }

    /// How many versions a secret has.
    #[must_use]
    pub fn versions(&self, name: &str) -> usize {
        let vault = self.lock();
        let secret = vault.secrets.get(name);
        secret.map_or(0, |secret| secret.versions.len())
    }

    pub(super) fn answer(&self, operation: &str, input: &Value) -> Response<Body> {
        let result = match operation {
            "CreateSecret" => self.create(input),
            "GetSecretValue" => self.get_value(input),
            "PutSecretValue" => self.put_value(input),
            "UpdateSecret" => self.update(input),
            "DescribeSecret" => self.describe(input),
            "ListSecrets" => self.list(input),
            _ => Err(JsonError::new(
                "InvalidAction",
                format!("{operation} is not known here"),
            )),
        };
        response::json(CONTENT_TYPE, result)
    }

    fn create(&self, input: &Value) -> Result<Value, JsonError> {
        let name = string(input, "Name").ok_or_else(|| missing("Name"))?;
        let mut vault = self.lock();
        let now = vault.now();
        if vault.secrets.contains_key(name) {
            return Err(JsonError::new(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            ));
        }
        let mut secret = Secret::empty(now);
        secret.kms_key = string(input, "KmsKeyId").map(str::to_owned);
        let mut answer = json!({"ARN": Self::arn(name), "Name": name});
        if let Some(value) = string(input, "SecretString") {
            let id = token(input)?.unwrap_or_else(|| version_id(name));
            answer["VersionId"] = json!(id);
            secret.add(id, value, vec![CURRENT.to_owned()], now);
        }
        vault.secrets.insert(name.to_owned(), secret);
        Ok(answer)
    }

    fn get_value(&self, input: &Value) -> Result<Value, JsonError> {
        let name = resource(input);
        let vault = self.lock();
        let secret = vault.secrets.get(name).ok_or_else(no_secret)?;
        if secret.deleted.is_some() {
            return Err(JsonError::new(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        let stage = string(input, "VersionStage");
        let found = match string(input, "VersionId") {
            Some(id) => secret.versions.get_key_value(id),
            None => secret.stage(stage.unwrap_or(CURRENT)),
        };
        let (id, version) = found.ok_or_else(|| {
            let wanted = stage.unwrap_or(CURRENT);
            JsonError::new(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for staging label: {wanted}"),
            )
        })?;
        Ok(json!({
            "ARN": Self::arn(name),
            "Name": name,
            "VersionId": id,
            "SecretString": version.value,
            "VersionStages": version.stages,
            "CreatedDate": version.created,
        }))
    }

    fn put_value(&self, input: &Value) -> Result<Value, JsonError> {
        let name = resource(input);
        let value = string(input, "SecretString").ok_or_else(|| missing("SecretString"))?;
        let stages = input.get("VersionStages").and_then(Value::as_array);
        let stages = stages.map(|stages| {
            let stages = stages.iter().filter_map(Value::as_str);
            stages.map(str::to_owned).collect()
        });
        let mut vault = self.lock();
        let now = vault.now();
        let secret = vault.secrets.get_mut(name).ok_or_else(no_secret)?;
        let stages = stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
        let id = secret.write(name, value, token(input)?, stages, now)?;
        let stages = &secret.versions[&id].stages;
        Ok(json!({"ARN": Self::arn(name), "Name": name, "VersionId": id, "VersionStages": stages}))
    }

    /// Another value, another key, or both.
    fn update(&self, input: &Value) -> Result<Value, JsonError> {
        let name = resource(input);
        let mut vault = self.lock();
        let now = vault.now();
        let secret = vault.secrets.get_mut(name).ok_or_else(no_secret)?;
        let mut answer = json!({"ARN": Self::arn(name), "Name": name});
        if let Some(value) = string(input, "SecretString") {
            let stages = vec![CURRENT.to_owned()];
            let id = secret.write(name, value, token(input)?, stages, now)?;
            answer["VersionId"] = json!(id);
        }
        if let Some(key) = string(input, "KmsKeyId") {
            secret.kms_key = Some(key.to_owned());
            secret.changed = now;
        }
        Ok(answer)
    }

    /// The secrets whose names begin with the filter's value, 100 a page at most; the next page begins behind its token.
    fn list(&self, input: &Value) -> Result<Value, JsonError> {
        let most = input.get("MaxResults").and_then(Value::as_u64);
        let most = usize::try_from(most.unwrap_or(100)).unwrap_or(usize::MAX);
        if !(1..=100).contains(&most) {
            return Err(JsonError::new(
                "InvalidParameterException",
                "MaxResults is not between 1 and 100",
            ));
        }
        let filter = input.pointer("/Filters/0");
        let begins = match filter.map(|filter| (string(filter, "Key"), &filter["Values"][0])) {
            None => "",
            Some((Some("name"), value)) => value.as_str().unwrap_or_default(),
            Some(_) => return Err(missing("a filter that is known here")),
        };
        let after = string(input, "NextToken").unwrap_or_default();
        let vault = self.lock();
        let mut found = vault
            .secrets
            .iter()
            .filter(|(name, _)| name.starts_with(begins) && name.as_str() > after)
            .filter(|(_, secret)| secret.deleted.is_none());
        let page: Vec<_> = found.by_ref().take(most).collect();
        let next = found.next().and(page.last()).map(|(name, _)| name);
        let listed: Vec<Value> = page
            .iter()
            .map(|(name, secret)| {
                let mut listed = secret.describe(name);
                listed["SecretVersionsToStages"] = json!(secret.labelled());
                listed
            })
            .collect();
        Ok(json!({"SecretList": listed, "NextToken": next}))
    }

    fn describe(&self, input: &Value) -> Result<Value, JsonError> {
        let name = resource(input);
        let vault = self.lock();
        let secret = vault.secrets.get(name).ok_or_else(no_secret)?;
        let mut answer = secret.describe(name);
        answer["VersionIdsToStages"] = json!(secret.labelled());
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault {
    /// Seconds since 1970, by the clock that dates versions.
    fn now(&self) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().saturating_sub(self.behind);
        now.as_secs_f64()
    }
}

/// The name of the secret that a call is about, given by name or ARN.
pub(super) fn resource(input: &Value) -> &str {
    let id = string(input, "SecretId").or_else(|| string(input, "Name"));
    let id = id.unwrap_or_default();
    match id.rsplit_once(":secret:") {
        Some((_, name)) => name.strip_suffix("-local1").unwrap_or(name),
        None => id,
    }
}

fn string<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

fn token(input: &Value) -> Result<Option<String>, JsonError> {
    match string(input, "ClientRequestToken") {
        Some(token) if !(32..=64).contains(&token.len()) => Err(JsonError::new(
            "InvalidParameterException",
            "You provided a ClientRequestToken that is not 32 to 64 characters long.",
        )),
        token => Ok(token.map(str::to_owned)),
    }
}

fn no_secret() -> JsonError {
    JsonError::new(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

fn missing(name: &str) -> JsonError {
    JsonError::new("InvalidParameterException", format!("{name} is missing"))
}
