//! `cxr show EXECUTION`: why an execution failed and what to do about it.

use std::fmt;

use delivery::advice;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Deployment;
use crate::arn::name_of;
use crate::bucket::Bucket;
use crate::error::CommandError;
use crate::error_name::STOPPED;
use crate::history::{CxoneRun, History, StateFailure};
use crate::output::{Output, count_of, count_rows, one_line};
use crate::place::PlaceArgs;
use crate::request::Request;
use crate::state::{
    Remedy, StoredSoFar, drift_line, first_definition_line, replay_lines, retry_line,
};
use crate::step_functions::ExecutionDetail;
use crate::survey::Survey;

/// Prints why an execution failed, given its name or ARN.
pub(super) async fn show_execution(
    output: &mut Output<'_>,
    deployment: &Deployment,
    place: &PlaceArgs,
    execution: &str,
) -> Result<u8, CommandError> {
    let detail = deployment.executions.describe(execution).await?;
    let history = deployment.executions.read_history(execution).await?;
    let request = Request::from_input(&detail.input);
    let stored = match history.failure.as_ref().map(|it| it.error.error.as_str()) {
        _ if history.generation.is_some() => StoredSoFar::Window,
        // Refused before anything was stored of the window, and perhaps of its report. Whoever may not look is told of the
        // more likely.
        Some("Cxone.Config") => match knows_report(deployment, place, &request).await {
            Ok(false) => StoredSoFar::Nothing,
            Ok(true) | Err(_) => StoredSoFar::Report,
        },
        _ => StoredSoFar::Report,
    };
    output.print(&Explanation::new(detail, request, history, stored))?;
    Ok(0)
}

/// Whether the bucket knows the report of a request.
async fn knows_report(
    deployment: &Deployment,
    place: &PlaceArgs,
    request: &Request,
) -> Result<bool, CommandError> {
    let place = place.find(Some(&deployment.executions)).await?;
    let survey = Survey {
        bucket: Bucket::new(&deployment.config, place, deployment.cache.clone()),
        executions: None,
        cache: deployment.cache.clone(),
    };
    survey.has_report(request).await
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Explanation {
    execution: String,
    status: String,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    redrive_count: i32,
    /// Why it can't be redriven; `None` if it can.
    not_redrivable: Option<String>,
    request: Request,
    #[serde(rename = "story")]
    history: History,
    advice: Option<String>,
    /// What to type.
    commands: Vec<String>,
}

/// The state in which what was delivered becomes a version of the report's table.
const PUBLISH: &str = "Publish";

fn failure_state(history: &History) -> Option<&str> {
    let failure = history.failure.as_ref();
    failure.map(|failure| failure.state.as_str())
}

impl Explanation {
    fn new(
        detail: ExecutionDetail,
        request: Request,
        mut history: History,
        stored: StoredSoFar,
    ) -> Self {
        let failure = history.failure.as_ref().map(|failure| &failure.error);
        let error = failure.or(detail.error.as_ref());
        let has_failed = !matches!(detail.summary.status.as_str(), "SUCCEEDED" | "RUNNING");
        let advice = error
            .filter(|_| has_failed)
            .map(|error| describe_advice(&error.error, &request));
        let name = error.map(|error| error.error.clone());
        history.window = history.window.or(request.window);
        let has_delivered = failure_state(&history) == Some(PUBLISH);
        let commands = if has_failed && has_delivered && detail.not_redrivable.is_none() {
            vec![format!("cxr redrive {}", name_of(&detail.summary.arn))]
        } else if has_failed {
            Self::suggest(&detail, &request, name.as_deref(), stored)
        } else {
            Vec::new()
        };
        Self {
            execution: detail.summary.arn,
            status: detail.summary.status,
            started_at: detail.summary.started_at,
            stopped_at: detail.summary.stopped_at,
            redrive_count: detail.redrive_count,
            not_redrivable: detail.not_redrivable,
            request,
            history,
            advice,
            commands,
        }
    }

    /// What to type after a failure: about the window, if it is known, because that is what has to be there.
    fn suggest(
        detail: &ExecutionDetail,
        request: &Request,
        error: Option<&str>,
        stored: StoredSoFar,
    ) -> Vec<String> {
        let is_redrivable = detail.not_redrivable.is_none();
        let Some((report, window)) = request.address() else {
            let name = name_of(&detail.summary.arn);
            let redrive = is_redrivable.then(|| format!("cxr redrive {name}"));
            return redrive.into_iter().collect();
        };
        // The window may have been delivered before, and then cxr retry leaves it alone.
        let is_correction =
            request.replay.is_some() || request.withdraw.is_some() || request.restate.is_some();
        let remedy = match Remedy::after_failure(error, stored, is_redrivable) {
            Remedy::Run if error == Some(STOPPED) && is_redrivable => Remedy::Redrive,
            remedy => remedy,
        };
        match remedy {
            Remedy::Replay => replay_lines(&report, &window, error),
            Remedy::FirstDefinition => vec![first_definition_line(&window)],
            Remedy::Run if error == Some("Cxone.Config") => {
                vec![retry_line(&report, &window), drift_line()]
            }
            Remedy::Redrive if is_correction => {
                vec![format!("cxr redrive {}", name_of(&detail.summary.arn))]
            }
            _ => vec![retry_line(&report, &window)],
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (request, history) = (&self.request, &self.history);
        writeln!(f, "report     {}", one_line(&request.title()))?;
        if let Some(window) = history.window {
            writeln!(f, "window     {window}")?;
        }
        for (label, asked) in request.wishes() {
            writeln!(f, "{label:<10} {}", one_line(asked))?;
        }
        writeln!(f, "execution  {}", self.execution)?;
        writeln!(f, "status     {}", self.status_line())?;
        if let Some(outcome) = &history.outcome
            && history.failure.is_none()
        {
            writeln!(f, "outcome    {}", one_line(outcome))?;
            for warning in &history.warnings {
                writeln!(f, "warning    {}", one_line(warning))?;
            }
        }
        for failure in &history.earlier_failures {
            writeln!(f, "earlier    {} at {}", failure_line(failure), failure.at)?;
        }
        if let Some(failure) = &history.failure {
            writeln!(f, "failed     {}", failure_line(failure))?;
            writeln!(f, "cause      {}", one_line(&failure.error.cause))?;
        }
        if let Some(advice) = &self.advice {
            writeln!(f, "to do      {advice}")?;
        }
        for command in &self.commands {
            writeln!(f, "           {command}")?;
        }
        self.write_runs(f)
    }
}

impl Explanation {
    fn status_line(&self) -> String {
        let mut parts = vec![self.status.clone(), format!("started {}", self.started_at)];
        parts.extend(self.stopped_at.map(|at| format!("stopped {at}")));
        if let Ok(count @ 1..) = usize::try_from(self.redrive_count) {
            parts.push(count_of(count, "redrive"));
        }
        parts.push(format!(
            "{} done",
            count_of(self.history.tasks as usize, "task")
        ));
        match &self.history.state {
            Some(state) if self.status == "RUNNING" => parts.push(format!("now in {state}")),
            _ => {}
        }
        parts.join(", ")
    }

    fn write_runs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.history.runs.is_empty() {
            return writeln!(f, "runs       no run was started");
        }
        let is_cancellation = self.request.cancel.is_some();
        for (index, run) in self.history.runs.iter().enumerate() {
            let label = if index == 0 { "runs" } else { "" };
            writeln!(
                f,
                "{label:<10} {}",
                one_line(&run_line(run, is_cancellation))
            )?;
        }
        Ok(())
    }
}

fn failure_line(failure: &StateFailure) -> String {
    let StateFailure {
        state,
        attempts,
        error,
        ..
    } = failure;
    let state = if state.is_empty() {
        "before any state"
    } else {
        state
    };
    let times = count_of(*attempts as usize, "attempt");
    format!("{state} with {}, after {times}", one_line(&error.error))
}

fn run_line(run: &CxoneRun, is_cancellation: bool) -> String {
    let mut parts = vec![
        format!("segment {} run {}: {}", run.segment, run.run, run.run_id),
        format!("started {}", run.triggered_at),
    ];
    if run.ended.is_none() || is_cancellation {
        parts.extend(run.state.clone());
    }
    if run.page_count > 0 {
        let pages = usize::try_from(run.page_count).unwrap_or(usize::MAX);
        parts.push(format!(
            "{} with {}",
            count_of(pages, "page"),
            count_rows(run.row_count)
        ));
    }
    if let Some(ended) = &run.ended {
        if is_cancellation {
            let what = ["not cancelled", "cancelled"][usize::from(run.cancelled)];
            parts.push(what.to_owned());
            return parts.join(", ");
        }
        parts.push(ended.reason.describe().to_owned());
        if !ended.detail.is_empty() {
            parts.push(format!("{:?}", ended.detail));
        }
    }
    parts.join(", ")
}

/// What happened and what to do, in sentences.
fn describe_advice(error: &str, request: &Request) -> String {
    let advice = advice(error, request.api);
    let mut meaning = advice.meaning.chars();
    let first = meaning.next().map(|letter| letter.to_ascii_uppercase());
    let meaning: String = first.into_iter().chain(meaning).collect();
    format!("{meaning}. {}", advice.action)
}
