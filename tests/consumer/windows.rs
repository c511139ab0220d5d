//! Windows that cover others, that are withdrawn and delivered again, and versions whose rows are gone.

use std::collections::BTreeSet;
use std::fs;

use definition::Window;
use pipeline_tests::harness::{day_before, delivered};
use serde_json::json;

use crate::kill_everywhere;
use crate::warehouse::LoadedPipeline;

/// So many days that end with the day before the one that the schedule delivers.
fn days(count: i64) -> Window {
    Window::new(day_before(count).start(), day_before(1).end()).unwrap()
}

/// A log in which each version does something else to what is held.
async fn eventful_log() -> LoadedPipeline {
    let pipeline = LoadedPipeline::start(json!({}), 2).await;
    pipeline.deliver().await;
    pipeline.deliver_window(day_before(2)).await;
    pipeline.deliver_window(day_before(1)).await;
    // Covers the two days before it, and no other.
    pipeline.deliver_window(days(2)).await;
    delivered(pipeline.withdraw(days(2), "mistake").await);
    // One of the days comes back, with the rows that it had: they were deleted meanwhile.
    pipeline.deliver_again(day_before(2)).await;
    pipeline.tenant().set_rows(3);
    pipeline.replay("late-rows").await;
    // The same again.
    pipeline.replay("once-more").await;
    pipeline
}

#[tokio::test]
async fn each_row_is_held_once_whatever_windows_come() {
    let pipeline = eventful_log().await;
    let log = pipeline.log();
    let told: Vec<_> = log
        .iter()
        .map(|commit| (commit.replaces.len(), commit.withdrawn, commit.unchanged))
        .collect();
    let plain = (0, false, false);
    assert_eq!(
        told,
        [
            plain,
            plain,
            plain,
            (2, false, false),
            (0, true, false),
            plain,
            plain,
            (0, false, true)
        ]
    );
    // An overlap is refused before anything is committed.
    let noon = jiff::SignedDuration::from_hours(12);
    let askew = Window::new(days(1).start() + noon, days(1).end() + noon).unwrap();
    let refused = pipeline.ask_for(askew).await;
    assert_eq!(refused.error.as_deref(), Some("Cxone.Config"));
    assert_eq!(pipeline.log(), log);

    let truths: Vec<_> = (0..=log.len())
        .map(|version| pipeline.truth(version))
        .collect();
    let (deaths, held) = kill_everywhere(&pipeline, &truths);
    assert!(deaths > 30, "{deaths}");
    // Versions that bring the same rows can't be told apart; every other truth was seen.
    let different: BTreeSet<_> = truths.iter().collect();
    assert_eq!(held.len(), different.len(), "{held:?}");
    println!("killed at {deaths} statements of {} versions", log.len());
}

#[tokio::test]
async fn a_version_whose_rows_are_gone_is_skipped_if_a_later_one_replaces_them() {
    let pipeline = eventful_log().await;
    let last = pipeline.log().len();
    let truth = pipeline.truth(last);
    // Replaced by a version of the same window, by one that covers it, and by a withdrawal.
    for version in [1, 2, 3, 4] {
        let warehouse = pipeline.warehouse();
        fs::remove_file(pipeline.part(version)).unwrap();
        assert_eq!(
            warehouse.consume(),
            format!("version {last}"),
            "{version} is gone"
        );
        assert_eq!(warehouse.rows(), truth, "{version} is gone");
    }
    // The last version says that nothing changed since the one before it.
    let (entry, away) = (
        pipeline.version(last as u64),
        pipeline.version(last as u64).with_extension("away"),
    );
    let early = pipeline.warehouse();
    fs::rename(&entry, &away).unwrap();
    assert_eq!(early.consume(), format!("version {}", last - 1));
    fs::rename(&away, &entry).unwrap();
    // Who could not load the version before has to load this one all the same.
    fs::remove_file(pipeline.part(last - 1)).unwrap();
    let warehouse = pipeline.warehouse();
    assert_eq!(warehouse.consume(), format!("version {last}"));
    assert_eq!(warehouse.rows(), truth);
    // Who holds its rows needs no object of this one.
    fs::remove_file(pipeline.part(last)).unwrap();
    assert_eq!(early.consume(), format!("version {last}"));
    assert_eq!(early.rows(), truth);
    assert!(
        pipeline
            .warehouse()
            .refuses("no later version replaces its window")
    );
}

#[tokio::test]
async fn rows_that_expired_are_gone_on_behind_when_it_is_said() {
    let pipeline = LoadedPipeline::start(json!({}), 4).await;
    pipeline.deliver().await;
    pipeline.deliver_window(day_before(1)).await;
    fs::remove_file(pipeline.part(1)).unwrap();
    let warehouse = pipeline.warehouse();
    assert!(warehouse.refuses("go on behind it with --from"));
    assert_eq!(warehouse.consume_with(&["--from", "2"]), "version 2");
    let truth = pipeline.truth(2);
    assert_eq!(warehouse.rows(), truth[..truth.len() / 2]);
    // Said once more, it is not a step back.
    assert_eq!(warehouse.consume_with(&["--from", "1"]), "version 2");
    assert_eq!(warehouse.rows(), truth[..truth.len() / 2]);
}
