//! Answers that are lost on their way.

use local::world::TOKEN_SECRET;
use local_aws::Action;

use crate::small_day::SmallDayBuilder;
use crate::table::{Ends, On, Row, check, check_row};

fn lost(id: &'static str, on: On) -> Row {
    Row {
        id,
        on,
        action: Action::LoseAnswer,
        times: 1,
        ends: Ends::Unharmed,
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_read_back_and_is_ours() {
    for key in ["open.json", "run.json", "b000001.json", "/_log/"] {
        let pipeline = SmallDayBuilder::new().start().await;
        check_row(&pipeline, &lost("B09", On::new("PutObject", key))).await;
        // The SDK tried again, got 412 for our own object, and that was not believed.
        let calls = pipeline.calls();
        let mut of_key = calls.iter().filter(|call| call.resource.contains(key));
        let first = of_key.find(|call| call.operation == "PutObject").unwrap();
        let of_object = of_key.filter(|call| call.resource == first.resource);
        let after: Vec<_> = of_object.map(|call| &*call.operation).take(2).collect();
        assert_eq!(after, ["PutObject", "GetObject"], "{key}");
    }
}

#[tokio::test]
async fn a_part_whose_answer_was_lost_is_ours() {
    let rows = [".gz", ".keys"].map(|end| lost("B09", On::new("PutObject", end).of("fetch-page")));
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_token_whose_storing_was_not_answered_is_stored_once() {
    let pipeline = SmallDayBuilder::new().start().await;
    check_row(
        &pipeline,
        &lost("B17", On::new("PutSecretValue", TOKEN_SECRET)),
    )
    .await;
    assert_eq!(pipeline.world.services().secrets.versions(TOKEN_SECRET), 1);
}
