//! Listings of more than the thousand keys that S3 gives at once.

use delivery::documents::Commit;
use local::world::BUCKET;

use crate::stage::{Setup, delivered};

/// More than a page of a listing.
const VERSIONS: u64 = 1_100;

#[tokio::test]
async fn a_log_of_more_than_a_thousand_versions_is_read_to_its_end() {
    let stage = Setup::new().start().await;
    delivered(&stage.play().await);
    let first = stage.commit();
    // Other days of the same report were delivered meanwhile.
    let store = stage.world.store();
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
    let arn = stage.world.fire(stage.replay()).unwrap();
    delivered(&stage.finish(&arn).await);
    let log = stage.world.log().unwrap();
    assert_eq!(log.len() as u64, VERSIONS + 1);
    let last = log.last().unwrap();
    assert_eq!((last.version, last.generation), (VERSIONS + 1, 2));
    assert_eq!(last.supersedes, Some(VERSIONS));
    assert!(last.unchanged);
    stage.check_rows(last);
}
