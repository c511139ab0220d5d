//! Prints what executions do while they run.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use asl::{Engine, EventDetail, Progress, StateType};
use definition::text::{count_of, count_rows};
use definition::{Window, WindowZone};
use delivery::window_of_event;
use jiff::Timestamp;
use local::World;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::terminal::Terminal;

/// The parts of the handlers' answers that tell the progress. All are optional, because another state machine may answer differently.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    next: Option<String>,
    work: Option<Work>,
    version: Option<u64>,
    until: Option<Timestamp>,
    saw: Option<String>,
    state: Option<String>,
    pages: Option<String>,
    page_count: Option<u64>,
    row_count: Option<u64>,
    wait_seconds: Option<u64>,
    outcome: Option<String>,
    table_version: Option<u64>,
    ended: Option<Ended>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Work {
    run_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ended {
    reason: String,
}

#[derive(Deserialize)]
struct Invoked {
    #[serde(rename = "Payload")]
    payload: Answer,
}

/// Which executions are followed: all, of which each line says what it is about, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executions {
    All,
    One,
}

/// Prints the events of executions.
pub(crate) struct Follower<'a> {
    events: Receiver<Progress>,
    world: &'a World,
    terminal: &'a Terminal,
    executions: Executions,
    followed: HashMap<Arc<str>, Followed>,
}

/// What is known of an execution that runs.
#[derive(Debug, Default)]
struct Followed {
    /// The report and the window, where there are several executions.
    about: String,
    run: String,
    state: String,
}

impl<'a> Follower<'a> {
    /// Subscribes to the events from now on.
    pub(crate) fn new(world: &'a World, terminal: &'a Terminal, executions: Executions) -> Self {
        Self {
            events: world.engine().subscribe(),
            world,
            terminal,
            executions,
            followed: HashMap::new(),
        }
    }

    /// Prints events until it is dropped.
    pub(crate) async fn follow(&mut self) -> Infallible {
        loop {
            match self.events.recv().await {
                Ok(progress) => self.print_event(&progress),
                // The terminal was too slow and missed some events, which does no harm.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Prints the events that were not printed yet.
    pub(crate) fn catch_up(&mut self) {
        while let Ok(progress) = self.events.try_recv() {
            self.print_event(&progress);
        }
    }

    fn print_event(&mut self, progress: &Progress) {
        let arn = &progress.execution_arn;
        let mut followed = self.followed.remove(arn).unwrap_or_else(|| Followed {
            about: self.describe_execution(arn),
            ..Followed::default()
        });
        let time = progress.event.timestamp.strftime("%H:%M:%S");
        if let EventDetail::StateEntered { state, name, .. } = &progress.event.detail {
            followed.state = name.to_string();
            if *state != StateType::Choice {
                let requests = self.world.tenant().map_or(0, |it| it.journal().len());
                let (about, run) = (&followed.about, &followed.run);
                self.terminal.status(&format!(
                    "{time}  {about}{name:<20} {run}  {requests} requests so far"
                ));
            }
        }
        if let Some(text) = followed.describe(&progress.event.detail) {
            let (about, state) = (&followed.about, &followed.state);
            self.terminal
                .line(&format!("{time}  {about}{state:<12} {text}"));
        }
        self.followed.insert(Arc::clone(arn), followed);
    }

    /// The report and the window of an execution, as far as its input says them.
    fn describe_execution(&self, arn: &str) -> String {
        if self.executions == Executions::One {
            return String::new();
        }
        let input = self.world.engine().describe(arn).map(|it| it.input);
        let input = input.unwrap_or_default();
        let report = input.pointer("/detail/definition/name");
        let report = report.and_then(Value::as_str).unwrap_or(arn);
        let window = window_of_event(&input).map_or_else(String::new, label_window);
        format!("{report} {window}  ")
    }
}

impl Followed {
    /// What an event is worth telling; nothing of most.
    fn describe(&mut self, event: &EventDetail) -> Option<String> {
        match event {
            EventDetail::TaskSucceeded { output, .. } => {
                let invoked: Option<Invoked> = serde_json::from_str(output).ok();
                let answer = invoked.map(|invoked| invoked.payload).unwrap_or_default();
                if let Some(run) = answer.work.as_ref().and_then(|work| work.run_id.as_ref()) {
                    self.run.clone_from(run);
                }
                Some(describe_answer(&answer, &self.run))
            }
            EventDetail::TaskFailed { error, .. } | EventDetail::TaskTimedOut { error, .. } => {
                Some(format!("failed: {error}"))
            }
            EventDetail::ExecutionRedriven { .. } => Some("redriven".to_owned()),
            // The end of the only execution is told elsewhere.
            _ if self.about.is_empty() => None,
            EventDetail::ExecutionFailed { .. } => Some("the execution failed".to_owned()),
            EventDetail::ExecutionTimedOut { .. } => Some("the execution timed out".to_owned()),
            EventDetail::ExecutionAborted { .. } => Some("the execution was stopped".to_owned()),
            _ => None,
        }
    }
}

/// A whole day in UTC by its date, any other window by its two times.
fn label_window(window: Window) -> String {
    let text = window.to_string();
    let date = text.get(..10).unwrap_or_default();
    let day = WindowZone::utc().read_window(date);
    if day.is_ok_and(|day| day == window) {
        return date.to_owned();
    }
    text
}

fn describe_answer(answer: &Answer, run: &str) -> String {
    let pause = answer.wait_seconds.filter(|seconds| *seconds > 0);
    let pause = pause.map_or_else(String::new, |seconds| format!(", wait {seconds} s"));
    if let Some(ended) = &answer.ended {
        return format!("{run} ended without its data: {}", ended.reason);
    }
    if let (Some(pages), Some(count), Some(rows)) =
        (&answer.pages, answer.page_count, answer.row_count)
    {
        return format!(
            "{}, {}: {pages}{pause}",
            count_of(count, "page"),
            count_rows(rows)
        );
    }
    if answer.saw.is_some() {
        let state = answer.state.as_deref().unwrap_or_default();
        return format!("{run} is {state}{pause}");
    }
    if let Some(version) = answer.table_version {
        return format!("the table has version {version}");
    }
    match (answer.next.as_deref(), &answer.outcome, answer.until) {
        (Some("run"), ..) => format!("next: get {run}"),
        (Some("ready"), ..) => "all pages are stored".to_owned(),
        (Some("delivered"), ..) => "the window was delivered before".to_owned(),
        (Some("superseded"), ..) => "another execution delivers a newer generation".to_owned(),
        (Some("not_before"), _, Some(until)) => format!("wait until {until}"),
        (Some(next), ..) => next.replace('_', " "),
        (None, Some(outcome), _) => outcome.clone(),
        (None, None, _) => "done".to_owned(),
    }
}

/// The version of the commit that delivered the window before, as the execution reported it.
pub(crate) fn find_delivered_version(engine: &Engine, execution_arn: &str) -> Option<u64> {
    let history = engine.history(execution_arn).ok()?;
    let mut answers = history
        .iter()
        .rev()
        .filter_map(|event| match &event.detail {
            EventDetail::TaskSucceeded { output, .. } => {
                serde_json::from_str::<Invoked>(output).ok()
            }
            _ => None,
        });
    answers.find_map(|invoked| invoked.payload.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_in_a_few_words() {
        let check = |answer: &str, expected: &str| {
            let answer: Answer = serde_json::from_str(answer).unwrap();
            assert_eq!(describe_answer(&answer, "run-1"), expected);
        };
        check(
            r#"{"next":"run","work":{"runId":"run-1"}}"#,
            "next: get run-1",
        );
        check(
            r#"{"saw":"pending","state":"queued","waitSeconds":0}"#,
            "run-1 is queued",
        );
        check(
            r#"{"pages":"throttled","pageCount":14,"rowCount":14000,"waitSeconds":45}"#,
            "14 pages, 14,000 rows: throttled, wait 45 s",
        );
        check(r#"{"outcome":"committed","version":3}"#, "committed");
        check(
            r#"{"next":"published","tableVersion":3}"#,
            "the table has version 3",
        );
    }
}
