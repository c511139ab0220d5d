//! What is done for one window.

use definition::Window;
use jiff::Timestamp;

use crate::arn::MachineArn;
use crate::execution_input::ExecutionInput;
use crate::state::{
    Attempt, Judged, OUT_OF_REACH, Remedy, WindowState, drift_line, first_definition_line,
    is_schedule_refused, label_window, minute, suggest_giving_up, suggest_replay,
};
use crate::survey::Surveyed;
use crate::work::{Action, Job};

/// A window, why it is not there, and what is done about it.
pub(super) struct Step {
    pub(super) report: String,
    pub(super) label: String,
    pub(super) window: Window,
    /// The error that its last execution failed with.
    pub(super) error: Option<String>,
    pub(super) because: String,
    pub(super) does: String,
    /// What to type, where a retry can't help.
    pub(super) commands: Vec<String>,
    /// What to look at once it is committed.
    pub(super) afterwards: Option<String>,
    /// Nothing where the window is left alone.
    pub(super) job: Option<Job>,
    /// Whether it was delivered, or taken back on purpose.
    pub(super) is_settled: bool,
    /// Whether nothing that `cxr` can do gets it committed.
    pub(super) is_lost: bool,
}

/// Decides what helps a window. One that is worked on is followed where somebody stays until all are committed.
pub(super) fn decide(
    surveyed: &Surveyed,
    judged: &Judged,
    machine: Option<&MachineArn>,
    follows: bool,
    now: Timestamp,
) -> Step {
    let known = &surveyed.known;
    let (report, window) = (surveyed.address.clone(), judged.window);
    let label = label_window(&window, &known.naming());
    let (action, does) = match Remedy::of(judged) {
        Remedy::Nothing => (None, "nothing".to_owned()),
        Remedy::Watch => (
            follow(judged).filter(|_| follows),
            "nothing: it is worked on".to_owned(),
        ),
        Remedy::Replay => (None, "nothing: it needs a replay".to_owned()),
        Remedy::FirstDefinition => (
            None,
            "nothing: its definition is refused, and no other is stored".to_owned(),
        ),
        Remedy::OutOfReach => (None, format!("nothing: {OUT_OF_REACH}")),
        Remedy::Redrive => redrive(judged),
        Remedy::Run => run(surveyed, judged, machine, now),
    };
    let commands = match Remedy::of(judged) {
        Remedy::Replay => suggest_replay(&surveyed.telling(), judged),
        Remedy::OutOfReach => suggest_giving_up(&surveyed.telling(), judged),
        Remedy::FirstDefinition => vec![first_definition_line(&label)],
        _ => Vec::new(),
    };
    let afterwards = is_schedule_refused(judged).then(drift_line);
    Step {
        job: action.map(|action| Job {
            report: report.clone(),
            label: label.clone(),
            window,
            action,
        }),
        error: last_attempt(judged).and_then(|it| Some(it.error.as_ref()?.error.clone())),
        because: explain(judged),
        is_settled: judged.is_settled(),
        is_lost: Remedy::of(judged) == Remedy::OutOfReach,
        report,
        label,
        window,
        does,
        commands,
        afterwards,
    }
}

fn follow(judged: &Judged) -> Option<Action> {
    last_attempt(judged).map(|it| Action::Follow(it.execution.clone()))
}

fn redrive(judged: &Judged) -> (Option<Action>, String) {
    let execution = last_attempt(judged).map(|it| it.execution.clone());
    (execution.map(Action::Redrive), "redrive".to_owned())
}

/// A run with the definition that the window was begun with, or else with the one that the report was asked with last.
fn run(
    surveyed: &Surveyed,
    judged: &Judged,
    machine: Option<&MachineArn>,
    now: Timestamp,
) -> (Option<Action>, String) {
    let Some(definition) = surveyed.known.definition_for(&judged.window) else {
        return (None, "nothing: no definition is stored".to_owned());
    };
    let final_at = definition.settled_at(&judged.window);
    if final_at > now {
        let wait = format!("nothing: it is final only at {}", minute(final_at));
        return (None, wait);
    }
    // An execution that stopped again after a redrive did not deliver the window once more.
    let after = last_attempt(judged).map_or_else(String::new, |it| {
        format!("{} {:?}", it.execution, it.stopped_at)
    });
    let input = ExecutionInput::for_retry(definition, judged.window, after, machine);
    let whose = if judged.is_begun() {
        "its own"
    } else {
        "the report's last"
    };
    (
        Some(Action::Retry(input)),
        format!("run, with {whose} definition"),
    )
}

fn last_attempt(judged: &Judged) -> Option<&Attempt> {
    match &judged.state {
        WindowState::Failed(attempt) | WindowState::Running(attempt) => Some(attempt),
        _ => None,
    }
}

/// Why a window is not there, in a few words.
fn explain(judged: &Judged) -> String {
    match &judged.state {
        WindowState::Committed(held) => format!("committed as version {}", held.version),
        WindowState::Withdrawn { version } => format!("withdrawn as version {version}"),
        WindowState::Running(attempt) => format!("running since {}", minute(attempt.started_at)),
        WindowState::Failed(attempt) => {
            let error = attempt.error.as_ref();
            let error = error.map_or("failed", |error| error.error.as_str());
            let at = attempt.stopped_at.map(|at| format!(", {}", minute(at)));
            format!("{error}{}", at.unwrap_or_default())
        }
        WindowState::Unfinished(_) => "begun, and no execution is known".to_owned(),
        WindowState::Missing => "not asked for yet".to_owned(),
    }
}
