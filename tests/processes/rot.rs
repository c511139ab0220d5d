//! Objects that are not any more what they were.

use std::sync::atomic::{AtomicBool, Ordering};

use asl::Status;
use local::world::BUCKET;
use local_aws::Action;

use crate::small_day::{SmallDay, SmallDayBuilder};
use crate::table::{Ends, On, Row, check, refuse};
use pipeline_tests::harness::delivered;

/// Does this to the first object of this kind just before Finalize begins; the execution fails and says what it found.
async fn check_rot(end: &'static str, spoil: fn(&std::path::Path), said: &[&str]) {
    let pipeline = SmallDayBuilder::new().start().await;
    let s3 = pipeline.world.services().s3.clone();
    let is_done = AtomicBool::new(false);
    pipeline.world.gateway().set_hook(move |call| {
        let by = call.caller.as_ref().map(|caller| &*caller.function);
        if by == Some("finalize") && !is_done.swap(true, Ordering::SeqCst) {
            let store = s3.store();
            let keys = store.keys(BUCKET, "");
            let is_wanted = |key: &&String| key.contains("/data/") && key.ends_with(end);
            let key = keys.iter().find(is_wanted).unwrap();
            spoil(&store.bucket_path(BUCKET).join(key));
        }
        Action::Pass
    });
    let ended = pipeline.play().await;
    assert_eq!(ended.status, Status::Failed, "{end}: {ended:?}");
    assert_eq!(ended.error.as_deref(), Some("Cxone.Contract"), "{ended:?}");
    let cause = ended.cause.clone().unwrap();
    for said in said.iter().chain(&[end]) {
        assert!(cause.contains(said), "{said} is not in {cause}");
    }
    assert!(pipeline.log().is_empty());
    heal(&pipeline).await;
}

/// The day is wanted again, which takes a generation of its own.
async fn heal(pipeline: &SmallDay) {
    pipeline.world.gateway().clear_hook();
    let arn = pipeline.world.fire(pipeline.replay()).unwrap();
    delivered(pipeline.finish(&arn).await);
    assert_eq!(pipeline.commit().generation, 2);
}

fn flip(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &std::path::Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[1..]).unwrap();
}

fn remove(path: &std::path::Path) {
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    check_rot(".gz", flip, &["SHA-256"]).await;
    check_rot(".keys", flip, &["SHA-256"]).await;
}

#[tokio::test]
async fn a_part_that_lost_a_byte_is_found() {
    check_rot(".gz", cut, &["bytes instead of"]).await;
}

#[tokio::test]
async fn a_part_that_the_lifecycle_removed_is_found() {
    check_rot(".gz", remove, &["is missing"]).await;
    check_rot(".keys", remove, &["is missing"]).await;
}

#[tokio::test]
async fn an_archived_object_is_told_from_one_that_is_denied() {
    let rows = ["b000000.json", ".keys"].map(|key| Row {
        id: "B14",
        on: On::new("GetObject", key).of("finalize"),
        action: refuse(403, "InvalidObjectState"),
        times: u32::MAX,
        ends: Ends::Failed("Cxone.Contract", &["archived", "restore"]),
    });
    check(SmallDayBuilder::new, rows).await;
}
