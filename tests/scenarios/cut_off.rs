//! Runs that are not done after 45 minutes.

use cxone_sim::{Entry, Kind};
use delivery::documents::Commit;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::history;
use crate::stage::{Setup, Stage, time};

/// The first run is cut off after 45 minutes, is cancelled once, and the operators hear of it.
fn check(stage: &Stage, alerts: usize) -> Commit {
    let log = stage.log();
    assert_eq!(log.len(), 1, "{log:#?}");
    let runs = stage.tenant().runs();
    assert_eq!(runs[0].state, "cancelled");
    assert_eq!(
        overdue(&runs[0].id, &stage.requests(Kind::Cancel)),
        Some(time("2026-11-22T06:15:00Z"))
    );
    let published = stage.world.alerts();
    assert_eq!(published.len(), alerts, "{published:#?}");
    assert!(published[0].message.contains("timed_out"), "{published:#?}");
    assert!(published[0].message.contains(&runs[0].id), "{published:#?}");
    stage.check_polling();
    log.into_iter().next().unwrap()
}

/// When the run was cancelled, if it was cancelled once.
fn overdue(run: &str, cancelled: &[Entry]) -> Option<Timestamp> {
    let mut cancelled = cancelled.iter().filter(|c| c.run.as_deref() == Some(run));
    cancelled
        .next()
        .filter(|_| cancelled.next().is_none())
        .map(|c| c.at)
}

#[tokio::test]
async fn a_window_that_takes_too_long_is_halved() {
    let setup = Setup::new()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT6H"}))
        .fault("slow-if-wide:minutes=720");
    let stage = setup.start().await;
    let ended = stage.deliver().await;
    let commit = check(&stage, 1);
    stage.check_rows(&commit);
    let segments: Vec<_> = commit.runs.iter().map(|run| run.segment.as_str()).collect();
    assert_eq!(segments, ["00", "01"]);
    assert_eq!(commit.runs[0].window.end(), commit.runs[1].window.start());
    assert_eq!(commit.unique, 250);
    let timeline = history::timeline(&stage.world, &ended.execution_arn);
    let cancelled = timeline.find("06:15:00 Cancel").unwrap();
    insta::assert_snapshot!(&timeline[cancelled..], @r#"
    06:15:00 Cancel
    06:15:00 Cancelled?
    06:15:00 Alert
    06:15:00 Trigger
    06:15:00 Next?
    06:15:00 Wait
    06:15:15 PollOnce
    06:15:15 RunState?
    06:15:15 FetchPage
    06:15:15 Pages?
    06:15:15 Trigger
    06:15:15 Next?
    06:15:15 Wait
    06:15:30 PollOnce
    06:15:30 RunState?
    06:15:30 FetchPage
    06:15:30 Pages?
    06:15:30 Trigger
    06:15:30 Next?
    06:15:30 Finalize
    06:15:30 Committed?
    06:15:30 Delivered
    "#);
    insta::assert_snapshot!(stage.world.alerts()[0].message, @r#"Run run-c6c332-1 of Daily Agent Performance Aggregation (tenant acme, window 2026-11-21T00:00:00Z to 2026-11-22T00:00:00Z, segment 0, run 1) ended without its data: timed_out (its last state was processing). The pipeline goes on by itself with the next run, as far as the definition allows. Execution: arn:aws:states:us-east-1:000000000000:execution:report-pipeline:e220a839-7b1d-4daf-ae78-9e6aa1b965f4"#);
}

#[tokio::test]
async fn halves_are_halved_again_as_far_as_the_definition_allows() {
    let setup = Setup::new()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT6H"}))
        .fault("slow-if-wide:minutes=360");
    let stage = setup.start().await;
    stage.deliver().await;
    let commit = check(&stage, 3);
    stage.check_rows(&commit);
    let segments: Vec<_> = commit.runs.iter().map(|run| run.segment.as_str()).collect();
    assert_eq!(segments, ["000", "001", "010", "011"]);
}

#[tokio::test]
async fn a_window_is_not_halved_below_the_smallest_one() {
    let setup = Setup::new()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT12H"}))
        .define("/pipeline/maxRuns", json!(2))
        .fault("slow-if-wide:minutes=360");
    let stage = setup.start().await;
    let ended = stage.fail("Cxone.RunsExhausted").await;
    assert!(stage.log().is_empty());
    let runs = stage.tenant().runs();
    let widths: Vec<_> = runs.iter().map(|run| run.window.seconds() / 3600).collect();
    assert_eq!(widths, [24, 12, 12]);
    stage.set_faults(&[]);
    crate::stage::delivered(stage.redrive(&ended).await);
    stage.check_rows(&stage.log()[0]);
}

#[tokio::test]
async fn a_column_that_takes_too_long_is_left_out() {
    let setup = Setup::new()
        .define("/pipeline/fallback", json!({"drop": ["queueName"]}))
        .fault("slow-if-column:name=queueName");
    let stage = setup.start().await;
    stage.deliver().await;
    let commit = check(&stage, 1);
    stage.check_rows(&commit);
    assert!(commit.runs[0].simplified);
    assert!(!stage.truth_of(&commit).contains("queueName"));

    // The next day asks for all columns again.
    stage.set_faults(&[]);
    let event = stage.event().window(crate::stage::day_before(1)).to_json();
    crate::stage::delivered(stage.play(event).await);
    let next = &stage.log()[1];
    stage.check_rows(next);
    assert!(!next.runs[0].simplified);
    assert!(stage.truth_of(next).contains("queueName"));
}

#[tokio::test]
async fn csv_has_all_its_columns_even_if_one_was_left_out() {
    let setup = Setup::new()
        .define("/pipeline/fallback", json!({"drop": ["queueName"]}))
        .define("/pipeline/format", json!("csv"))
        .fault("slow-if-column:name=queueName");
    let stage = setup.start().await;
    stage.deliver().await;
    let commit = check(&stage, 1);
    stage.check_parts(&commit);
    let part = stage.world.part(&commit.parts[0]).unwrap();
    let header = part.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(String::from_utf8_lossy(header), commit.columns.join(","));
}

#[tokio::test]
async fn a_run_that_is_done_while_it_is_cancelled_is_used() {
    for answer in ["409", "204"] {
        let setup = Setup::new()
            .fault("processing-forever")
            .fault(&format!("cancel-completes:answer={answer}"));
        let stage = setup.start().await;
        stage.deliver().await;
        stage.commit();
        assert_eq!(stage.started(), 1);
        assert_eq!(stage.world.alerts(), []);
    }
}

#[tokio::test]
async fn a_cancellation_that_is_refused_does_not_hide_what_it_was_for() {
    for fault in [
        "cancel-refused:status=405",
        "cancel-refused:status=500,times=forever",
        "cancel-ignored",
    ] {
        let setup = Setup::new().fault("processing-forever:run=1").fault(fault);
        let stage = setup.start().await;
        stage.deliver().await;
        stage.commit();
        let [alert] = &stage.world.alerts()[..] else {
            panic!("{:#?}", stage.world.alerts());
        };
        assert!(alert.message.contains("timed_out"), "{alert:?}");
    }
}

#[tokio::test]
async fn the_45_minutes_count_from_the_start_of_the_run() {
    let stage = Setup::new().fault("processing-forever").start().await;
    stage.deliver().await;
    let commit = stage.commit();
    let [first, second] = &stage.tenant().runs()[..] else {
        panic!("{:#?}", stage.tenant().runs());
    };
    let limit = SignedDuration::from_mins(45);
    assert_eq!(second.started.duration_since(first.started), limit);
    assert_eq!(commit.runs[0].run_id.as_str(), second.id);
}
