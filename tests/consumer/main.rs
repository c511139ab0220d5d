//! The example consumer, `consume.py`, over what the deployed executables delivered.
//!
//! `tests/consumer/run` plays this; `cargo test` leaves it out, because it needs Python.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod warehouse;
mod windows;

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use local_aws::Action;
use serde_json::json;

use crate::warehouse::{LoadedPipeline, Warehouse};

#[tokio::test]
async fn a_day_is_held_once_and_a_restated_day_replaces_it() {
    let pipeline = LoadedPipeline::start(json!({}), 250).await;
    pipeline.deliver().await;
    let warehouse = pipeline.warehouse();
    assert_eq!(warehouse.consume(), "version 1");
    assert_eq!(warehouse.rows(), pipeline.truth(1));
    pipeline.tenant().set_rows(260);
    pipeline.replay("late-rows").await;
    assert_eq!(warehouse.rows(), pipeline.truth(1));
    assert_eq!(warehouse.consume(), "version 2");
    assert_eq!(warehouse.rows(), pipeline.truth(2));
    assert_eq!(pipeline.truth(2).len(), 260);
    // Told once more, it finds nothing to do.
    assert_eq!(warehouse.consume(), "version 2");
    assert_eq!(warehouse.rows(), pipeline.truth(2));
}

#[tokio::test]
async fn a_gap_is_waited_for() {
    let pipeline = LoadedPipeline::start(json!({}), 20).await;
    pipeline.deliver().await;
    for (rows, request) in [(21, "first"), (22, "second")] {
        pipeline.tenant().set_rows(rows);
        pipeline.replay(request).await;
    }
    let warehouse = pipeline.warehouse();
    let (second, away) = (
        pipeline.version(2),
        pipeline.version(2).with_extension("away"),
    );
    fs::rename(&second, &away).unwrap();
    assert_eq!(warehouse.consume(), "version 1");
    assert_eq!(warehouse.rows(), pipeline.truth(1));
    fs::rename(&away, &second).unwrap();
    assert_eq!(warehouse.consume(), "version 3");
    assert_eq!(warehouse.rows(), pipeline.truth(3));
}

#[tokio::test]
async fn a_crash_at_any_statement_leaves_what_was_there() {
    let pipeline = LoadedPipeline::start(json!({}), 12).await;
    pipeline.deliver().await;
    pipeline.tenant().set_rows(14);
    pipeline.replay("late-rows").await;
    let truths = [0, 1, 2].map(|version| pipeline.truth(version));
    let (deaths, held) = kill_everywhere(&pipeline, &truths);
    assert!(deaths > 12 + 14, "{deaths}");
    assert_eq!(held, BTreeSet::from([0, 1, 2]));
    println!("killed at {deaths} statements");
}

/// Kills a new consumer at each statement in turn, and lets it go on. Gives the number of statements, and which of the
/// truths, one for each version, were held after a death.
fn kill_everywhere(pipeline: &LoadedPipeline, truths: &[Vec<String>]) -> (u32, BTreeSet<usize>) {
    let (mut deaths, mut held) = (0, BTreeSet::new());
    let last = truths.len() - 1;
    loop {
        let warehouse = pipeline.warehouse();
        if !warehouse.dies_at(deaths + 1) {
            break;
        }
        deaths += 1;
        let rows = warehouse.rows();
        let version = truths.iter().position(|truth| *truth == rows);
        held.insert(version.expect("it holds all of a version, and no other rows"));
        assert_eq!(warehouse.consume(), format!("version {last}"));
        assert_eq!(warehouse.rows(), truths[last]);
    }
    (deaths, held)
}

#[tokio::test]
async fn several_at_once_load_each_version_once() {
    let pipeline = LoadedPipeline::start(json!({}), 400).await;
    pipeline.deliver().await;
    for request in ["first", "second"] {
        pipeline.replay(request).await;
    }
    let warehouse = pipeline.warehouse();
    let consumers: Vec<_> = (0..5).map(|_| warehouse.spawn()).collect();
    for consumer in consumers {
        let ended = consumer.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    assert_eq!(warehouse.rows(), pipeline.truth(3));
}

#[tokio::test]
async fn it_reads_while_a_replay_commits() {
    let pipeline = LoadedPipeline::start(json!({}), 40).await;
    pipeline.deliver().await;
    pipeline.tenant().set_rows(44);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (warehouse, notes) = (pipeline.warehouse(), Arc::clone(&seen));
    pipeline.world.gateway().set_hook(move |_| {
        let version = warehouse.consume();
        notes.lock().unwrap().push((version, warehouse.rows()));
        Action::Pass
    });
    pipeline.replay("late-rows").await;
    pipeline.world.gateway().clear_hook();
    let seen = seen.lock().unwrap();
    for (version, rows) in seen.iter() {
        let version = version.strip_prefix("version ").unwrap();
        assert_eq!(*rows, pipeline.truth(version.parse().unwrap()));
    }
    let versions: BTreeSet<_> = seen.iter().map(|(version, _)| version.as_str()).collect();
    assert!(versions.contains("version 1"), "{versions:?}");
    println!("looked at {} times: {versions:?}", seen.len());
}

#[tokio::test]
async fn csv_and_parts_that_are_not_compressed_are_read_too() {
    for pipeline in [
        json!({"format": "csv"}),
        json!({"format": "csv", "compression": "none"}),
        json!({"compression": "none"}),
    ] {
        let is_csv = pipeline["format"] == "csv";
        let pipeline = LoadedPipeline::start(pipeline, 30).await;
        pipeline.deliver().await;
        let warehouse = pipeline.warehouse();
        assert_eq!(warehouse.consume(), "version 1");
        let (held, truth) = (warehouse.rows(), pipeline.truth(1));
        if is_csv {
            // CSV knows texts only, so that the keys of the rows have to do.
            assert_eq!(keys(&held), keys(&truth));
        } else {
            assert_eq!(held, truth);
        }
    }
}

fn keys(rows: &[String]) -> Vec<String> {
    let key = |row: &String| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        row["agentId"].as_str().unwrap().to_owned()
    };
    rows.iter().map(key).collect()
}

#[tokio::test]
async fn a_part_that_is_not_what_was_committed_is_not_loaded() {
    let pipeline = LoadedPipeline::start(json!({"compression": "none"}), 20).await;
    pipeline.deliver().await;
    let part = pipeline.part(1);
    let stored = fs::read(&part).unwrap();
    let mut damaged = stored.clone();
    damaged[10] ^= 1;
    let warehouse: Warehouse = pipeline.warehouse();
    fs::write(&part, damaged).unwrap();
    assert!(warehouse.refuses("is not what was committed"));
    fs::remove_file(&part).unwrap();
    assert!(warehouse.refuses("is not there"));
    assert_eq!(warehouse.rows(), pipeline.truth(0));
    fs::write(&part, stored).unwrap();
    assert_eq!(warehouse.consume(), "version 1");
    assert_eq!(warehouse.rows(), pipeline.truth(1));
}

/// A note may be longer than what Python's csv takes by itself, and hold what other readers take for an end.
#[tokio::test]
async fn a_cell_of_any_length_is_loaded() {
    let csv = json!({"format": "csv", "compression": "none"});
    let pipeline = LoadedPipeline::start(csv, 20).await;
    pipeline.deliver().await;
    let note = "x".repeat(200_000);
    pipeline.rewrite(1, |text| {
        let (header, rows) = text.split_once('\n').unwrap();
        let (_, rest) = rows.split_once(',').unwrap();
        format!("{header}\n{note}\0\u{2028},{rest}")
    });
    let warehouse = pipeline.warehouse();
    assert_eq!(warehouse.consume(), "version 1");
    let held = keys(&warehouse.rows());
    assert_eq!(held.len(), 20);
    assert_eq!(held[0], format!("{note}\0\u{2028}"));
}

/// Another spelling would be another report, whose rows would be loaded a second time.
#[tokio::test]
async fn another_spelling_of_the_report_is_refused_with_those_that_there_are() {
    let pipeline = LoadedPipeline::start(json!({}), 20).await;
    pipeline.deliver().await;
    let report = pipeline.report();
    let name = pipeline.definition["name"].as_str().unwrap();
    for spelling in [
        name,
        "",
        &format!("{report}/"),
        &format!("./{report}"),
        &format!("/{report}"),
        &report.to_lowercase(),
        &report.replace("/acme/", "/beta/"),
        report.split_once('/').unwrap().1,
    ] {
        let warehouse = pipeline.warehouse_of(spelling);
        let said = format!("holds no report '{spelling}'; write one of: {report}");
        assert!(warehouse.refuses(&said), "{spelling}");
    }
    let elsewhere = pipeline.warehouse().with_bucket("/nowhere");
    assert!(elsewhere.refuses("there is no folder '/nowhere'"));
    assert_eq!(pipeline.warehouse().consume(), "version 1");
}
