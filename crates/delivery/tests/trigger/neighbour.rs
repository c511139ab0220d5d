//! What is read of the window before, to know how long the log was.

use delivery::FailureName;
use serde_json::json;

use crate::bucket::Bucket;

#[test]
fn a_window_before_whose_definition_is_refused_by_now_is_in_nobodys_way() {
    let mut newer = json!(Bucket::of_analytics().definition);
    newer["pipeline"]["newField"] = json!(true);
    for definition in [newer, json!("not a definition")] {
        let mut bucket = Bucket::of_analytics();
        bucket.is_unavailable = true;
        let before = "20261120T000000Z-20261121T000000Z".parse().unwrap();
        bucket.open_other(before, &json!({"definition": definition}));
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
