//! Windows of one report that overlap: refused, or replaced by the one that covers them.

use asl::Status;
use definition::Window;

use pipeline_tests::harness::{PipelineBuilder, day_before, delivered, message, note, time};

const DAY: &str = "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z";

pub(crate) fn window(start: &str, end: &str) -> Window {
    let at = |day: &str| time(&format!("2026-11-{day}:00:00Z"));
    Window::new(at(start), at(end)).unwrap()
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
        let ended = pipeline.ask_for(window).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
        let message = message(&ended);
        for said in [DAY, &window.to_string(), "version 1", "cxr withdraw", said] {
            assert!(message.contains(said), "{said} is not in: {message}");
        }
    }
    assert_eq!(pipeline.tenant().journal().len(), asked);
    assert_eq!(pipeline.listing(), stored);
    // Windows that only touch it are its neighbours.
    delivered(pipeline.ask_for(window("20T00", "21T00")).await);
    delivered(pipeline.ask_for(window("22T00", "22T04")).await);
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
    delivered(pipeline.ask_for(day_before(2)).await);
    // The day between was asked for and never delivered.
    pipeline.set_faults(&["run-fails:times=forever"]);
    let between = pipeline.ask_for(day_before(1)).await;
    assert_eq!(between.error.as_deref(), Some("Cxone.RunsExhausted"));
    pipeline.set_faults(&[]);
    delivered(pipeline.ask_for(window("19T00", "22T00")).await);
    let log = pipeline.log();
    assert_eq!(log[2].replaces, [day_before(2), day_before(0)]);
    assert_eq!((log[2].supersedes, log[2].unchanged), (None, false));
    pipeline.check_rows(&log[2]);

    let stored = pipeline.listing();
    let covered = "version 3 delivered 2026-11-19T00:00:00Z/2026-11-22T00:00:00Z, which covers";
    assert!(note(&pipeline.fire().await).contains(covered));
    assert!(note(&pipeline.redrive(&between).await).contains(covered));
    let replay = pipeline.event().with_replay(local::replay("restated"));
    let ended = pipeline.play(replay.with_id("narrow").to_json()).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
    assert!(message(&ended).contains("lies within"));
    let ended = pipeline.withdraw(day_before(0), "wrong-one").await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
    assert!(message(&ended).contains("Withdraw that window"));
    assert_eq!(pipeline.listing(), stored);
}

#[tokio::test]
async fn once_the_wider_window_is_withdrawn_its_days_can_be_replayed() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let wide = window("20T00", "22T00");
    delivered(pipeline.ask_for(wide).await);
    delivered(pipeline.withdraw(wide, "back").await);
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
    let asked = pipeline.event().with_window(other);
    let (slow, quick) = pipeline.fire_before(&asked).await;
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
    delivered(pipeline.withdraw(other, "make-room").await);
    let runs = pipeline.started();
    delivered(pipeline.redrive(&slow).await);
    assert_eq!(pipeline.started(), runs);
    assert_eq!(pipeline.log()[2].window, day_before(0));
}

#[tokio::test]
async fn a_window_that_was_covered_while_it_was_under_way_is_superseded() {
    let setup = PipelineBuilder::daily().fault("slow-run:run=1,seconds=1800");
    let pipeline = setup.start().await;
    let wide = pipeline.event().with_window(window("20T00", "22T00"));
    let (day, wide) = pipeline.fire_before(&wide).await;
    delivered(pipeline.finish(&wide).await);
    let day = pipeline.finish(&day).await;
    assert_eq!(day.status, Status::Succeeded, "{day:?}");
    assert!(note(&day).contains("covers"), "{day:?}");
    assert_eq!(pipeline.log().len(), 1);
}
