//! One secret and its versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Secrets;
use crate::response::JsonError;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

#[derive(Debug, Default)]
pub(super) struct Secret {
    pub(super) versions: BTreeMap<String, Version>,
    pub(super) created: f64,
    pub(super) changed: f64,
    pub(super) kms_key: Option<String>,
    /// When it was scheduled for deletion.
    pub(super) deleted: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Version {
    pub(super) value: String,
    pub(super) stages: Vec<String>,
    pub(super) created: f64,
}

impl Secret {
    pub(super) fn empty(created: f64) -> Self {
        Self {
            versions: BTreeMap::new(),
            created,
            changed: created,
            kms_key: None,
            deleted: None,
        }
    }

    /// What `ListSecrets` and `DescribeSecret` both say.
    pub(super) fn describe(&self, name: &str) -> Value {
        let mut answer = json!({
            "ARN": Secrets::arn(name),
            "Name": name,
            "CreatedDate": self.created,
            "LastChangedDate": self.changed,
        });
        if let Some(key) = &self.kms_key {
            answer["KmsKeyId"] = json!(key);
        }
        if let Some(deleted) = self.deleted {
            answer["DeletedDate"] = json!(deleted);
        }
        answer
    }

    pub(super) fn labelled(&self) -> BTreeMap<&String, &Vec<String>> {
        let versions = self.versions.iter();
        versions
            .map(|(id, version)| (id, &version.stages))
            .filter(|(_, stages)| !stages.is_empty())
            .collect()
    }

    /// A token that was used before is a no-op with the same value and a conflict with another one: a compare-and-set.
    pub(super) fn write(
        &mut self,
        name: &str,
        value: &str,
        token: Option<String>,
        stages: Vec<String>,
        now: f64,
    ) -> Result<String, JsonError> {
        let id = token.unwrap_or_else(|| version_id(&format!("{name}/{}", self.versions.len())));
        match self.versions.get(&id) {
            Some(version) if version.value == value => {}
            Some(_) => {
                return Err(JsonError::new(
                    "ResourceExistsException",
                    format!(
                        "You can't modify an existing version, you can only create a new version: {id}"
                    ),
                ));
            }
            None => self.add(id.clone(), value, stages, now),
        }
        Ok(id)
    }

    pub(super) fn stage(&self, stage: &str) -> Option<(&String, &Version)> {
        let mut versions = self.versions.iter();
        versions.find(|(_, version)| version.stages.iter().any(|held| held == stage))
    }

    /// Adds a version and moves the labels to it; the version that was current becomes the previous one.
    pub(super) fn add(&mut self, id: String, value: &str, stages: Vec<String>, created: f64) {
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
        self.changed = created;
    }
}

pub(super) fn version_id(seed: &str) -> String {
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
