//! Days that are withdrawn, that are stated anew by a schedule, or that are asked for with another definition.

use delivery::ScheduledEvent;
use jiff::SignedDuration;
use local::world::BUCKET;
use serde_json::{Value, json};

use crate::overlaps::window;
use pipeline_tests::harness::{
    FIRED_AT, Pipeline, PipelineBuilder, day_before, delivered, message, note, time,
};

/// The event of the schedule that restates the day so many days after it was delivered.
fn restatement(pipeline: &Pipeline, days: i64) -> ScheduledEvent {
    let at = time(FIRED_AT) + SignedDuration::from_hours(24 * days);
    local::scheduled_event(pipeline.definition.clone(), at).with_restatement(format!("P{days}D"))
}

async fn restate(pipeline: &Pipeline, days: i64) -> asl::Description {
    pipeline.play(restatement(pipeline, days).to_json()).await
}

#[tokio::test]
async fn a_withdrawn_day_has_no_rows_and_only_a_replay_brings_it_back() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let asked = pipeline.tenant().journal().len();
    delivered(pipeline.withdraw(day_before(0), "mistake").await);
    let withdrawn = pipeline.log()[1].clone();
    assert!(withdrawn.withdrawn && withdrawn.empty && withdrawn.parts.is_empty());
    assert_eq!((withdrawn.generation, withdrawn.supersedes), (2, Some(1)));
    assert_eq!((withdrawn.unchanged, withdrawn.rows), (false, 0));
    assert_eq!(withdrawn.reason.as_deref(), Some("delivered by mistake"));
    assert_eq!(withdrawn.requested_by.as_deref(), Some("local"));
    pipeline.check_rows(&pipeline.log()[0]);

    // The same request, another one, the schedule and a restatement change nothing.
    let stored = pipeline.listing();
    for ended in [
        pipeline.withdraw(day_before(0), "mistake").await,
        pipeline.withdraw(day_before(0), "once more").await,
        pipeline.fire().await,
        restate(&pipeline, 1).await,
    ] {
        let note = note(&ended);
        assert!(note.contains("version 2 withdrew"), "{note}");
    }
    assert_eq!(pipeline.listing(), stored);
    assert_eq!(pipeline.tenant().journal().len(), asked, "CXone was asked");

    pipeline.replay("back again").await;
    let back = &pipeline.log()[2];
    assert_eq!((back.generation, back.supersedes), (3, Some(2)));
    assert!(!back.unchanged && !back.withdrawn);
    pipeline.check_rows(back);
}

#[tokio::test]
async fn a_window_that_nobody_asked_for_is_not_withdrawn_and_one_under_way_is() {
    let pipeline = PipelineBuilder::daily().start().await;
    let ended = pipeline.withdraw(day_before(3), "typo").await;
    assert!(note(&ended).contains("never asked for"), "{ended:?}");
    assert_eq!(pipeline.listing(), []);

    pipeline.set_faults(&["run-fails:times=forever"]);
    let failed = pipeline.fail("Cxone.RunsExhausted").await;
    delivered(pipeline.withdraw(day_before(0), "not wanted").await);
    pipeline.set_faults(&[]);
    assert!(note(&pipeline.redrive(&failed).await).contains("withdrew"));
    assert_eq!(pipeline.log().len(), 1);
}

#[tokio::test]
async fn a_withdrawal_needs_an_id_of_its_own() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let log = pipeline.log();
    let ended = pipeline.withdraw(day_before(0), "").await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"));
    assert!(message(&ended).contains("needs an `id`"), "{ended:?}");
    assert_eq!(pipeline.log(), log);
}

#[tokio::test]
async fn rows_that_come_late_are_there_after_the_restatement() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.tenant().set_rows(300);
    delivered(restate(&pipeline, 1).await);
    let late = &pipeline.log()[1];
    assert_eq!((late.generation, late.supersedes), (2, Some(1)));
    assert_eq!((late.window, late.unique), (day_before(0), 300));
    assert_eq!(
        late.reason.as_deref(),
        Some("pipeline.restate: restate P1D")
    );
    assert_eq!(late.requested_by.as_deref(), Some("schedule"));
    pipeline.check_rows(late);
    // Each distance once; at the next one nothing has changed.
    let started = pipeline.started();
    assert_eq!(restate(&pipeline, 1).await.state, "Nothing to do");
    assert_eq!(pipeline.started(), started);
    delivered(restate(&pipeline, 7).await);
    let unchanged = &pipeline.log()[2];
    assert!(unchanged.unchanged, "{unchanged:#?}");
    assert_eq!((unchanged.generation, unchanged.supersedes), (3, Some(2)));
}

#[tokio::test]
async fn parts_of_an_earlier_version_may_be_gone() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let store = pipeline.world.store();
    let rows = store.keys(BUCKET, "").into_iter();
    for key in rows.filter(|key| key.contains("/data/")) {
        std::fs::remove_file(store.bucket_path(BUCKET).join(key)).unwrap();
    }
    pipeline.replay("again").await;
    let replayed = &pipeline.log()[1];
    assert_eq!((replayed.supersedes, replayed.unchanged), (Some(1), true));
    pipeline.check_committed_rows(replayed);
}

#[tokio::test]
async fn a_restatement_delivers_a_day_whose_own_execution_failed() {
    let pipeline = PipelineBuilder::daily()
        .fault("run-fails:times=forever")
        .start()
        .await;
    let failed = pipeline.fail("Cxone.RunsExhausted").await;
    pipeline.set_faults(&[]);
    delivered(restate(&pipeline, 1).await);
    let commit = pipeline.commit();
    assert_eq!((commit.generation, commit.supersedes), (2, None));
    assert_eq!(pipeline.redrive(&failed).await.state, "Nothing to do");
}

#[tokio::test]
async fn a_restatement_replaces_no_other_window_than_its_own() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    delivered(pipeline.ask_for(window("20T00", "22T00")).await);
    delivered(pipeline.ask_for(window("18T00", "18T12")).await);
    let stored = pipeline.listing();
    // The 20th lies within the one, and the other within the 18th.
    for distance in ["P1D", "P3D"] {
        let event = pipeline.event().with_restatement(distance);
        let ended = pipeline.play(event.to_json()).await;
        assert!(
            note(&ended).contains("in its place"),
            "{distance}: {ended:?}"
        );
    }
    assert_eq!(pipeline.listing(), stored);
}

#[tokio::test]
async fn an_event_that_asks_for_two_things_or_for_nonsense_is_refused() {
    let pipeline = PipelineBuilder::daily().start().await;
    let detail = |change: Value| {
        let mut event = pipeline.event().to_json();
        let fields = change.as_object().unwrap().clone();
        event["detail"].as_object_mut().unwrap().extend(fields);
        event
    };
    let audit = json!({"reason": "r", "requestedBy": "me"});
    let day = json!(day_before(0));
    for (change, said) in [
        (json!({"withdraw": audit}), "detail.window"),
        (json!({"cancel": audit}), "detail.window"),
        (
            json!({"cancel": audit, "replay": audit, "window": day}),
            "more than one of",
        ),
        (
            json!({"withdraw": audit, "replay": audit, "window": day}),
            "more than one of",
        ),
        (
            json!({"restate": "P1D", "window": day}),
            "leave `detail.window` out",
        ),
        (json!({"restate": "tomorrow"}), "detail.restate"),
        (json!({"restate": "PT30M"}), "detail.restate"),
        (
            json!({"restate": "P1D", "expect": "delivered"}),
            "more than one of",
        ),
        (json!({"expect": "there"}), "detail.expect"),
    ] {
        let ended = pipeline.play(detail(change)).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
        assert!(message(&ended).contains(said), "{}", message(&ended));
    }
    assert_eq!(pipeline.listing(), []);
}

#[tokio::test]
async fn who_replayed_a_day_and_why_is_in_its_commit() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.replay("again").await;
    let log = pipeline.log();
    assert_eq!((&log[0].reason, &log[0].requested_by), (&None, &None));
    assert_eq!(log[1].reason.as_deref(), Some("the day was restated"));
    assert_eq!(log[1].requested_by.as_deref(), Some("local"));
}

#[tokio::test]
async fn a_delivered_day_that_is_asked_for_with_another_definition_says_what_differs() {
    let mut pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    pipeline.definition["report"]["metrics"] = json!(["handleTime", "talkTime"]);
    pipeline.definition["pipeline"]["maxRuns"] = json!(5);
    let note = note(&pipeline.fire().await);
    for said in [
        "/pipeline/maxRuns, /report/metrics",
        "cxr replay FILE --window 2026-11-21T00:00:00Z/2026-11-22T00:00:00Z",
    ] {
        assert!(note.contains(said), "{said} is not in: {note}");
    }
    assert_eq!(pipeline.log().len(), 1);
}

#[tokio::test]
async fn a_run_that_another_one_can_not_mend_is_the_last() {
    for (said, error, todo) in [
        (
            "Invalid metric handleTime",
            "Cxone.Config",
            "Correct the definition",
        ),
        (
            "The user has no permission for this report",
            "Cxone.Auth",
            "Grant the permission",
        ),
        (
            "The date range exceeds the retention period",
            "Cxone.Config",
            "Ask for another window",
        ),
    ] {
        let fault = format!("run-fails:message={said},times=forever");
        let pipeline = PipelineBuilder::daily().fault(&fault).start().await;
        let failed = pipeline.fail(error).await;
        assert_eq!(pipeline.started(), 1, "{said}");
        let message = message(&failed);
        assert!(
            message.contains(said) && message.contains(todo),
            "{message}"
        );
        // A redrive says that something was put right, so that it tries once more.
        pipeline.set_faults(&[]);
        delivered(pipeline.redrive(&failed).await);
        pipeline.commit();
        assert_eq!(pipeline.started(), 2);
    }
}
