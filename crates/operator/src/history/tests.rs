use delivery::EndReason;
use serde_json::{Value, json};

use super::*;

fn history_of(kinds: impl IntoIterator<Item = EntryKind>) -> History {
    let mut history = History::default();
    let at = "2026-06-02T05:30:00Z".parse().unwrap();
    kinds
        .into_iter()
        .for_each(|kind| history.add(HistoryEntry { at, kind }));
    history
}

fn entered(state: &str) -> EntryKind {
    EntryKind::StateEntered(state.to_owned())
}

fn exited(state: &str, output: &Value) -> EntryKind {
    EntryKind::StateExited {
        state: state.to_owned(),
        output: output.to_string(),
    }
}

fn attempt(error: &str) -> EntryKind {
    EntryKind::AttemptFailed(ExecutionError {
        error: error.to_owned(),
        cause: json!({"errorType": error, "errorMessage": "a sentence"}).to_string(),
    })
}

fn died(error: &str) -> EntryKind {
    let EntryKind::AttemptFailed(error) = attempt(error) else {
        unreachable!()
    };
    EntryKind::ExecutionFailed(error)
}

/// What Trigger returns, written with the type of the messages.
fn run(number: u32) -> Value {
    let work = json!({
        "tenant": "acme", "report": "Daily", "generation": 1, "segment": "0", "run": number,
        "window": {"start": "2026-06-01T00:00:00Z", "end": "2026-06-02T00:00:00Z"},
        "runId": format!("run-{number}"), "triggeredAt": "2026-06-02T05:30:01Z", "deadlineAt": "2026-06-02T06:15:01Z",
    });
    let work: delivery::Work = serde_json::from_value(work).unwrap();
    json!({"v": 1, "generation": 1, "next": "run", "work": work})
}

fn ended(number: u32, reason: EndReason) -> Value {
    let ended = Ended {
        segment: delivery::SegmentId::whole(),
        run: number,
        reason,
        detail: "query too large".to_owned(),
    };
    json!({"v": 1, "saw": "ended", "state": "failed", "waitSeconds": 0, "ended": ended})
}

#[test]
fn a_failure_is_told_with_its_state_attempts_and_sentence() {
    let history = history_of([
        entered("Trigger"),
        attempt("Cxone.Unavailable"),
        attempt("Cxone.Auth"),
        died("Cxone.Auth"),
    ]);
    let failure = history.failure.unwrap();
    assert_eq!((failure.state.as_str(), failure.attempts), ("Trigger", 2));
    assert_eq!(failure.error.error, "Cxone.Auth");
    assert_eq!(failure.error.cause, "a sentence");
}

#[test]
fn a_failed_attempt_is_forgotten_once_another_succeeded() {
    let history = history_of([
        entered("Trigger"),
        attempt("Cxone.Throttled"),
        exited("Trigger", &run(0)),
        entered("Wait"),
    ]);
    assert_eq!(history.failure, None);
    assert_eq!(history.state.as_deref(), Some("Wait"));
}

#[test]
fn runs_are_told_with_their_pages_and_ends() {
    let fetched = json!({"v": 1, "pages": "more", "waitSeconds": 0, "batches": 1, "pageCount": 3, "rowCount": 900});
    let history = history_of([
        exited("Trigger", &run(0)),
        exited("PollOnce", &ended(0, EndReason::Failed)),
        exited("Alert", &json!({"v": 1})),
        exited("Trigger", &run(1)),
        exited(
            "PollOnce",
            &json!({"v": 1, "saw": "completed", "state": "completed", "waitSeconds": 0}),
        ),
        exited("FetchPage", &fetched),
        exited("Trigger", &run(1)),
    ]);
    let [first, second] = &history.runs[..] else {
        panic!("{:?}", history.runs)
    };
    assert_eq!(first.ended.as_ref().unwrap().reason, EndReason::Failed);
    assert_eq!((second.page_count, second.row_count), (3, 900));
    assert_eq!(second.state.as_deref(), Some("completed"));
    assert_eq!(
        history.window.unwrap().key(),
        "20260601T000000Z-20260602T000000Z"
    );
    assert_eq!(history.tasks, 7);
}

#[test]
fn a_redrive_makes_a_failure_an_earlier_one() {
    let history = history_of([
        entered("Finalize"),
        attempt("Cxone.Conflict"),
        died("Cxone.Conflict"),
        EntryKind::Redriven,
    ]);
    assert_eq!(history.failure, None);
    assert_eq!(history.earlier_failures.len(), 1);
}

#[test]
fn outcomes_are_told_in_words() {
    let check = |output: Value, expected: &str| {
        let history = history_of([exited("Finalize", &output)]);
        assert_eq!(history.outcome.as_deref(), Some(expected));
    };
    let committed = delivery::FinalizeOut {
        v: delivery::Version,
        outcome: delivery::Outcome::Committed(delivery::Committed {
            version: 7,
            rows: 90,
            duplicates: 2,
            empty: false,
            unchanged: true,
            replaced: 0,
            warnings: Vec::new(),
            doubts_rows: false,
            fill: None,
            withdrawn: false,
            first_delivery: false,
            table: None,
            run_seconds: 371,
        }),
    };
    check(
        serde_json::to_value(committed).unwrap(),
        "delivered as version 7: 90 rows, 2 duplicates dropped, the same as before",
    );
    let kept_last = json!({"v": 1, "outcome": "committed", "version": 2, "rows": 9, "replaced": 3});
    check(
        kept_last,
        "delivered as version 2: 9 rows, 3 rows given up for later ones with the same key",
    );
    check(
        json!({"v": 1, "outcome": "committed", "version": 5, "rows": 0, "withdrawn": true}),
        "withdrawn as version 5: the window has no rows now",
    );
    check(
        json!({"v": 1, "next": "delivered", "version": 3, "rows": 5, "note": "the definition differs"}),
        "nothing to do: delivered before as version 3, 5 rows; the definition differs",
    );
    check(
        json!({"v": 1, "next": "superseded", "version": 6, "note": "it covers this window"}),
        "nothing to do: superseded by version 6; it covers this window",
    );
    check(
        json!({"v": 1, "next": "delivered", "version": 3, "rows": 5}),
        "nothing to do: delivered before as version 3, 5 rows",
    );
    check(
        json!({"v": 1, "outcome": "superseded", "version": 4}),
        "nothing to do: a newer generation was delivered as version 4",
    );
    check(
        json!({"v": 1, "next": "not_before", "until": "2026-06-02T05:00:00Z"}),
        "waits until 2026-06-02T05:00:00Z for the window to be final",
    );
}

#[test]
fn what_is_not_understood_is_passed_over() {
    let odd = [
        json!(null),
        json!([1]),
        json!({"next": 5}),
        json!({"work": {"window": 1}}),
    ];
    let history = history_of(odd.iter().map(|output| exited("Trigger", output)));
    assert_eq!(history.runs, []);
}
