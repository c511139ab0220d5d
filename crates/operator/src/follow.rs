//! Follows executions until they end, and tells each change that is seen.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::error::CommandError;
use crate::history::{CxoneRun, EntryKind, ExecutionError, History};
use crate::output::{count_of, count_rows, one_line};
use crate::step_functions::{Executions, Look};

/// What is told of a look that came to nothing.
pub(crate) const SILENT: &str = "AWS does not answer; the work goes on, and is looked at again";

/// Keeps calls apart, however many executions are followed.
pub(crate) struct Pacer {
    pause: Duration,
    next: Option<Instant>,
}

/// An execution that is followed.
pub(crate) struct Followed {
    execution: String,
    history: History,
    last_event: i64,
    /// What was told last, so that nothing is told twice.
    told: String,
    pub(crate) has_ended: bool,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// When it happened; `None` where nobody says it.
    pub(crate) at: Option<Timestamp>,
    pub(crate) text: String,
}

impl Pacer {
    pub(crate) fn new(pause: Duration) -> Self {
        Self { pause, next: None }
    }

    /// Waits until the next call may be made, which is at once for the first one.
    pub(crate) async fn wait(&mut self) {
        if let Some(next) = self.next {
            tokio::time::sleep_until(next).await;
        }
        self.next = Some(Instant::now() + self.pause);
    }
}

impl Followed {
    pub(crate) fn new(execution: String) -> Self {
        Self {
            execution,
            history: History::default(),
            last_event: 0,
            told: String::new(),
            has_ended: false,
        }
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    pub(crate) fn execution(&self) -> &str {
        &self.execution
    }

    /// Why it ended without success, if it did.
    pub(crate) fn failure(&self) -> Option<&ExecutionError> {
        let failure = self.history.failure.as_ref()?;
        (self.has_ended && self.history.has_failed).then_some(&failure.error)
    }

    /// The execution that goes on in its place, if it handed over.
    pub(crate) fn continued_by(&self) -> Option<String> {
        let next = self.history.continued_by.clone();
        next.filter(|_| self.has_ended)
    }

    /// Looks once. AWS not answering is no reason to give up: the work goes on, and the next look tells how far it is.
    pub(crate) async fn look(
        &mut self,
        executions: &Executions,
    ) -> Result<Vec<Change>, CommandError> {
        match executions.look(&self.execution, self.last_event).await {
            Ok(look) => Ok(self.take(look)),
            Err(error) if error.is_passing() => {
                let change = self.change(None, SILENT.to_owned());
                Ok(change.into_iter().collect())
            }
            Err(error) => Err(error),
        }
    }

    /// What is new. Of what happened before the first look, only where it led is told.
    fn take(&mut self, look: Look) -> Vec<Change> {
        let is_first = self.last_event == 0;
        let mut changes = Vec::new();
        for entry in look.entries {
            let at = entry.at;
            let is_redrive = entry.kind == EntryKind::Redriven;
            self.history.add(entry);
            let text = if is_redrive {
                Some("goes on where it stopped".to_owned())
            } else {
                describe(&self.history)
            };
            changes.extend(text.and_then(|text| self.change(Some(at), text)));
        }
        self.last_event = look.last_event;
        self.has_ended = look.has_ended;
        if is_first {
            changes.drain(..changes.len().saturating_sub(1));
        }
        changes
    }

    fn change(&mut self, at: Option<Timestamp>, text: String) -> Option<Change> {
        if self.told == text {
            return None;
        }
        self.told.clone_from(&text);
        Some(Change { at, text })
    }
}

/// How far an execution is, in words; `None` before there is anything to say.
fn describe(history: &History) -> Option<String> {
    if let Some(failure) = &history.failure {
        let ExecutionError { error, cause } = &failure.error;
        let error = one_line(&format!("{error}: {cause}"));
        let error = error.trim_end().trim_end_matches(':');
        return Some(if history.has_failed {
            format!("failed: {error}")
        } else {
            format!("{} is tried again after {error}", failure.state)
        });
    }
    let run = history.runs.last();
    match history.state.as_deref() {
        Some("Finalize") => return Some("all pages are stored; they are checked".to_owned()),
        Some("Wait for the tenant") => return Some("CXone asks for a pause".to_owned()),
        Some("Cancel") => return run.map(|run| format!("{} is cancelled", name_run(run))),
        _ => {}
    }
    match &history.outcome {
        Some(outcome) if !history.is_at_run() => Some(one_line(outcome)),
        _ => run.map(|run| one_line(&describe_run(run))),
    }
}

fn name_run(run: &CxoneRun) -> String {
    let segment = match run.segment.as_str() {
        "0" => String::new(),
        segment => format!(" of segment {segment}"),
    };
    format!("run {}{segment} at CXone ({})", run.run, run.run_id)
}

fn describe_run(run: &CxoneRun) -> String {
    let name = name_run(run);
    if let Some(ended) = &run.ended {
        return format!("{name} ended without its data: {}", ended.reason.describe());
    }
    if run.page_count > 0 {
        let pages = usize::try_from(run.page_count).unwrap_or(usize::MAX);
        let rows = count_rows(run.row_count);
        return format!("{name}: {} with {rows} stored", count_of(pages, "page"));
    }
    match &run.state {
        Some(state) => format!("{name}: {state}"),
        None => format!("{name} started"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::history::HistoryEntry;

    fn entry(kind: EntryKind) -> HistoryEntry {
        let at = "2026-06-02T05:30:00Z".parse().unwrap();
        HistoryEntry { at, kind }
    }

    fn left(state: &str, output: &Value) -> HistoryEntry {
        let (state, output) = (state.to_owned(), output.to_string());
        entry(EntryKind::StateExited { state, output })
    }

    fn run(number: u32) -> HistoryEntry {
        let window = json!({"start": "2026-06-01T00:00:00Z", "end": "2026-06-02T00:00:00Z"});
        let work = json!({
            "segment": "0", "run": number, "window": window, "generation": 1,
            "runId": format!("run-7{number}"), "triggeredAt": "2026-06-02T05:30:01Z",
        });
        left("Trigger", &json!({"next": "run", "work": work}))
    }

    fn texts(followed: &mut Followed, entries: Vec<HistoryEntry>, has_ended: bool) -> Vec<String> {
        let last_event = followed.last_event + 10;
        let changes = followed.take(Look {
            entries,
            last_event,
            has_ended,
        });
        changes.into_iter().map(|change| change.text).collect()
    }

    #[test]
    fn each_change_is_told_once_and_of_the_past_only_where_it_led() {
        let mut followed = Followed::new("arn:x".to_owned());
        let pending = json!({"saw": "pending", "state": "processing"});
        let first = vec![
            run(1),
            left("PollOnce", &json!({"saw": "pending", "state": "queued"})),
            left("PollOnce", &pending),
        ];
        let told = texts(&mut followed, first, false);
        assert_eq!(told, ["run 1 at CXone (run-71): processing"]);
        assert!(texts(&mut followed, vec![left("PollOnce", &pending)], false).is_empty());
        let ended = json!({"ended": {"segment": "0", "run": 1, "reason": "failed"}});
        let (error, cause) = ("Cxone.Unavailable".to_owned(), "no connection".to_owned());
        let more = vec![
            left("PollOnce", &ended),
            run(2),
            left(
                "FetchPage",
                &json!({"pages": "throttled", "pageCount": 14, "rowCount": 14_000}),
            ),
            entry(EntryKind::StateEntered("Wait for the tenant".to_owned())),
            entry(EntryKind::StateEntered("FetchPage".to_owned())),
            entry(EntryKind::AttemptFailed(ExecutionError { error, cause })),
            left(
                "FetchPage",
                &json!({"pages": "done", "pageCount": 25, "rowCount": 25_000}),
            ),
            entry(EntryKind::StateEntered("Finalize".to_owned())),
            left(
                "Finalize",
                &json!({"outcome": "committed", "version": 7, "rows": 25_000}),
            ),
            entry(EntryKind::StateEntered("Delivered".to_owned())),
        ];
        assert_eq!(
            texts(&mut followed, more, true),
            [
                "run 1 at CXone (run-71) ended without its data: CXone reported the run as failed",
                "run 2 at CXone (run-72) started",
                "run 2 at CXone (run-72): 14 pages with 14,000 rows stored",
                "CXone asks for a pause",
                "run 2 at CXone (run-72): 14 pages with 14,000 rows stored",
                "FetchPage is tried again after Cxone.Unavailable: no connection",
                "run 2 at CXone (run-72): 25 pages with 25,000 rows stored",
                "all pages are stored; they are checked",
                "delivered as version 7: 25,000 rows",
            ]
        );
        assert_eq!(followed.failure(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_kept_apart_and_the_first_is_made_at_once() {
        let begin = Instant::now();
        let mut pacer = Pacer::new(Duration::from_secs(2));
        let mut at = Vec::new();
        for took in [0, 0, 5, 1] {
            pacer.wait().await;
            at.push(begin.elapsed().as_secs());
            tokio::time::advance(Duration::from_secs(took)).await;
        }
        assert_eq!(at, [0, 2, 4, 9]);
    }
}
