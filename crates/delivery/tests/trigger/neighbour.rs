//! What is read of the window before, to know how long the log was.

use delivery::FailureName;
use serde_json::json;

use crate::bucket::Bucket;

#[test]
fn a_window_before_whose_definition_is_refused_by_now_is_in_nobodys_way() {
    for definition in [json!({"name": "Changed"}), json!("not a definition")] {
        let mut bucket = Bucket::of_analytics();
        bucket.is_unavailable = true;
        let own = bucket.window;
        bucket.window = "20261120T000000Z-20261121T000000Z".parse().unwrap();
        // One field less, or text in its place.
        let mut change = json!({"baseVersion": 0, "definition": definition});
        if change["definition"].is_object() {
            change["definition"]["schedule"] = json!(null);
        }
        bucket.open(1, &change);
        bucket.window = own;
        let event = bucket.event();
        let failure = bucket.ask(&event, None, None).unwrap_err();
        assert_eq!(
            failure.name,
            FailureName::Unavailable,
            "{failure:?}: a run is started"
        );
        assert!(bucket.read_opening(1).is_some());
    }
}
