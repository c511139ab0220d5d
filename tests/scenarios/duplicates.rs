//! Rows that come more than once.

use delivery::documents::Verification;
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder};

/// The commit has every row once, after so many runs.
async fn check(
    setup: PipelineBuilder,
    runs: usize,
    duplicates: u64,
    verification: Verification,
) -> Pipeline {
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    assert_eq!(pipeline.started(), runs);
    assert_eq!(commit.duplicates, duplicates);
    assert_eq!(commit.rows, 250 + duplicates);
    assert_eq!(commit.unique, 250);
    assert_eq!(commit.verification, verification);
    pipeline
}

#[tokio::test]
async fn duplicates_are_dropped_and_counted() {
    let setup = PipelineBuilder::daily()
        .fault("duplicates:rows=5,page=1")
        .fault("duplicates:rows=2,page=2");
    check(setup, 1, 7, Verification::Total).await;
}

#[tokio::test]
async fn without_a_total_a_second_run_has_to_agree() {
    let setup = PipelineBuilder::daily()
        .tenant(|tenant| tenant.total = false)
        .fault("duplicates:rows=5,page=1,times=forever");
    check(setup, 2, 5, Verification::SecondRun).await;
}

#[tokio::test]
async fn without_a_total_and_without_duplicates_one_run_is_believed() {
    let setup = PipelineBuilder::daily().tenant(|tenant| tenant.total = false);
    check(setup, 1, 0, Verification::Consistent).await;
}

#[tokio::test]
async fn rows_that_were_pushed_to_another_page_are_not_lost() {
    // Three rows come twice and three do not come at all; the next run is a good one.
    for total in [true, false] {
        let setup = PipelineBuilder::daily()
            .tenant(|tenant| tenant.total = total)
            .fault("shifted:rows=3,page=1");
        let how = if total {
            Verification::Total
        } else {
            Verification::Consistent
        };
        check(setup, 2, 0, how).await;
    }
}

#[tokio::test]
async fn two_rows_with_one_key_stop_the_day_and_say_why() {
    let pipeline = PipelineBuilder::daily()
        .fault("conflict:rows=2,page=1")
        .start()
        .await;
    let ended = pipeline.fail("Cxone.Conflict").await;
    assert_eq!(ended.state, "Finalize");
    assert!(pipeline.log().is_empty());
    Canaries::of(&pipeline).check(&pipeline);
    let cause: Value = serde_json::from_str(&ended.cause.unwrap()).unwrap();
    assert_eq!(cause["errorType"], "Cxone.Conflict");
    let message = cause["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("2 rows have the key (agentId, queueId)"),
        "{message}"
    );
    assert!(message.contains("keep-last"), "{message}");
    // The fault changes figures, so that no column of the report tells the rows apart.
    let (_, columns) = message.split_once(" differ from it in ").unwrap();
    let (columns, _) = columns.split_once(';').unwrap();
    assert!(columns.contains("handleTime"), "{message}");
    assert!(!columns.contains("agentName"), "{message}");
    assert!(message.contains("These columns are figures"), "{message}");
    // The row can be found in the part that is named, and differs from another one with its key.
    let (row, rest) = message
        .split_once("is row ")
        .unwrap()
        .1
        .split_once(" of ")
        .unwrap();
    let key = rest.split_once(". ").unwrap().0;
    let bytes = pipeline
        .world
        .store()
        .read(local::world::BUCKET, key)
        .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::MultiGzDecoder::new(&bytes[..]),
        &mut text,
    )
    .unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_key = |row: &Value| (row["agentId"].clone(), row["queueId"].clone());
    let named = &rows[row.parse::<usize>().unwrap()];
    let same: Vec<_> = rows
        .iter()
        .filter(|row| of_key(row) == of_key(named))
        .collect();
    assert_eq!(same.len(), 2);
    assert_ne!(same[0], same[1]);
}

#[tokio::test]
async fn the_last_of_two_rows_is_kept_where_the_definition_says_so() {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/onConflict", json!("keep-last"))
        .fault("conflict:rows=2,page=1");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = &pipeline.log()[0];
    assert_eq!((commit.rows, commit.unique, commit.replaced), (252, 250, 2));
    pipeline.check_parts(commit);
    let truth: Vec<Vec<u8>> = pipeline
        .tenant()
        .truth(commit.runs[0].run_id.as_str())
        .unwrap()
        .collect();
    let mut landed = Vec::new();
    for part in &commit.parts {
        let text = pipeline.world.part(part).unwrap();
        landed.extend(pipeline_tests::harness::lines(&text).map(<[u8]>::to_vec));
    }
    // Rows 98 and 99 came with page 0, and then with other values at the beginning of page 1.
    assert_eq!(landed.len(), truth.len());
    for (at, (landed, truth)) in landed.iter().zip(&truth).enumerate() {
        if !(98..100).contains(&at) {
            assert_eq!(landed, truth, "row {at}");
            continue;
        }
        let (landed, truth): (Value, Value) = (
            serde_json::from_slice(landed).unwrap(),
            serde_json::from_slice(truth).unwrap(),
        );
        assert_ne!(landed, truth);
        assert_eq!(
            (&landed["agentId"], &landed["queueId"]),
            (&truth["agentId"], &truth["queueId"])
        );
    }
}
