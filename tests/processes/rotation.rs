//! The client's secret gets another value in the middle of the day.

use asl::{Description, Status};
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use local::world::TENANT_SECRET;
use serde_json::json;

use crate::small_day::{SmallDay, SmallDayBuilder};
use pipeline_tests::harness::delivered;

/// What the tenant's secret holds afterwards.
fn rotated(pipeline: &SmallDay) -> String {
    let changes = json!({"client_secret": "rotated"});
    pipeline.world.tenant_secret_with(&changes).to_string()
}

/// The tenant takes the new secret only, and forgets its tokens, once the second batch is on its way to its
/// slot; `store` is what happens in Secrets Manager at the same time.
async fn rotate(pipeline: &SmallDay, store: impl AsyncFnOnce(&SmallDay)) -> Description {
    let arn = pipeline.world.fire(pipeline.event.to_json()).unwrap();
    let is_second = |call: &local_aws::Call| call.resource.ends_with("b000001.json");
    while !pipeline.calls().iter().any(is_second) {
        tokio::task::yield_now().await;
    }
    pipeline.tenant().rotate_client("rotated");
    store(pipeline).await;
    pipeline.finish(&arn).await
}

/// A rotation that has begun and is not finished: the new value is `AWSPENDING`.
async fn store_as_pending(pipeline: &SmallDay) {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("id", "key", None, None, "test"))
        .endpoint_url(pipeline.world.gateway().url())
        .build();
    let put = aws_sdk_secretsmanager::Client::from_conf(config)
        .put_secret_value()
        .secret_id(TENANT_SECRET)
        .secret_string(rotated(pipeline))
        .version_stages("AWSPENDING");
    put.send().await.unwrap();
}

fn make_current(pipeline: &SmallDay) {
    let secrets = &pipeline.world.services().secrets;
    secrets.put(TENANT_SECRET, Some(&rotated(pipeline)));
}

#[tokio::test]
async fn a_secret_that_is_rotated_in_the_middle_of_the_day_is_read_again() {
    let pipeline = SmallDayBuilder::new().start().await;
    let ended = rotate(&pipeline, async |pipeline| make_current(pipeline)).await;
    delivered(ended.clone());
    pipeline.commit();
}

#[tokio::test]
async fn a_rotation_that_is_not_finished_stops_the_day_until_it_is() {
    let pipeline = SmallDayBuilder::new().start().await;
    let ended = rotate(&pipeline, store_as_pending).await;
    assert_eq!(ended.status, Status::Failed, "{ended:?}");
    assert_eq!(ended.error.as_deref(), Some("Cxone.Auth"), "{ended:?}");
    assert!(ended.cause.as_ref().unwrap().contains(TENANT_SECRET));
    make_current(&pipeline);
    // The processes are warm and remember the old value.
    delivered(pipeline.redrive(&ended).await);
    pipeline.commit();
}
