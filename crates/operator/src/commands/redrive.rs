//! `cxr redrive`: lets failed executions go on where they stopped.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::arn::name_of;
use crate::error::CommandError;
use crate::error_name::find_error_name;
use crate::output::{Output, one_line};
use crate::step_functions::{ExecutionDetail, Executions, FAILED};
use crate::time;

/// How long after its end an execution can be redriven.
const REDRIVABLE_FOR: &str = "14d";

/// Let failed executions go on where they stopped.
#[derive(Debug, Args)]
pub(super) struct RedriveArgs {
    /// Their names or ARNs.
    #[arg(required_unless_present = "all_failed")]
    executions: Vec<String>,
    /// Every execution that failed since --since. For windows rather than executions, see cxr retry.
    #[arg(long, conflicts_with = "executions")]
    all_failed: bool,
    /// With --all-failed: a time, or how long ago. 14 days if nothing is said, because no redrive is possible later.
    #[arg(long, requires = "all_failed", conflicts_with = "executions")]
    since: Option<String>,
    /// With --all-failed: only those that failed with this error, such as Auth or Cxone.Auth.
    #[arg(long, requires = "all_failed", conflicts_with = "executions")]
    error: Option<String>,
    /// Print which executions would be redriven, and redrive none.
    #[arg(long)]
    dry_run: bool,
}

impl RedriveArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        executions: &Executions,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let since = self.since.as_deref().unwrap_or(REDRIVABLE_FOR);
        let since = self
            .all_failed
            .then(|| time::parse_since(since, now))
            .transpose()?;
        let error = self.error.as_deref().map(find_error_name).transpose()?;
        let outcome = self.redrive_all(executions, since, error).await?;
        output.print(&outcome)?;
        Ok(outcome.exit_code())
    }

    /// Redrives the named executions or those found. One that can't be redriven does not stop the others.
    async fn redrive_all(
        &self,
        executions: &Executions,
        since: Option<Timestamp>,
        error: Option<String>,
    ) -> Result<RedriveOutcome, CommandError> {
        let mut done = Vec::new();
        for name in &self.executions {
            done.push(match executions.describe(name).await {
                Ok(detail) => redrive_one(executions, &detail, self.dry_run).await,
                Err(error) => Redriven::failed(name, &error),
            });
        }
        if let Some(since) = since {
            for summary in executions.list(&FAILED, since).await? {
                let detail = executions.describe(&summary.arn).await?;
                let failed_with = detail.error.as_ref().map(|error| &error.error);
                if error.is_none() || error.as_ref() == failed_with {
                    done.push(redrive_one(executions, &detail, self.dry_run).await);
                }
            }
        }
        Ok(RedriveOutcome {
            dry_run: self.dry_run,
            executions: done,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Redriven {
    execution: String,
    /// Why it was not redriven; `None` if it was, or if a dry run would have done it.
    problem: Option<String>,
    #[serde(skip)]
    exit_code: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct RedriveOutcome {
    dry_run: bool,
    executions: Vec<Redriven>,
}

impl RedriveOutcome {
    /// 0 if every execution was redriven, else the highest code of their problems.
    fn exit_code(&self) -> u8 {
        let codes = self.executions.iter().map(|redriven| redriven.exit_code);
        codes.max().unwrap_or_default()
    }
}

async fn redrive_one(executions: &Executions, detail: &ExecutionDetail, dry_run: bool) -> Redriven {
    let arn = &detail.summary.arn;
    if let Some(reason) = &detail.not_redrivable {
        let error = CommandError::NotRedrivable {
            execution: name_of(arn).to_owned(),
            reason: reason.clone(),
        };
        return Redriven::failed(arn, &error);
    }
    let result = if dry_run {
        Ok(())
    } else {
        executions.redrive(detail).await
    };
    match result {
        Ok(()) => Redriven {
            execution: arn.clone(),
            problem: None,
            exit_code: 0,
        },
        Err(error) => Redriven::failed(arn, &error),
    }
}

impl Redriven {
    fn failed(execution: &str, error: &CommandError) -> Self {
        Self {
            execution: execution.to_owned(),
            problem: Some(format!("{}: {error}", error.code())),
            exit_code: error.exit_code(),
        }
    }
}

impl fmt::Display for RedriveOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.executions.is_empty() {
            return writeln!(f, "there is nothing to redrive");
        }
        let verb = if self.dry_run {
            "would be redriven"
        } else {
            "redriven"
        };
        for one in &self.executions {
            let name = name_of(&one.execution);
            match &one.problem {
                None => writeln!(f, "{name}: {verb}")?,
                Some(problem) => writeln!(f, "{name}: not redriven: {}", one_line(problem))?,
            }
        }
        Ok(())
    }
}
