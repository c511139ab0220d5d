//! Whether a window is there by the time at which it is expected.

use asl::{Description, Status};
use definition::{Definition, Window};
use delivery::Expectation;
use jiff::{SignedDuration, Timestamp};
use local::world::{ALERT_TOPIC_ARN, BUCKET};
use serde_json::{Value, json};

use crate::overlaps::window;
use pipeline_tests::harness::{
    FIRED_AT, Pipeline, PipelineBuilder, day_before, delivered, message, note, time,
};

/// What the schedule asks that comes when the window of `scheduled` is expected.
fn expectation(pipeline: &Pipeline, scheduled: Timestamp) -> Value {
    let definition = Definition::from_value(&pipeline.definition);
    let definition = definition.unwrap_or_else(|findings| panic!("{findings}"));
    let at = scheduled + definition.definition.expected_after();
    local::scheduled_event(pipeline.definition.clone(), at)
        .with_expectation(Expectation::Delivered)
        .to_json()
}

/// Waits until then, and asks. Whatever the answer is, nothing is started and nothing is stored.
async fn ask_at(pipeline: &Pipeline, scheduled: &str) -> Description {
    let event = expectation(pipeline, time(scheduled));
    let at = time(event["time"].as_str().unwrap());
    drop(pipeline.world.clock().sleep_until(at).await);
    ask(pipeline, event).await
}

async fn ask(pipeline: &Pipeline, event: Value) -> Description {
    let before = (pipeline.tenant().journal().len(), pipeline.listing());
    let ended = pipeline.play(event).await;
    let after = (pipeline.tenant().journal().len(), pipeline.listing());
    assert_eq!(before, after, "something was started or stored");
    ended
}

/// The window is overdue, which is told at once, and the text says all of this.
fn check_overdue(pipeline: &Pipeline, ended: &Description, said: &[&str]) {
    assert_eq!(ended.status, Status::Failed, "{ended:?}");
    assert_eq!(ended.error.as_deref(), Some("Cxone.Overdue"), "{ended:?}");
    assert_eq!(
        (ended.state.as_str(), &ended.not_redrivable),
        ("Trigger", &None)
    );
    let states = ["Begin", "Trigger", "Next?", "Overdue", "Trigger"];
    assert_eq!(pipeline.states(ended), states, "told before it fails");
    let message = message(ended);
    let mail = pipeline.world.alerts().pop().unwrap();
    assert_eq!(mail.topic, ALERT_TOPIC_ARN);
    for said in said {
        assert!(message.contains(said), "{said} is not in: {message}");
        assert!(mail.message.contains(said), "{said} is not in: {mail:?}");
    }
}

/// What the mail says to type, after `cxr status`.
fn commands(pipeline: &Pipeline) -> Vec<String> {
    let mail = pipeline.world.alerts().pop().unwrap();
    let lines = mail.message.lines().map(str::trim);
    let typed = lines.filter(|line| line.starts_with("cxr ")).skip(1);
    typed.map(str::to_owned).collect()
}

const DAY: &str = "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z";

/// The figures of all invocations.
fn freshness(pipeline: &Pipeline) -> Vec<u64> {
    let lines = pipeline.world.lambda().logs().metrics().into_iter();
    let lines = lines.map(|line| serde_json::from_str::<Value>(&line.text).unwrap());
    lines
        .filter_map(|line| line["FreshnessHours"].as_u64())
        .collect()
}

#[tokio::test]
async fn a_day_that_was_delivered_is_not_overdue() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let ended = ask_at(&pipeline, FIRED_AT).await;
    assert_eq!(note(&ended), "");
    let output = ended.output.unwrap();
    assert_eq!(
        (&output["next"], &output["version"]),
        (&json!("delivered"), &json!(1))
    );
    // The event came at 08:30.
    assert_eq!(freshness(&pipeline), [9]);
}

#[tokio::test]
async fn a_day_that_nobody_asked_for_is_overdue_until_it_is_there() {
    let pipeline = PipelineBuilder::daily().start().await;
    let missing = ask_at(&pipeline, FIRED_AT).await;
    let run = format!("cxr run FILE --window {DAY}");
    let said = [
        DAY,
        "by 2026-11-22T08:30:00Z",
        "no execution",
        "schedule is enabled",
        &run,
    ];
    check_overdue(&pipeline, &missing, &said);
    assert_eq!(freshness(&pipeline), [0; 0], "nothing was ever delivered");
    // Whatever else is delivered does not hide it.
    delivered(pipeline.ask_for(day_before(1)).await);
    check_overdue(&pipeline, &ask_at(&pipeline, FIRED_AT).await, &said);
    assert_eq!(freshness(&pipeline), [33]);
    pipeline.deliver().await;
    assert_eq!(note(&pipeline.redrive(&missing).await), "");
}

#[tokio::test]
async fn a_day_whose_runs_failed_is_overdue_and_says_why() {
    let fault = "run-fails:message=out of memory,times=forever";
    let pipeline = PipelineBuilder::daily().fault(fault).start().await;
    pipeline.fail("Cxone.RunsExhausted").await;
    let retry = "`cxr retry 'acme/Daily Agent Performance Aggregation' 2026-11-21 --watch`";
    let said = [
        "run 4 was not started",
        "reported the run as failed (out of memory)",
        retry,
    ];
    check_overdue(&pipeline, &ask_at(&pipeline, FIRED_AT).await, &said);
}

#[tokio::test]
async fn a_day_that_is_under_way_is_overdue_and_goes_on() {
    let pipeline = PipelineBuilder::daily().start().await;
    let question =
        local::scheduled_event(pipeline.definition.clone(), time("2026-11-22T08:30:00Z"))
            .with_expectation(Expectation::Delivered);
    let (day, question) = pipeline.fire_before(&question).await;
    let run = pipeline.tenant().runs()[0].id.clone();
    let asked = pipeline.finish(&question).await;
    check_overdue(
        &pipeline,
        &asked,
        &["run 1", &run, "was started at", "no page", "cxr show"],
    );
    delivered(pipeline.finish(&day).await);
}

#[tokio::test]
async fn a_day_whose_pages_contradict_each_other_is_overdue() {
    let setup = PipelineBuilder::daily().fault("conflict:rows=1,page=1");
    let pipeline = setup.start().await;
    pipeline.fail("Cxone.Conflict").await;
    let asked = ask_at(&pipeline, FIRED_AT).await;
    check_overdue(&pipeline, &asked, &["all its pages are stored", "cxr show"]);
}

#[tokio::test]
async fn a_day_that_was_taken_back_is_missing_on_purpose_until_somebody_wants_it_again() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    delivered(pipeline.withdraw(day_before(0), "mistake").await);
    let withdrawn = ask_at(&pipeline, FIRED_AT).await;
    assert!(note(&withdrawn).contains("was withdrawn"), "{withdrawn:?}");
    pipeline.set_faults(&["run-fails:times=forever"]);
    let replay = pipeline
        .event()
        .with_replay(local::replay("wanted"))
        .with_id("again");
    let failed = pipeline.play(replay.to_json()).await;
    assert_eq!(failed.status, Status::Failed);
    check_overdue(&pipeline, &ask_at(&pipeline, FIRED_AT).await, &["run 4"]);
    pipeline.set_faults(&[]);
    delivered(pipeline.redrive(&failed).await);
    assert_eq!(note(&ask_at(&pipeline, FIRED_AT).await), "");
}

/// A withdrawal says nothing of a day that was delivered after it, although it was of a wider window.
#[tokio::test]
async fn a_day_that_came_after_a_wider_window_was_taken_back_is_there() {
    let pipeline = PipelineBuilder::daily().start().await;
    let wide = window("20T00", "22T00");
    delivered(pipeline.ask_for(wide).await);
    delivered(pipeline.withdraw(wide, "two days at once").await);
    let withdrawn = note(&ask_at(&pipeline, FIRED_AT).await);
    assert!(withdrawn.contains("version 2 withdrew"), "{withdrawn}");
    pipeline.deliver().await;
    assert_eq!(note(&ask_at(&pipeline, FIRED_AT).await), "");
    // The other day of the wider window is still missing on purpose.
    let before = pipeline.event().with_window(day_before(1));
    let before = before.with_expectation(Expectation::Delivered);
    let withdrawn = note(&ask(&pipeline, before.to_json()).await);
    assert!(withdrawn.contains("version 2 withdrew"), "{withdrawn}");
}

#[tokio::test]
async fn what_consumers_hold_of_a_window_counts_however_it_came() {
    let pipeline = PipelineBuilder::daily().start().await;
    let expect = async |window: Window| {
        let event = pipeline.event().with_window(window);
        ask(
            &pipeline,
            event.with_expectation(Expectation::Delivered).to_json(),
        )
        .await
    };
    delivered(pipeline.ask_for(window("18T00", "20T00")).await);
    assert!(note(&expect(window("19T00", "20T00")).await).contains("version 1"));
    // Two halves are a day, one is none.
    delivered(pipeline.ask_for(window("20T12", "21T00")).await);
    check_overdue(
        &pipeline,
        &expect(window("20T00", "21T00")).await,
        &["no execution"],
    );
    delivered(pipeline.ask_for(window("20T00", "20T12")).await);
    let note = note(&expect(window("20T00", "21T00")).await);
    assert!(
        note.contains("version 2") && note.contains("version 3"),
        "{note}"
    );
    // A window that lies across is refused, and the text says so.
    let across = expect(window("20T18", "22T00")).await;
    check_overdue(&pipeline, &across, &["is refused", "cxr withdraw"]);
    // What the text says to type is what `cxr` takes for a window that is none of the report's own.
    let noon = expect(window("17T00", "17T12")).await;
    check_overdue(&pipeline, &noon, &["12:00:00Z --off-grid`"]);
    let early = expect(day_before(-2)).await;
    check_overdue(&pipeline, &early, &["final only at 2026-11-24T05:00:00Z"]);
}

type Changes = Vec<(&'static str, Value)>;

fn recurrence(word: &str, range: &str, time: &str) -> Changes {
    vec![
        ("/schedule/type", json!(word)),
        ("/schedule/time", json!(time)),
        ("/report/dateRange/value", json!(range)),
    ]
}

/// Every six hours.
fn hourly() -> Changes {
    let mut hourly = recurrence("hourly", "previousHours", "00:50");
    hourly.push(("/schedule/everyHours", json!(6)));
    hourly.push(("/pipeline/settledAt", Value::Null));
    hourly.push(("/pipeline/settledAfter", json!("PT45M")));
    hourly
}

#[tokio::test]
async fn each_recurrence_is_expected_by_its_own_time() {
    let hourly = hourly();
    let mut late = recurrence("daily", "previousDay", "05:30");
    late.push(("/pipeline/expectedBy", json!("P2D")));
    let once =
        json!({"type": "absolute", "start": "2026-11-10T00:00:00Z", "end": "2026-11-12T00:00:00Z"});
    for (changes, scheduled, expected) in [
        (hourly, "2026-11-22T00:50:00Z", window("21T18", "22T00")),
        (late, FIRED_AT, day_before(0)),
        (
            recurrence("daily", "previousDay", "01:00"),
            "2026-11-22T01:00:00Z",
            day_before(0),
        ),
        (
            recurrence("weekly", "previousWeek", "06:00"),
            "2026-11-23T06:00:00Z",
            window("16T00", "23T00"),
        ),
        (
            recurrence("monthly", "previousMonth", "06:00"),
            "2026-12-01T06:00:00Z",
            Window::new(time("2026-11-01T00:00:00Z"), time("2026-12-01T00:00:00Z")).unwrap(),
        ),
        (
            vec![
                ("/schedule/type", json!("once")),
                ("/report/dateRange", once),
            ],
            "2026-11-12T05:30:00Z",
            window("10T00", "12T00"),
        ),
    ] {
        let mut setup = PipelineBuilder::daily().fired_at(scheduled);
        for (pointer, value) in changes {
            setup = setup.define(pointer, value);
        }
        let pipeline = setup.start().await;
        let missing = ask_at(&pipeline, scheduled).await;
        check_overdue(&pipeline, &missing, &[&format!("of {expected} is")]);
        pipeline.deliver().await;
        assert_eq!(pipeline.commit().window, expected);
        assert_eq!(note(&pipeline.redrive(&missing).await), "");
    }
}

/// Yesterday is missing, and a day of long ago is fetched again: whatever else is committed hides nothing. A hole of ten days ago
/// is told each day, until it is filled.
#[tokio::test]
async fn a_hole_is_told_each_day_until_it_is_filled_whatever_else_is_committed() {
    let pipeline = PipelineBuilder::daily()
        .fired_at("2026-11-09T05:30:00Z")
        .start()
        .await;
    let day = |number: i64| {
        let start = time("2026-11-01T00:00:00Z") + SignedDuration::from_hours(24 * (number - 1));
        Window::new(start, start + SignedDuration::from_hours(24)).unwrap()
    };
    pipeline.deliver().await;
    // The 11th is a hole from the beginning, and the last day is missing.
    for number in (9..=20).filter(|number| *number != 11) {
        let at = day(number).end() + SignedDuration::from_mins(330);
        drop(pipeline.world.clock().sleep_until(at).await);
        delivered(pipeline.ask_for(day(number)).await);
    }
    pipeline.replay("late rows").await;
    let name = "'acme/Daily Agent Performance Aggregation'";
    let both = ask_at(&pipeline, FIRED_AT).await;
    let own = "Aggregation of 2026-11-21T00:00:00Z/2026-11-22T00:00:00Z is not delivered";
    let hole = "Aggregation of 2026-11-11 is not delivered, and was expected earlier";
    check_overdue(&pipeline, &both, &[own, hole]);
    let subject = pipeline.world.alerts().pop().unwrap().subject.unwrap();
    assert_eq!(
        subject,
        "Daily Agent Performance Aggregation, 2026-11-11, 2026-11-21: not delivered (acme)"
    );
    let fill = format!("cxr backfill {name} 2026-11-11..2026-11-21 --watch");
    assert_eq!(commands(&pipeline), [fill]);
    // The next day comes, and the day before, and the hole is still told.
    for number in [21, 22] {
        let at = day(number).end() + SignedDuration::from_mins(330);
        drop(pipeline.world.clock().sleep_until(at).await);
        delivered(pipeline.ask_for(day(number)).await);
        let scheduled = day(number).end() + SignedDuration::from_mins(330);
        let told = ask_at(&pipeline, &scheduled.to_string()).await;
        check_overdue(&pipeline, &told, &[hole]);
        assert!(!message(&told).contains("was to be by"), "{told:?}");
        assert_eq!(
            commands(&pipeline),
            [format!("cxr retry {name} 2026-11-11 --watch")]
        );
    }
    delivered(pipeline.ask_for(day(11)).await);
    assert_eq!(note(&ask_at(&pipeline, "2026-11-23T05:30:00Z").await), "");
    // A day that was taken back is no hole, and one whose rows are gone is told.
    delivered(pipeline.withdraw(day(15), "mistake").await);
    assert_eq!(note(&ask_at(&pipeline, "2026-11-23T05:30:00Z").await), "");
    let log = pipeline.log();
    let kept = log.iter().rfind(|commit| commit.window == day(18)).unwrap();
    let store = pipeline.world.store();
    std::fs::remove_file(store.object_path(BUCKET, &kept.parts[0].key)).unwrap();
    let lost = ask_at(&pipeline, "2026-11-23T05:30:00Z").await;
    check_overdue(
        &pipeline,
        &lost,
        &["2026-11-18 was delivered, and a part of its rows is gone"],
    );
    let replay = format!("cxr replay {name} 2026-11-18 --reason TEXT --watch");
    assert_eq!(commands(&pipeline), [replay]);
}

/// Each expectation fails, so that the figures and the alarm tell of the hole as long as there is one.
#[tokio::test]
async fn a_hole_of_a_report_that_runs_every_few_hours_is_mailed_once_a_day() {
    let mut setup = PipelineBuilder::daily().fired_at("2026-11-21T00:50:00Z");
    for (pointer, value) in hourly() {
        setup = setup.define(pointer, value);
    }
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let count_mails = || pipeline.world.alerts().len();
    for (from, to, is_missing, is_mailed) in [
        ("21T00", "21T06", true, true),
        ("21T06", "21T12", false, false),
        ("21T12", "21T18", true, true),
        ("21T18", "22T00", false, false),
        ("22T00", "22T06", false, true),
        ("22T06", "22T12", false, false),
    ] {
        let window = window(from, to);
        let scheduled = window.end() + SignedDuration::from_mins(50);
        drop(pipeline.world.clock().sleep_until(scheduled).await);
        if !is_missing {
            delivered(pipeline.ask_for(window).await);
        }
        let before = count_mails();
        let ended = ask_at(&pipeline, &scheduled.to_string()).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Overdue"), "{ended:?}");
        let text = message(&ended);
        assert!(text.contains("2026-11-21T00:00"), "the hole: {text}");
        assert_eq!(count_mails() - before, usize::from(is_mailed), "{from}");
    }
}

/// What an expectation of a daily report asks of S3, with as many commits as it looks back over.
#[tokio::test]
async fn an_expectation_reads_each_commit_of_thirty_five_days_about_once() {
    let pipeline = PipelineBuilder::daily()
        .fired_at("2026-10-16T05:30:00Z")
        .start()
        .await;
    pipeline.deliver().await;
    let day = |number: i64| {
        let start = time("2026-10-15T00:00:00Z") + SignedDuration::from_hours(24 * number);
        Window::new(start, start + SignedDuration::from_hours(24)).unwrap()
    };
    for number in 1..=37 {
        let at = day(number).end() + SignedDuration::from_mins(330);
        drop(pipeline.world.clock().sleep_until(at).await);
        delivered(pipeline.ask_for(day(number)).await);
    }
    let before = pipeline.world.gateway().calls().len();
    let scheduled = day(37).end() + SignedDuration::from_mins(330);
    assert_eq!(note(&ask_at(&pipeline, &scheduled.to_string()).await), "");
    let calls = pipeline.world.gateway().calls().into_iter().skip(before);
    let calls: Vec<String> = calls.map(|call| call.operation).collect();
    let count = |operation: &str| calls.iter().filter(|it| *it == operation).count();
    let (reads, lists) = (count("GetObject"), count("ListObjectsV2"));
    assert_eq!(reads + lists, calls.len(), "it only reads: {calls:?}");
    assert!((36..=60).contains(&reads), "{reads} reads");
    assert!(lists <= 5, "{lists} lists");
}
