//! What Trigger decides about operators' requests, from what is stored in a bucket of this test.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod bucket;
mod cancellation;
mod neighbour;
mod restatement;
mod stored_replay;
