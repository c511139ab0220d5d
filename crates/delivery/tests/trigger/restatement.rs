//! Whether a window is stated anew beside another one that consumers hold.

use delivery::{FailureName, Next, ScheduledEvent};
use serde_json::{Value, json};

use crate::bucket::Bucket;

/// Half of the window was delivered, and then the window itself was asked for.
fn delivered_in_part(request: &Value) -> Bucket {
    let mut bucket = Bucket::of_analytics();
    bucket.is_unavailable = true;
    bucket.commit_first("20261121T000000Z-20261121T120000Z".parse().unwrap());
    bucket.open(1, request);
    bucket
}

/// What the schedule sends a day later.
fn restatement(bucket: &Bucket) -> ScheduledEvent {
    let day_later = "2026-11-23T05:30:00Z".parse().unwrap();
    ScheduledEvent::new(bucket.written.clone(), day_later).with_restatement("P1D")
}

#[test]
fn what_consumers_hold_in_its_place_is_not_replaced() {
    let mut bucket = delivered_in_part(&json!({}));
    let event = restatement(&bucket);
    let (generation, next) = bucket.ask(&event, None, None).unwrap();
    assert_eq!(generation, None);
    assert!(
        matches!(next, Next::Superseded { version: 1, .. }),
        "{next:?}"
    );
    assert_eq!(bucket.read_opening(2), None, "nothing was opened");
}

#[test]
fn a_replay_under_way_that_replaces_it_is_followed() {
    let mut bucket = delivered_in_part(&json!({"baseVersion": 1}));
    let event = restatement(&bucket);
    let failure = bucket.ask(&event, None, None).unwrap_err();
    assert_eq!(failure.name, FailureName::Unavailable, "a run is started");
    let opening = bucket.read_opening(2).unwrap();
    assert_eq!(opening["baseVersion"], 1);
    // One that is about to be taken back is joined, as before.
    let mut bucket = delivered_in_part(&json!({"baseVersion": 1, "withdrawn": true}));
    let (generation, _) = bucket.ask(&event, None, None).unwrap();
    assert_eq!(generation, Some(1));
}
