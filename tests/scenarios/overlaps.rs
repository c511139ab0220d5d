//! Windows of one report that overlap: refused, or replaced by the one that covers them.

use asl::{Description, Status};
use definition::Window;
use serde_json::Value;

use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, time};

const DAY: &str = "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z";

pub(crate) fn window(start: &str, end: &str) -> Window {
    let at = |day: &str| time(&format!("2026-11-{day}:00:00Z"));
    Window::new(at(start), at(end)).unwrap()
}

pub(crate) async fn ask(pipeline: &Pipeline, window: Window) -> Description {
    let event = pipeline.event().with_window(window).to_json();
    pipeline.play(event).await
}

/// Takes a window back; each id is a request of its own.
pub(crate) async fn withdraw(pipeline: &Pipeline, window: Window, id: &str) -> Description {
    let mut event = pipeline
        .event()
        .with_window(window)
        .with_withdrawal(local::replay("delivered by mistake"))
        .to_json();
    event["id"] = id.into();
    pipeline.play(event).await
}

pub(crate) fn message(ended: &Description) -> String {
    let cause: Value = serde_json::from_str(ended.cause.as_ref().unwrap()).unwrap();
    cause["errorMessage"].as_str().unwrap().to_owned()
}

/// What the execution says to whoever looks at it.
pub(crate) fn note(ended: &Description) -> String {
    assert_eq!(ended.state, "Nothing to do", "{ended:?}");
    let output = ended.output.as_ref().unwrap();
    output["note"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_window_that_overlaps_a_delivered_one_is_refused_before_anything_is_asked() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let (asked, stored) = (pipeline.tenant().journal().len(), pipeline.listing());
    for (window, said) in [
        (
            window("20T12", "21T12"),
            "Ask for 2026-11-20T12:00:00Z/2026-11-22T00:00:00Z",
        ),
        (
            window("21T23", "22T04"),
            "Ask for 2026-11-21T00:00:00Z/2026-11-22T04:00:00Z",
        ),
        (window("21T06", "21T12"), "lies within"),
        (window("21T00", "21T12"), "lies within"),
    ] {
        let ended = ask(&pipeline, window).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
        let message = message(&ended);
        for said in [DAY, &window.to_string(), "version 1", "cxr withdraw", said] {
            assert!(message.contains(said), "{said} is not in: {message}");
        }
    }
    assert_eq!(pipeline.tenant().journal().len(), asked);
    assert_eq!(pipeline.listing(), stored);
    // Windows that only touch it are its neighbours.
    delivered(ask(&pipeline, window("20T00", "21T00")).await);
    delivered(ask(&pipeline, window("22T00", "22T04")).await);
    assert!(
        pipeline
            .log()
            .iter()
            .all(|commit| commit.replaces.is_empty())
    );
}

#[tokio::test]
async fn a_window_that_covers_delivered_ones_names_them_and_they_do_not_come_back() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    delivered(ask(&pipeline, day_before(2)).await);
    // The day between was asked for and never delivered.
    pipeline.set_faults(&["run-fails:times=forever"]);
    let between = ask(&pipeline, day_before(1)).await;
    assert_eq!(between.error.as_deref(), Some("Cxone.RunsExhausted"));
    pipeline.set_faults(&[]);
    delivered(ask(&pipeline, window("19T00", "22T00")).await);
    let log = pipeline.log();
    assert_eq!(log[2].replaces, [day_before(2), day_before(0)]);
    assert_eq!((log[2].supersedes, log[2].unchanged), (None, false));
    pipeline.check_rows(&log[2]);

    let stored = pipeline.listing();
    let covered = "version 3 delivered 2026-11-19T00:00:00Z/2026-11-22T00:00:00Z, which covers";
    assert!(note(&pipeline.fire().await).contains(covered));
    assert!(note(&pipeline.redrive(&between).await).contains(covered));
    let mut replay = pipeline
        .event()
        .with_replay(local::replay("restated"))
        .to_json();
    replay["id"] = "narrow".into();
    let ended = pipeline.play(replay).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
    assert!(message(&ended).contains("lies within"));
    let ended = withdraw(&pipeline, day_before(0), "wrong-one").await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
    assert!(message(&ended).contains("Withdraw that window"));
    assert_eq!(pipeline.listing(), stored);
}

#[tokio::test]
async fn once_the_wider_window_is_withdrawn_its_days_can_be_replayed() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let wide = window("20T00", "22T00");
    delivered(ask(&pipeline, wide).await);
    delivered(withdraw(&pipeline, wide, "back").await);
    // Nothing brings the day back by itself, and its note says what does.
    let note = note(&pipeline.fire().await);
    assert!(
        note.contains("version 3 withdrew") && note.contains("cxr replay"),
        "{note}"
    );
    pipeline.replay("day-again").await;
    let log = pipeline.log();
    assert_eq!(log[1].replaces, [day_before(0)]);
    // It has the rows of version 1, and whoever reads the log does not hold them any more.
    assert_eq!(log[3].content, log[0].content);
    assert_eq!((log[3].supersedes, log[3].unchanged), (Some(1), false));
}

#[tokio::test]
async fn of_two_overlapping_windows_under_way_the_first_commit_counts() {
    let setup = PipelineBuilder::daily().fault("slow-run:run=1,seconds=1800");
    let pipeline = setup.start().await;
    let other = window("20T12", "21T12");
    let (slow, quick) = {
        let _still = pipeline.world.clock().busy();
        let slow = pipeline.world.fire(pipeline.event().to_json()).unwrap();
        while pipeline.tenant().runs().is_empty() {
            tokio::task::yield_now().await;
        }
        let event = pipeline.event().with_window(other).to_json();
        (slow, pipeline.world.fire(event).unwrap())
    };
    delivered(pipeline.finish(&quick).await);
    let slow = pipeline.finish(&slow).await;
    assert_eq!(slow.error.as_deref(), Some("Cxone.Config"), "{slow:?}");
    let said = message(&slow);
    assert!(
        said.contains(DAY) && said.contains(&other.to_string()),
        "{said}"
    );
    assert_eq!(pipeline.log().len(), 1);

    // Its pages are not lost: once the other one is withdrawn, a redrive commits them.
    delivered(withdraw(&pipeline, other, "make-room").await);
    let runs = pipeline.started();
    delivered(pipeline.redrive(&slow).await);
    assert_eq!(pipeline.started(), runs);
    assert_eq!(pipeline.log()[2].window, day_before(0));
}

#[tokio::test]
async fn a_window_that_was_covered_while_it_was_under_way_is_superseded() {
    let setup = PipelineBuilder::daily().fault("slow-run:run=1,seconds=1800");
    let pipeline = setup.start().await;
    let (day, wide) = {
        let _still = pipeline.world.clock().busy();
        let day = pipeline.world.fire(pipeline.event().to_json()).unwrap();
        while pipeline.tenant().runs().is_empty() {
            tokio::task::yield_now().await;
        }
        let wide = window("20T00", "22T00");
        let event = pipeline.event().with_window(wide).to_json();
        (day, pipeline.world.fire(event).unwrap())
    };
    delivered(pipeline.finish(&wide).await);
    let day = pipeline.finish(&day).await;
    assert_eq!(day.status, Status::Succeeded, "{day:?}");
    assert!(note(&day).contains("covers"), "{day:?}");
    assert_eq!(pipeline.log().len(), 1);
}
