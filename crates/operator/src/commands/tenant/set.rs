//! `cxr tenant set`: makes a tenant's two secrets, or changes them.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use definition::TenantId;
use definition::tenant::{SecretNames, TenantSecret};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::change::{Change, What, compare_fields};
use super::parse_tenant;
use crate::definition_file;
use crate::error::CommandError;
use crate::output::Output;
use crate::secrets_manager::{SecretSummary, SecretWrite, Secrets};

/// What the token's secret holds when there is no token in it: whoever is granted one overwrites it.
const NO_TOKEN: &str = "{}";

/// Make a tenant's two secrets from a file, or change them; says which fields change, and no secret.
#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// The tenant, as `pipeline.tenant` names it.
    name: String,
    /// JSON with everything that reaches the tenant; - is the standard input.
    file: PathBuf,
    /// The key that the secrets are encrypted with, by ARN, id or alias; the stack's output `KeyArn`. Without it they keep the key they have, and new ones have the account's own.
    #[arg(long, value_name = "KEY")]
    kms_key_id: Option<String>,
    /// Say what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl SetArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        secrets: &Secrets,
        prefix: &str,
    ) -> Result<u8, CommandError> {
        let (tenant, names) = parse_tenant(&self.name, prefix)?;
        let (value, wanted) = read_file(&self.file)?;
        let key = self.kms_key_id.as_deref();
        let SecretNames {
            tenant: secret,
            token,
        } = names;
        let (plan, moves) = plan_tenant(secrets, secret, value, &wanted, key).await?;
        let token = plan_token(secrets, token, moves, key).await?;
        // The token goes first: a second call would not see any more that the address has changed.
        let steps = [token, plan];
        if !self.dry_run {
            for step in &steps {
                step.carry_out(secrets).await?;
            }
        }
        let [token, plan] = steps;
        output.print(&SetOutcome {
            tenant,
            dry_run: self.dry_run,
            secrets: [plan, token],
        })?;
        Ok(0)
    }
}

/// The file as it is, and what it says.
pub(in crate::commands) fn read_file(
    file: &Path,
) -> Result<(SecretString, TenantSecret), CommandError> {
    let bytes = definition_file::read_bytes(file)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| definition_file::unreadable(file, "it is not a text in UTF-8"))?;
    let wanted = TenantSecret::parse(&text).map_err(|problem| CommandError::Tenant {
        place: file.display().to_string(),
        problem,
    })?;
    Ok((text.into(), wanted))
}

/// What is to be done to a secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SecretPlan {
    secret: String,
    action: Action,
    changes: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip)]
    write: SecretWrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create,
    Change,
    Nothing,
}

impl SecretPlan {
    async fn carry_out(&self, secrets: &Secrets) -> Result<(), CommandError> {
        match self.action {
            Action::Create => secrets.create(&self.secret, &self.write).await,
            Action::Change => secrets.update(&self.secret, &self.write).await,
            Action::Nothing => Ok(()),
        }
    }

    /// What is to be done to a secret that may exist, with the key it is to have. Which value it gets is not said yet.
    fn new(
        secret: String,
        found: Option<&SecretSummary>,
        mut changes: Vec<Change>,
        key: Option<&str>,
    ) -> Self {
        let had = found.and_then(|found| found.kms_key.as_deref());
        let key = key.filter(|key| had.is_none_or(|had| !is_same_key(had, key)));
        changes.extend(key.map(|key| Change {
            field: "KMS key",
            what: had.map_or(What::Added, |_| What::Changed),
            before: had.map(Value::from),
            after: Some(key.into()),
        }));
        let action = match found {
            None => Action::Create,
            Some(_) if changes.is_empty() => Action::Nothing,
            Some(_) => Action::Change,
        };
        Self {
            secret,
            action,
            changes,
            note: None,
            write: SecretWrite {
                value: None,
                kms_key: key.map(str::to_owned),
            },
        }
    }
}

/// What becomes of the tenant's secret, and whether the tenant is at another address than before.
async fn plan_tenant(
    secrets: &Secrets,
    secret: String,
    value: SecretString,
    wanted: &TenantSecret,
    key: Option<&str>,
) -> Result<(SecretPlan, bool), CommandError> {
    let found = secrets.describe(&secret).await?;
    let stored = secrets.read(&secret).await?;
    let (known, problem) = match stored.map(|it| TenantSecret::parse(it.expose_secret())) {
        Some(Ok(known)) => (Some(known), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    let fields = known.as_ref().map_or(&[][..], TenantSecret::fields);
    let changes = compare_fields(fields, wanted.fields());
    // Another client's token is not used anyway, because a stored token carries whom it was granted to.
    let moves = known.is_none_or(|known| known.address != wanted.address);
    let mut plan = SecretPlan::new(secret, found.as_ref(), changes, key);
    // Also with another key alone, because AWS encrypts what is there anew only for those who may use the key for it.
    plan.write.value = Some(value);
    plan.note = problem.map(|problem| {
        format!("what is stored can't be used and is replaced as a whole: {problem}")
    });
    Ok((plan, moves))
}

/// What becomes of the secret of the tenant's token, which is made without a value.
async fn plan_token(
    secrets: &Secrets,
    secret: String,
    moves: bool,
    key: Option<&str>,
) -> Result<SecretPlan, CommandError> {
    let found = secrets.describe(&secret).await?;
    let mut plan = SecretPlan::new(secret, found.as_ref(), Vec::new(), key);
    let reason = match plan.action {
        Action::Change => "its secret gets another key",
        _ if moves => "it is of another address",
        _ => return Ok(plan),
    };
    if found.is_some_and(|found| found.has_value) {
        plan.action = Action::Change;
        plan.write.value = Some(NO_TOKEN.into());
        plan.note = Some(format!("the stored token is discarded, because {reason}"));
    }
    Ok(plan)
}

/// Whether two names of a key are of the same one: a key has an ARN that ends with its id or alias.
fn is_same_key(one: &str, other: &str) -> bool {
    fn last_part(key: &str) -> &str {
        let name = key.rsplit(':').next().unwrap_or(key);
        name.strip_prefix("key/").unwrap_or(name)
    }
    last_part(one) == last_part(other)
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct SetOutcome {
    #[schemars(with = "String")]
    tenant: TenantId,
    dry_run: bool,
    /// The tenant's, and the one of its token.
    secrets: [SecretPlan; 2],
}

impl fmt::Display for SetOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plan in &self.secrets {
            let action = match (plan.action, self.dry_run) {
                (Action::Nothing, _) => "unchanged",
                (Action::Create, false) => "created",
                (Action::Create, true) => "would be created",
                (Action::Change, false) => "changed",
                (Action::Change, true) => "would be changed",
            };
            writeln!(f, "{}: {action}", plan.secret)?;
            if let Some(note) = &plan.note {
                writeln!(f, "  {note}")?;
            }
            for change in &plan.changes {
                writeln!(f, "  {change}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_several_names() {
        let arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd";
        for (one, other, same) in [
            (arn, arn, true),
            (arn, "1234abcd", true),
            ("alias/reports", "arn:aws:kms:r:1:alias/reports", true),
            (arn, "1234abce", false),
            (arn, "alias/1234abcd", false),
        ] {
            assert_eq!(is_same_key(one, other), same, "{one} {other}");
            assert_eq!(is_same_key(other, one), same, "{other} {one}");
        }
    }
}
