//! Time that no window was ever asked for is told when the next window is delivered.

use definition::Window;
use jiff::SignedDuration;
use serde_json::json;

use pipeline_tests::harness::{FIRED_AT, Pipeline, PipelineBuilder, delivered, time};

/// Fires the schedule so many days later. Says of the window that it delivered what it is, and what the commit warns of.
async fn deliver(pipeline: &Pipeline, days: i64) -> (Window, Vec<String>) {
    let at = time(FIRED_AT) + SignedDuration::from_hours(24 * days);
    let event = local::scheduled_event(pipeline.definition.clone(), at);
    delivered(pipeline.play(event.to_json()).await);
    let commit = pipeline.log().pop().unwrap();
    (commit.window, commit.warnings)
}

/// The warning of a gap.
fn warning(gap: &str) -> String {
    format!(
        "not asked for yet: {gap}, between the windows before and this one, and no schedule will"
    )
}

/// What the newest mail says to type.
fn lines_of_mail(pipeline: &Pipeline) -> Vec<String> {
    let mail = pipeline.world.alerts().pop().unwrap().message;
    let (_, lines) = mail.split_once("What to type:\n").unwrap();
    let lines = lines.lines().map(str::trim);
    let typed = lines.take_while(|line| line.starts_with("cxr "));
    typed.map(str::to_owned).collect()
}

#[tokio::test]
async fn hours_that_a_change_of_zone_leaves_out_are_told_with_the_command_that_gets_them() {
    let mut pipeline = PipelineBuilder::of_api("contacts").start().await;
    deliver(&pipeline, 0).await;
    pipeline.definition["pipeline"]["windowZone"] = json!("America/New_York");
    let (window, warnings) = deliver(&pipeline, 1).await;
    assert_eq!(
        window.to_string(),
        "2026-11-22T05:00:00Z/2026-11-23T05:00:00Z"
    );
    let gap = "2026-11-22T00:00:00Z/2026-11-22T05:00:00Z";
    let fill = format!("cxr run FILE --window {gap} --off-grid");
    let told = format!("{}. If the rows are wanted: {fill}", warning(gap));
    assert_eq!(warnings, [told]);
    assert!(pipeline.world.alerts()[0].message.contains(gap));
    // What the command asks for is delivered, and nothing is missing any more.
    let (start, end) = gap.split_once('/').unwrap();
    let gap = Window::new(time(start), time(end)).unwrap();
    delivered(pipeline.ask_for(gap).await);
    let (_, warnings) = deliver(&pipeline, 2).await;
    assert_eq!(warnings, [""; 0]);
}

#[tokio::test]
async fn a_day_that_nobody_asked_for_is_told_and_one_that_failed_is_not() {
    let pipeline = PipelineBuilder::daily().start().await;
    deliver(&pipeline, 0).await;
    let (_, warnings) = deliver(&pipeline, 2).await;
    let day = "2026-11-22T00:00:00Z/2026-11-23T00:00:00Z";
    let address = "'acme/Daily Agent Performance Aggregation'";
    let fill = format!("cxr retry {address} 2026-11-22 --watch");
    assert_eq!(warnings, [warning(day)]);
    // The day that was delivered is not to be fetched again.
    let show = format!("cxr show {address} 2026-11-23");
    assert_eq!(lines_of_mail(&pipeline), ["cxr status", &show, &fill]);
    pipeline.set_faults(&["run-fails:times=forever"]);
    let at = time(FIRED_AT) + SignedDuration::from_hours(72);
    let event = local::scheduled_event(pipeline.definition.clone(), at);
    let failed = pipeline.play(event.to_json()).await;
    assert_eq!(failed.error.as_deref(), Some("Cxone.RunsExhausted"));
    pipeline.set_faults(&[]);
    let (_, warnings) = deliver(&pipeline, 4).await;
    assert_eq!(warnings, [""; 0]);
}
