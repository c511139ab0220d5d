//! The backfills that there are: the executions of their state machine.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::BackfillInput;
use crate::arn::{MachineArn, name_of};
use crate::error::CommandError;
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions};

/// The pipeline's tag that names the state machine of backfills.
pub(crate) const MACHINE_TAG: &str = "cxone-reports:backfill";

/// Step Functions forgets executions after so long.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// At most so many backfills are looked at for a list.
const LISTED_MAX: usize = 20;

/// The state machine of backfills.
pub(crate) struct Backfills {
    executions: Executions,
}

/// One backfill, over all its executions.
pub(crate) struct BackfillRun {
    pub(crate) input: BackfillInput,
    pub(crate) status: BackfillStatus,
    pub(crate) started_at: Timestamp,
    pub(crate) stopped_at: Option<Timestamp>,
    /// The last of its executions.
    execution: String,
    /// What that one failed with.
    pub(crate) problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackfillStatus {
    Running,
    Done,
    /// Windows failed, or it could not go on.
    Failed,
    Cancelled,
}

impl BackfillStatus {
    fn of(status: &str) -> Self {
        match status {
            "SUCCEEDED" => Self::Done,
            "ABORTED" => Self::Cancelled,
            "FAILED" | "TIMED_OUT" => Self::Failed,
            _ => Self::Running,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Backfills {
    /// The state machine that the pipeline's tags name.
    pub(crate) async fn find(pipeline: &Executions) -> Result<Self, CommandError> {
        let tags = pipeline.list_tags().await?;
        let arn = tags.into_iter().find(|(key, _)| key == MACHINE_TAG);
        let (_, arn) = arn.ok_or(CommandError::NoBackfills { tag: MACHINE_TAG })?;
        let machine: MachineArn = arn.parse()?;
        Ok(Self {
            executions: pipeline.of_machine(machine),
        })
    }

    pub(crate) async fn start(&self, input: &BackfillInput) -> Result<(), CommandError> {
        let started = self.executions.start(&input.id, input.to_json()?).await;
        started.map(drop)
    }

    /// A backfill by its id.
    pub(crate) async fn describe(&self, id: &str) -> Result<BackfillRun, CommandError> {
        let unknown = || CommandError::UnknownBackfill { id: id.to_owned() };
        if id_of(id) != Some(id) {
            return Err(unknown());
        }
        let first = self.describe_part(id, 1).await?.ok_or_else(unknown)?;
        let started_at = first.summary.started_at;
        let input = serde_json::from_str(&first.input).map_err(|_| unknown())?;
        let mut last = first;
        // One that has ended well may have handed over, and one that was stopped at that moment too.
        for part in 2.. {
            if !["SUCCEEDED", "ABORTED"].contains(&last.summary.status.as_str()) {
                break;
            }
            match self.describe_part(id, part).await? {
                Some(next) => last = next,
                None => break,
            }
        }
        Ok(BackfillRun {
            input,
            status: BackfillStatus::of(&last.summary.status),
            started_at,
            stopped_at: last.summary.stopped_at,
            execution: last.summary.arn,
            problem: last
                .error
                .filter(|_| last.summary.status != "ABORTED")
                .map(|error| error.cause),
        })
    }

    async fn describe_part(
        &self,
        id: &str,
        part: u32,
    ) -> Result<Option<ExecutionDetail>, CommandError> {
        let name = match part {
            1 => id.to_owned(),
            _ => format!("{id}-{part}"),
        };
        match self.executions.describe(&name).await {
            Ok(detail) => Ok(Some(detail)),
            Err(CommandError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest backfills that Step Functions remembers, the newest first.
    pub(crate) async fn list(&self, now: Timestamp) -> Result<Vec<BackfillRun>, CommandError> {
        self.list_those(&[], now).await
    }

    /// Those of a report that run.
    pub(crate) async fn list_running(
        &self,
        tenant: &str,
        report: &str,
        now: Timestamp,
    ) -> Result<Vec<BackfillRun>, CommandError> {
        let mut runs = self.list_those(&["RUNNING"], now).await?;
        runs.retain(|run| {
            let is_same = run.input.tenant == tenant && run.input.report == report;
            is_same && run.status == BackfillStatus::Running
        });
        Ok(runs)
    }

    async fn list_those(
        &self,
        statuses: &[&str],
        now: Timestamp,
    ) -> Result<Vec<BackfillRun>, CommandError> {
        let listed = self.executions.list(statuses, now - REMEMBERED).await?;
        let mut runs = Vec::new();
        for id in newest_ids(&listed) {
            match self.describe(&id).await {
                Ok(run) => runs.push(run),
                Err(CommandError::UnknownBackfill { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(runs)
    }

    /// Stops a backfill, also where it hands over at this moment. Executions of windows that it has started go on.
    pub(crate) async fn stop(&self, id: &str, cause: &str) -> Result<BackfillRun, CommandError> {
        loop {
            let run = self.describe(id).await?;
            if run.status != BackfillStatus::Running {
                return Ok(run);
            }
            self.executions.stop(&run.execution, cause).await?;
        }
    }
}

/// The ids of the newest backfills, each once.
fn newest_ids(listed: &[ExecutionSummary]) -> Vec<String> {
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for one in listed {
        if let Some(id) = id_of(name_of(&one.arn)) {
            let at = newest.entry(id).or_insert(one.started_at);
            *at = one.started_at.max(*at);
        }
    }
    let mut ids: Vec<(&str, Timestamp)> = newest.into_iter().collect();
    ids.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    ids.truncate(LISTED_MAX);
    ids.into_iter().map(|(id, _)| id.to_owned()).collect()
}

/// The id in an execution's name, such as `bf-20261128-225103-2`.
fn id_of(name: &str) -> Option<&str> {
    const LENGTH: usize = "bf-20261128-225103".len();
    let id = name.get(..LENGTH)?;
    let is_id = id.starts_with("bf-") && id[3..].bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let rest = &name[LENGTH..];
    (is_id && (rest.is_empty() || rest.starts_with('-'))).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executions_of_one_backfill_have_one_id() {
        let id = "bf-20261128-225103";
        for (name, expected) in [
            (id, Some(id)),
            ("bf-20261128-225103-2", Some(id)),
            ("bf-20261128-2251034", None),
            ("bf-20261128", None),
            ("run-daily-agents-20261", None),
        ] {
            assert_eq!(id_of(name), expected, "{name}");
        }
    }
}
