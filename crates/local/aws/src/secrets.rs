//! Secrets Manager, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::http::Body;
use crate::response::{self, JsonError};

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Secrets and their versions.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Mutex<Vault>>);

#[derive(Debug, Default)]
struct Vault {
    secrets: BTreeMap<String, Secret>,
    /// How far the clock is behind that dates new versions.
    behind: Duration,
}

#[derive(Debug, Default)]
struct Secret {
    versions: BTreeMap<String, Version>,
    created: f64,
}

#[derive(Debug)]
struct Version {
    value: String,
    stages: Vec<String>,
    created: f64,
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
            "DescribeSecret" => self.describe(input),
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

    /// A token that was used before is a no-op with the same value and a conflict with another one: a compare-and-set.
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
        let id = match token(input)? {
            Some(id) => id,
            None => version_id(&format!("{name}/{}", secret.versions.len())),
        };
        let stages = match secret.versions.get(&id) {
            Some(version) if version.value == value => version.stages.clone(),
            Some(_) => {
                return Err(JsonError::new(
                    "ResourceExistsException",
                    format!(
                        "You can't modify an existing version, you can only create a new version: {id}"
                    ),
                ));
            }
            None => {
                let stages: Vec<String> = stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
                secret.add(id.clone(), value, stages.clone(), now);
                stages
            }
        };
        Ok(json!({"ARN": Self::arn(name), "Name": name, "VersionId": id, "VersionStages": stages}))
    }

    fn describe(&self, input: &Value) -> Result<Value, JsonError> {
        let name = resource(input);
        let vault = self.lock();
        let secret = vault.secrets.get(name).ok_or_else(no_secret)?;
        let labelled = secret
            .versions
            .iter()
            .filter(|(_, version)| !version.stages.is_empty());
        let stages: BTreeMap<_, _> = labelled
            .map(|(id, version)| (id, &version.stages))
            .collect();
        Ok(json!({
            "ARN": Self::arn(name),
            "Name": name,
            "CreatedDate": secret.created,
            "VersionIdsToStages": stages,
        }))
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

impl Secret {
    fn empty(created: f64) -> Self {
        Self {
            versions: BTreeMap::new(),
            created,
        }
    }

    fn stage(&self, stage: &str) -> Option<(&String, &Version)> {
        let mut versions = self.versions.iter();
        versions.find(|(_, version)| version.stages.iter().any(|held| held == stage))
    }

    /// Adds a version and moves the labels to it; the version that was current becomes the previous one.
    fn add(&mut self, id: String, value: &str, stages: Vec<String>, created: f64) {
        let current = self.stage(CURRENT).map(|(id, _)| id.clone());
        if stages.iter().any(|stage| stage == CURRENT) {
            for version in self.versions.values_mut() {
                version.stages.retain(|stage| stage != PREVIOUS);
            }
            if let Some(version) = current.and_then(|id| self.versions.get_mut(&id)) {
                version.stages.push(PREVIOUS.to_owned());
            }
        }
        for version in self.versions.values_mut() {
            version.stages.retain(|stage| !stages.contains(stage));
        }
        let version = Version {
            value: value.to_owned(),
            stages,
            created,
        };
        self.versions.insert(id, version);
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

fn version_id(seed: &str) -> String {
    let hash = hex::encode(&Sha256::digest(seed)[..16]);
    format!(
        "{}-{}-{}-{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[12..16],
        &hash[16..20],
        &hash[20..]
    )
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
