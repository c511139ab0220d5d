//! What an execution is started with: a scheduled event, and the name that goes with it.

use std::fmt;

use clap::Args;
use definition::{Definition, Window};
use delivery::{Audit, ScheduledEvent};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::address::slug;
use crate::arn::{MachineArn, name_of};
use crate::definition_file::DefinitionFile;
use crate::digest::hex_digest;
use crate::error::CommandError;
use crate::history::ExecutionError;
use crate::output::{Output, one_line};
use crate::step_functions::Executions;
use crate::target::WindowChoice;

/// The largest input that Step Functions accepts.
const MAX_INPUT_BYTES: usize = 256 * 1024;

/// The longest name that Step Functions accepts, in characters.
const MAX_NAME_CHARS: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct RequesterArg {
    /// Who asks for a replay or a withdrawal; kept with the data.
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    requested_by: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReasonArgs {
    /// Why; kept with the data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    requester: RequesterArg,
}

impl RequesterArg {
    /// Who asks for a correction, and why. Both are for those who look at the data later, so that neither may be empty.
    pub(crate) fn give_reason(&self, reason: &str) -> Result<Audit, CommandError> {
        for (what, text) in [
            ("the reason", reason),
            ("--requested-by", &self.requested_by),
        ] {
            if text.trim().is_empty() {
                return Err(CommandError::Empty { what });
            }
        }
        Ok(Audit {
            reason: reason.to_owned(),
            requested_by: self.requested_by.clone(),
        })
    }
}

impl ReasonArgs {
    pub(crate) fn read(&self) -> Result<Audit, CommandError> {
        self.requester.give_reason(&self.reason)
    }
}

/// What is asked of a window that may have been delivered.
#[derive(Debug)]
pub(crate) enum Correction {
    /// To fetch it again.
    Replay(Audit),
    /// To build it anew from the pages that are stored.
    StoredReplay(Audit),
    /// To take it back.
    Withdrawal(Audit),
    /// To stop its run at CXone.
    Cancellation(Audit),
}

/// The event that asks for one window, and what its execution is named after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecutionInput {
    event: ScheduledEvent,
    report: String,
    window: Window,
    /// The execution that did not deliver the window, for one that is to.
    after: Option<String>,
}

/// An execution that was started, and what it said first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StartedExecution {
    execution: String,
    outcome: Option<String>,
    warnings: Vec<String>,
    /// Why it failed, if it failed at once.
    failure: Option<ExecutionError>,
}

/// Starts an execution and tells its first answer. The same input again is the same execution, as long as it runs.
/// Returns the exit code: 1 for an execution that failed at once, 2 for a withdrawal of what nobody asked for.
pub(crate) async fn start_execution(
    executions: &Executions,
    input: &ExecutionInput,
    output: &mut Output<'_>,
) -> Result<u8, CommandError> {
    let name = input.execution_name();
    let execution = executions.start(&name, input.to_json()?).await?;
    let history = executions.read_first_answer(&execution).await;
    let failure = history.failure.filter(|_| history.has_failed);
    let started = StartedExecution {
        execution,
        outcome: history.outcome.filter(|_| failure.is_none()),
        warnings: history.warnings,
        failure: failure.map(|failure| failure.error),
    };
    output.print(&started)?;
    Ok(match started.failure {
        Some(_) => 1,
        None if history.is_about_nothing => 2,
        None => 0,
    })
}

/// The input of a schedule.
pub(crate) fn event_for_scheduler(
    definition: Value,
    machine: Option<&MachineArn>,
) -> ScheduledEvent {
    set_origin(ScheduledEvent::for_scheduler(definition), machine)
}

impl ExecutionInput {
    /// Asks for a window. The event has the scheduled time, or else the time at which the window is
    /// final, but never the current one. So the same request makes the same event and the same
    /// name, and a second one finds the execution of the first.
    pub(crate) fn for_window(
        file: DefinitionFile,
        choice: WindowChoice,
        machine: Option<&MachineArn>,
    ) -> Result<Self, CommandError> {
        let definition = &file.definition;
        let window = choice.window_of(definition)?;
        let report = definition.name.to_string();
        let event = match choice {
            WindowChoice::ScheduledAt(at) => ScheduledEvent::new(file.written, at),
            WindowChoice::Window(window) => {
                let settled_at = definition.settled_at(&window);
                ScheduledEvent::new(file.written, settled_at).with_window(window)
            }
        };
        Ok(Self::identified(event, report, window, machine))
    }

    /// Asks for a window once more, as the Scheduler would, with a definition that is stored. The execution is named after the
    /// one that did not deliver the window, so that two people who retry at once start one.
    pub(crate) fn for_retry(
        definition: &Definition,
        window: Window,
        after: String,
        machine: Option<&MachineArn>,
    ) -> Self {
        let settled_at = definition.settled_at(&window);
        let event =
            ScheduledEvent::new(write_definition(definition), settled_at).with_window(window);
        let input = Self::identified(event, definition.name.to_string(), window, machine);
        Self {
            after: Some(after),
            ..input
        }
    }

    /// Asks for a correction, which is another request in each second.
    pub(crate) fn for_correction(
        file: DefinitionFile,
        window: Window,
        correction: Correction,
        now: Timestamp,
        machine: Option<&MachineArn>,
    ) -> Self {
        let event = ScheduledEvent::new(file.written, now).with_window(window);
        let event = match correction {
            Correction::Replay(audit) => event.with_replay(audit),
            Correction::StoredReplay(audit) => event.with_stored_replay(audit),
            Correction::Withdrawal(audit) => event.with_withdrawal(audit),
            Correction::Cancellation(audit) => event.with_cancellation(audit),
        };
        Self::identified(event, file.definition.name.to_string(), window, machine)
    }

    /// Gives the event an id that is a digest of everything else in it.
    fn identified(
        event: ScheduledEvent,
        report: String,
        window: Window,
        machine: Option<&MachineArn>,
    ) -> Self {
        let event = set_origin(event, machine);
        let id = format!("cxr-{}", short_digest(&event_json(&event)));
        Self {
            event: event.with_id(id),
            report,
            window,
            after: None,
        }
    }

    pub(crate) fn into_event(self) -> ScheduledEvent {
        self.event
    }

    /// The event on one line, unless it is larger than Step Functions accepts.
    pub(crate) fn to_json(&self) -> Result<String, CommandError> {
        let text = event_json(&self.event);
        if text.len() > MAX_INPUT_BYTES {
            return Err(CommandError::TooLarge {
                size_bytes: text.len(),
            });
        }
        Ok(text)
    }

    pub(crate) fn execution_name(&self) -> String {
        let detail = self.event.detail();
        let verb = match (&detail.replay, &detail.withdraw, &self.after) {
            (Some(_), _, _) => "replay",
            (_, Some(_), _) => "withdraw",
            (_, _, Some(_)) => "retry",
            _ if detail.cancel.is_some() => "cancel",
            _ => "run",
        };
        let start = self.window.start().strftime(Window::KEY_TIME);
        let after = self.after.as_deref().unwrap_or_default();
        let digest = short_digest(&format!("{}{after}", event_json(&self.event)));
        format_name(verb, &self.report, &start.to_string(), &digest)
    }
}

fn set_origin(event: ScheduledEvent, machine: Option<&MachineArn>) -> ScheduledEvent {
    match machine {
        Some(machine) => event.with_origin(machine.account(), machine.region()),
        None => event,
    }
}

fn event_json(event: &ScheduledEvent) -> String {
    // Strings, lists and a value that was JSON before can always be JSON.
    serde_json::to_string(event).unwrap_or_default()
}

/// A definition as an event has it.
pub(crate) fn write_definition(definition: &Definition) -> Value {
    // Strings, lists and numbers can always be JSON.
    serde_json::to_value(definition).unwrap_or_default()
}

fn short_digest(text: &str) -> String {
    let mut digest = hex_digest(text);
    digest.truncate(12);
    digest
}

/// `verb-report-start-digest`. The report is reduced to lower-case letters, digits and `-`, because
/// Step Functions allows few other characters, and cut so that the whole has at most 80 characters.
fn format_name(verb: &str, report: &str, start: &str, digest: &str) -> String {
    let room = MAX_NAME_CHARS - (verb.len() + start.len() + digest.len() + 3);
    let mut slug = slug(report);
    slug.truncate(room);
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "report" } else { slug };
    format!("{verb}-{slug}-{start}-{digest}")
}

impl fmt::Display for StartedExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "started {}", self.execution)?;
        match (&self.failure, &self.outcome) {
            (Some(failure), _) => {
                let told = format!("failed: {}: {}", failure.error, failure.cause);
                writeln!(f, "{}", one_line(&told))?;
            }
            (None, Some(outcome)) => writeln!(f, "{}", one_line(outcome))?,
            (None, None) => writeln!(f, "see cxr show {}", name_of(&self.execution))?,
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {}", one_line(warning))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_name_is_one_that_step_functions_takes() {
        let check = |report: &str, expected: &str| {
            let name = format_name("replay", report, "20260601T000000Z", "0123456789ab");
            assert_eq!(name, expected);
            assert!(name.len() <= 80, "{name}");
        };
        check(
            "Daily Agent Performance Aggregation",
            "replay-daily-agent-performance-aggregation-20260601T000000Z-0123456789ab",
        );
        check(
            "Zoë's \"A&B\" / 5%",
            "replay-zo-s-a-b-5-20260601T000000Z-0123456789ab",
        );
        check("報告", "replay-report-20260601T000000Z-0123456789ab");
        check("  -- ", "replay-report-20260601T000000Z-0123456789ab");
        check(
            &"x".repeat(100),
            &format!("replay-{}-20260601T000000Z-0123456789ab", "x".repeat(43)),
        );
    }
}
