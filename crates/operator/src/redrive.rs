//! `cxr redrive`: failed executions go on where they stopped.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::Error;
use crate::list::FAILED;
use crate::machine::{Described, Executions};
use crate::machine_arn::name_of;
use crate::show::printable;

/// Which executions, and whether really.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Names or ARNs.
    pub executions: Vec<String>,
    /// All that failed and were started since then.
    pub all_failed_since: Option<Timestamp>,
    /// Of those, only the ones that failed with this error.
    pub error: Option<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What became of one execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redriven {
    execution: String,
    /// Why it was not redriven; `None` if it was, or would be.
    problem: Option<String>,
    #[serde(skip)]
    exit_code: u8,
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    dry_run: bool,
    executions: Vec<Redriven>,
}

impl Outcome {
    /// 0 if every one was redriven, else the code of the worst problem.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let codes = self.executions.iter().map(|redriven| redriven.exit_code);
        codes.max().unwrap_or_default()
    }
}

/// Redrives the chosen ones. One that can't be does not keep the others from it.
pub async fn redrive(executions: &Executions, choice: Choice) -> Result<Outcome, Error> {
    let mut done = Vec::new();
    for name in &choice.executions {
        done.push(match executions.describe(name).await {
            Ok(described) => one(executions, &described, choice.dry_run).await,
            Err(error) => Redriven::failed(name, &error),
        });
    }
    if let Some(since) = choice.all_failed_since {
        for listed in executions.list(&FAILED, since).await? {
            let described = executions.describe(&listed.arn).await?;
            let error = described.fault.as_ref().map(|fault| &fault.error);
            if choice.error.is_none() || choice.error.as_ref() == error {
                done.push(one(executions, &described, choice.dry_run).await);
            }
        }
    }
    Ok(Outcome {
        dry_run: choice.dry_run,
        executions: done,
    })
}

async fn one(executions: &Executions, described: &Described, dry_run: bool) -> Redriven {
    let arn = &described.listed.arn;
    if let Some(reason) = &described.not_redrivable {
        let error = Error::NotRedrivable {
            execution: name_of(arn).to_owned(),
            reason: reason.clone(),
        };
        return Redriven::failed(arn, &error);
    }
    let result = if dry_run {
        Ok(())
    } else {
        executions.redrive(described).await
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
    fn failed(execution: &str, error: &Error) -> Self {
        Self {
            execution: execution.to_owned(),
            problem: Some(format!("{}: {error}", error.code())),
            exit_code: error.exit_code(),
        }
    }
}

impl fmt::Display for Outcome {
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
                Some(problem) => writeln!(f, "{name}: not redriven: {}", printable(problem))?,
            }
        }
        Ok(())
    }
}
