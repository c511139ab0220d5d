//! `cxr show`: why an execution failed, in one look.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::advice::advice;
use crate::check::counted;
use crate::machine::Described;
use crate::machine_arn::name_of;
use crate::request::Request;
use crate::story::{Failure, Fault, Run, Story};

/// All there is to say about an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    execution: String,
    status: String,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    redrive_count: i32,
    /// Why it can't be redriven; `None` if it can.
    not_redrivable: Option<String>,
    request: Request,
    story: Story,
    advice: Option<&'static str>,
}

impl Report {
    /// Puts together what Step Functions says of an execution and what its history tells.
    #[must_use]
    pub fn new(described: Described, mut story: Story) -> Self {
        let failure = story
            .failure
            .as_ref()
            .map(|failure| failure.fault.error.as_str());
        let error = failure.or(described.fault.as_ref().map(|fault| fault.error.as_str()));
        let has_failed = !matches!(described.listed.status.as_str(), "SUCCEEDED" | "RUNNING");
        let advice = error.filter(|_| has_failed).map(advice);
        let request = Request::read(&described.input);
        story.window = story.window.or(request.window);
        Self {
            execution: described.listed.arn,
            status: described.listed.status,
            started_at: described.listed.started_at,
            stopped_at: described.listed.stopped_at,
            redrive_count: described.redrive_count,
            not_redrivable: described.not_redrivable,
            request,
            story,
            advice,
        }
    }

    fn can_be_redriven(&self) -> bool {
        self.not_redrivable.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (request, story) = (&self.request, &self.story);
        writeln!(f, "report     {}", printable(&request.title()))?;
        if let Some(window) = story.window {
            writeln!(f, "window     {window}")?;
        }
        if let Some(replay) = &request.replay {
            writeln!(f, "replay     {}", printable(replay))?;
        }
        writeln!(f, "execution  {}", self.execution)?;
        writeln!(f, "status     {}", self.status_line())?;
        if let Some(outcome) = &story.outcome
            && story.failure.is_none()
        {
            writeln!(f, "outcome    {}", printable(outcome))?;
        }
        for failure in &story.earlier_failures {
            writeln!(f, "earlier    {} at {}", failure_line(failure), failure.at)?;
        }
        if let Some(failure) = &story.failure {
            writeln!(f, "failed     {}", failure_line(failure))?;
            writeln!(f, "cause      {}", printable(&failure.fault.cause))?;
        }
        if let Some(advice) = self.advice {
            writeln!(f, "to do      {advice}")?;
        }
        if self.can_be_redriven() {
            writeln!(f, "           cxr redrive {}", name_of(&self.execution))?;
        }
        self.write_runs(f)
    }
}

impl Report {
    fn status_line(&self) -> String {
        let mut parts = vec![self.status.clone(), format!("started {}", self.started_at)];
        parts.extend(self.stopped_at.map(|at| format!("stopped {at}")));
        if let Ok(count @ 1..) = usize::try_from(self.redrive_count) {
            parts.push(counted(count, "redrive"));
        }
        parts.push(format!(
            "{} done",
            counted(self.story.tasks as usize, "task")
        ));
        match &self.story.state {
            Some(state) if self.status == "RUNNING" => parts.push(format!("now in {state}")),
            _ => {}
        }
        parts.join(", ")
    }

    fn write_runs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.story.runs.is_empty() {
            return writeln!(f, "runs       none was looked after");
        }
        for (index, run) in self.story.runs.iter().enumerate() {
            let label = if index == 0 { "runs" } else { "" };
            writeln!(f, "{label:<10} {}", printable(&run_line(run)))?;
        }
        Ok(())
    }
}

fn failure_line(failure: &Failure) -> String {
    let Failure {
        state,
        attempts,
        fault,
        ..
    } = failure;
    let state = if state.is_empty() {
        "before any state"
    } else {
        state
    };
    let times = counted(*attempts as usize, "attempt");
    format!("{state} with {}, after {times}", printable(&fault.error))
}

fn run_line(run: &Run) -> String {
    let mut parts = vec![
        format!("segment {} run {}: {}", run.segment, run.run, run.run_id),
        format!("started {}", run.triggered_at),
    ];
    if run.ended.is_none() {
        parts.extend(run.state.clone());
    }
    if run.page_count > 0 {
        let pages = usize::try_from(run.page_count).unwrap_or(usize::MAX);
        parts.push(format!(
            "{} with {} rows",
            counted(pages, "page"),
            run.row_count
        ));
    }
    if let Some(ended) = &run.ended {
        parts.push(ended.reason.describe().to_owned());
        if !ended.detail.is_empty() {
            parts.push(format!("{:?}", ended.detail));
        }
    }
    parts.join(", ")
}

/// The fault in one line, for lists.
#[must_use]
pub fn fault_line(fault: &Fault) -> String {
    printable(&format!("{}: {}", fault.error, fault.cause))
}

/// Without control characters: causes hold what CXone said, and a terminal obeys some of them.
pub(crate) fn printable(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(plain).collect()
}
