//! Lambda has no capacity.

use asl::Status;

use crate::small_day::SmallDayBuilder;
use pipeline_tests::harness::delivered;

const TOO_MANY: &str = "Lambda.TooManyRequestsException";

#[tokio::test]
async fn a_function_without_capacity_is_tried_again_and_fails_visibly() {
    for function in ["trigger", "poll-once", "fetch-page", "finalize"] {
        let pipeline = SmallDayBuilder::new().start().await;
        let give = |instances| {
            let lambda = pipeline.world.lambda();
            lambda.configure(function, |it| it.max_instances = instances);
        };
        give(0);
        let ended = pipeline.play().await;
        assert_eq!(ended.status, Status::Failed, "{ended:?}");
        assert_eq!(ended.error.as_deref(), Some(TOO_MANY), "{ended:?}");
        assert_eq!(pipeline.errors(&ended), [TOO_MANY; 31], "{function}");
        give(1);
        delivered(pipeline.redrive(&ended).await);
        pipeline.commit();
    }
}

#[tokio::test]
async fn executions_that_share_one_process_of_each_function_all_end() {
    let pipeline = SmallDayBuilder::new().start().await;
    for function in local::handlers::NAMES {
        let lambda = pipeline.world.lambda();
        lambda.configure(function, |it| it.max_instances = 1);
    }
    let arns = {
        let _still = pipeline.world.clock().busy();
        [(); 4].map(|()| pipeline.world.fire(pipeline.event.to_json()).unwrap())
    };
    let mut throttled = 0;
    for arn in &arns {
        let ended = pipeline.finish(arn).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        let errors = pipeline.errors(&ended);
        assert!(errors.iter().all(|error| error == TOO_MANY), "{errors:?}");
        throttled += errors.len();
    }
    assert!(throttled > 0, "there was capacity for all");
    pipeline.commit();
}
