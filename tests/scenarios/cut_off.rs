//! Runs that are not done after 45 minutes.

use cxone_sim::{Entry, Kind};
use delivery::documents::Commit;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use pipeline_tests::harness::history;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, time};

/// The first run is cut off after 45 minutes, is cancelled once, and the operators hear of it.
fn check(pipeline: &Pipeline, alerts: usize) -> Commit {
    let log = pipeline.log();
    assert_eq!(log.len(), 1, "{log:#?}");
    let runs = pipeline.tenant().runs();
    assert_eq!(runs[0].state, "cancelled");
    assert_eq!(
        overdue(&runs[0].id, &pipeline.requests(Kind::Cancel)),
        Some(time("2026-11-22T06:15:00Z"))
    );
    let published = pipeline.world.alerts();
    assert_eq!(published.len(), alerts, "{published:#?}");
    assert!(published[0].message.contains("timed_out"), "{published:#?}");
    assert!(published[0].message.contains(&runs[0].id), "{published:#?}");
    crate::rate::check_polling(pipeline);
    log.into_iter().next().unwrap()
}

/// A mail's subject is ASCII and short; a chat is told the same in a form that it reads, with the report's own name.
#[tokio::test]
async fn the_operators_read_which_report_and_day_and_what_to_type() {
    let name = "Täglich: 日報 «heures» и ещё отчёт по операторам за день";
    let pipeline = PipelineBuilder::daily()
        .define("/name", json!(name))
        .fault("slow-run:seconds=36000")
        .start()
        .await;
    let ended = pipeline.deliver().await;
    let alert = &pipeline.world.alerts()[0];
    let subject = alert.subject.as_deref().unwrap();
    let about = "T?glich: ?? ?heures? ? ??? ????? ?? ?????????, 2026-11-21";
    let told = "run 1 of 3 ended without data";
    assert_eq!(subject, format!("{about}: {told} (acme)"));
    let structured = alert.structured.as_deref().unwrap();
    let structured: serde_json::Value = serde_json::from_str(structured).unwrap();
    let show = format!("cxr show 'acme/{name}' 2026-11-21");
    let (told, typed) = alert.message.split_once("\n\n").unwrap();
    let arn = &ended.execution_arn;
    assert_eq!(
        typed,
        format!("What to type:\n  cxr status\n  {show}\n\nExecution: {arn}")
    );
    assert_eq!(
        structured,
        json!({
            "version": "1.0",
            "source": "custom",
            "content": {
                "title": format!("A run ended without data: {name}"),
                "description": told,
                "nextSteps": [show],
            },
            "metadata": {
                "threadId": ended.execution_arn,
                "summary": "A run ended without data",
                "relatedResources": [ended.execution_arn],
                "additionalContext": {"report": name, "tenant": "acme", "window": "2026-11-21T00:00:00Z"},
            },
        })
    );
}

/// The mails count the runs, and the one of the last run says so and what to type.
fn check_last_mail(pipeline: &Pipeline) {
    let alerts = pipeline.world.alerts();
    let subjects = alerts.iter().filter_map(|alert| alert.subject.as_deref());
    let about = "Daily Agent Performance Aggregation, 2026-11-21";
    let told = ["run 1 of 2", "run 1 of 2", "the last run"];
    assert_eq!(
        subjects.collect::<Vec<_>>(),
        told.map(|which| format!("{about}: {which} ended without data (acme)"))
    );
    let (last, before) = (&alerts[2].message, &alerts[1].message);
    let retry = "  cxr retry 'acme/Daily Agent Performance Aggregation' 2026-11-21 --watch\n";
    for told in ["the last of the 2 runs", "until somebody acts", retry] {
        assert!(last.contains(told), "{told}: {last}");
        assert!(!before.contains(told), "{told}: {before}");
    }
    assert!(before.contains("goes on by itself"), "{before}");
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
    let setup = PipelineBuilder::daily()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT6H"}))
        .fault("slow-if-wide:minutes=720");
    let pipeline = setup.start().await;
    let ended = pipeline.deliver().await;
    let commit = check(&pipeline, 1);
    pipeline.check_rows(&commit);
    let segments: Vec<_> = commit.runs.iter().map(|run| run.segment.as_str()).collect();
    assert_eq!(segments, ["00", "01"]);
    assert_eq!(commit.runs[0].window.end(), commit.runs[1].window.start());
    assert_eq!(commit.unique, 250);
    let timeline = history::timeline(&pipeline.world, &ended.execution_arn);
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
    insta::assert_snapshot!(pipeline.world.alerts()[0].message, @"
    Run run-c6c332-1 of Daily Agent Performance Aggregation (tenant acme, window 2026-11-21T00:00:00Z to 2026-11-22T00:00:00Z, segment 0, run 1) ended without its data: timed_out (its last state was processing). It was run 1 of the 3 that the definition allows. The pipeline goes on by itself: nothing has to be done now.

    What to type:
      cxr status
      cxr show 'acme/Daily Agent Performance Aggregation' 2026-11-21

    Execution: arn:aws:states:us-east-1:000000000000:execution:report-pipeline:e220a839-7b1d-4daf-ae78-9e6aa1b965f4
    ");
}

#[tokio::test]
async fn halves_are_halved_again_as_far_as_the_definition_allows() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT6H"}))
        .fault("slow-if-wide:minutes=360");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = check(&pipeline, 3);
    pipeline.check_rows(&commit);
    let segments: Vec<_> = commit.runs.iter().map(|run| run.segment.as_str()).collect();
    assert_eq!(segments, ["000", "001", "010", "011"]);
}

#[tokio::test]
async fn a_window_is_not_halved_below_the_smallest_one() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/narrow", json!({"smallestWindow": "PT12H"}))
        .define("/pipeline/maxRuns", json!(2))
        .fault("slow-if-wide:minutes=360");
    let pipeline = setup.start().await;
    let ended = pipeline.fail("Cxone.RunsExhausted").await;
    assert!(pipeline.log().is_empty());
    let runs = pipeline.tenant().runs();
    let widths: Vec<_> = runs.iter().map(|run| run.window.seconds() / 3600).collect();
    assert_eq!(widths, [24, 12, 12]);
    check_last_mail(&pipeline);
    pipeline.set_faults(&[]);
    pipeline_tests::harness::delivered(pipeline.redrive(&ended).await);
    pipeline.check_rows(&pipeline.log()[0]);
}

#[tokio::test]
async fn a_column_that_takes_too_long_is_left_out() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/fallback", json!({"drop": ["queueName"]}))
        .fault("slow-if-column:name=queueName");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = check(&pipeline, 1);
    pipeline.check_rows(&commit);
    assert!(commit.runs[0].simplified);
    assert!(!pipeline.truth_of(&commit).contains("queueName"));

    // The next day asks for all columns again.
    pipeline.set_faults(&[]);
    delivered(pipeline.ask_for(day_before(1)).await);
    let next = &pipeline.log()[1];
    pipeline.check_rows(next);
    assert!(!next.runs[0].simplified);
    assert!(pipeline.truth_of(next).contains("queueName"));
}

#[tokio::test]
async fn csv_has_all_its_columns_even_if_one_was_left_out() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/fallback", json!({"drop": ["queueName"]}))
        .define("/pipeline/format", json!("csv"))
        .fault("slow-if-column:name=queueName");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = check(&pipeline, 1);
    pipeline.check_parts(&commit);
    let part = pipeline.world.part(&commit.parts[0]).unwrap();
    let header = part.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(String::from_utf8_lossy(header), commit.columns.join(","));
}

#[tokio::test]
async fn a_run_that_is_done_while_it_is_cancelled_is_used() {
    for answer in ["409", "204"] {
        let setup = PipelineBuilder::daily()
            .fault("processing-forever")
            .fault(&format!("cancel-completes:answer={answer}"));
        let pipeline = setup.start().await;
        pipeline.deliver().await;
        pipeline.commit();
        assert_eq!(pipeline.started(), 1);
        assert_eq!(pipeline.world.alerts(), []);
    }
}

#[tokio::test]
async fn a_cancellation_that_is_refused_does_not_hide_what_it_was_for() {
    for fault in [
        "cancel-refused:status=405",
        "cancel-refused:status=500,times=forever",
        "cancel-ignored",
    ] {
        let setup = PipelineBuilder::daily()
            .fault("processing-forever:run=1")
            .fault(fault);
        let pipeline = setup.start().await;
        pipeline.deliver().await;
        pipeline.commit();
        let [alert] = &pipeline.world.alerts()[..] else {
            panic!("{:#?}", pipeline.world.alerts());
        };
        assert!(alert.message.contains("timed_out"), "{alert:?}");
    }
}

#[tokio::test]
async fn the_45_minutes_count_from_the_start_of_the_run() {
    let pipeline = PipelineBuilder::daily()
        .fault("processing-forever")
        .start()
        .await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    let [first, second] = &pipeline.tenant().runs()[..] else {
        panic!("{:#?}", pipeline.tenant().runs());
    };
    let limit = SignedDuration::from_mins(45);
    assert_eq!(second.started.duration_since(first.started), limit);
    assert_eq!(commit.runs[0].run_id.as_str(), second.id);
}
