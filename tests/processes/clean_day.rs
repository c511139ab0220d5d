//! A day without a row that comes twice.

use crate::small_day::SmallDayBuilder;
use pipeline_tests::harness::delivered;

#[tokio::test]
async fn a_day_without_duplicates_is_committed_without_a_look_at_its_rows() {
    let pipeline = SmallDayBuilder::new().start().await;
    delivered(pipeline.play().await);
    let commit = pipeline.commit();
    assert_eq!((commit.parts.len(), commit.duplicates), (3, 0));
    let mut calls = pipeline.calls();
    calls.retain(|call| call.caller.as_ref().unwrap().function == "finalize");
    let mut of_rows: Vec<&str> = calls
        .iter()
        .filter(|call| call.resource.contains("/data/"))
        .map(|call| match call.resource.rsplit_once('.').unwrap().1 {
            "keys" => "keys",
            _ => &*call.operation,
        })
        .collect();
    of_rows.retain(|call| *call != "keys");
    // The size and checksum of each part, and nothing else of it: neither are its rows read, nor is it written anew.
    assert_eq!(of_rows, ["HeadObject"; 3]);
    let written: Vec<&str> = calls
        .iter()
        .filter(|call| call.operation != "GetObject" && call.operation != "HeadObject")
        .filter(|call| call.operation != "ListObjectsV2")
        .map(|call| call.resource.as_str())
        .collect();
    assert!(written[0].contains("/_log/") && written[1].contains("/_manifest/"));
    assert_eq!(written.len(), 2, "{written:?}");
}
