//! Listings of more than the thousand keys that S3 gives at once.

use delivery::documents::Commit;
use local::world::BUCKET;

use crate::small_day::SmallDayBuilder;
use pipeline_tests::harness::delivered;

/// More than a page of a listing.
const VERSIONS: u64 = 1_100;

#[tokio::test]
async fn a_log_of_more_than_a_thousand_versions_is_read_to_its_end() {
    let pipeline = SmallDayBuilder::new().start().await;
    delivered(pipeline.play().await);
    let first = pipeline.commit();
    // Other days of the same report were delivered meanwhile.
    let store = pipeline.world.store();
    let keys = store.keys(BUCKET, "");
    let log = keys.iter().find(|key| key.contains("/_log/")).unwrap();
    let path = store.bucket_path(BUCKET).join(log);
    let folder = path.parent().unwrap();
    for version in 2..=VERSIONS {
        let commit = Commit {
            version,
            ..first.clone()
        };
        let bytes = serde_json::to_vec(&commit).unwrap();
        std::fs::write(folder.join(format!("{version:020}.json")), bytes).unwrap();
    }
    let arn = pipeline.world.fire(pipeline.replay()).unwrap();
    delivered(pipeline.finish(&arn).await);
    let log = pipeline.world.log().unwrap();
    assert_eq!(log.len() as u64, VERSIONS + 1);
    let last = log.last().unwrap();
    assert_eq!((last.version, last.generation), (VERSIONS + 1, 2));
    assert_eq!(last.supersedes, Some(VERSIONS));
    assert!(last.unchanged);
    pipeline.check_rows(last);
}
