//! More batches than one execution takes. It takes longest, so that its name lets it begin first.

use std::time::Instant;

use local::world::STATE_MACHINE_ARN;

use pipeline_tests::harness::PipelineBuilder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_batches_take_two_executions_and_are_one_commit() {
    let started = Instant::now();
    let pipeline = PipelineBuilder::daily().rows(6_000, 2).start().await;
    pipeline.one_page_a_batch();
    let ended = pipeline.fire().await;
    assert_eq!(ended.state, "Continued", "{ended:?}");
    let next = ended.output.unwrap()["continuedBy"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = pipeline.world.finish(&next).await.unwrap();
    pipeline_tests::harness::delivered(next);
    let executions = pipeline.world.engine().list(STATE_MACHINE_ARN, None);
    assert_eq!(executions.len(), 2);
    for execution in executions {
        let events = pipeline
            .world
            .engine()
            .history(&execution.execution_arn)
            .unwrap()
            .len();
        assert!(events < 20_000, "{events} events");
    }
    assert_eq!(pipeline.slots().len(), 3_000);
    let commit = pipeline.commit();
    assert_eq!(commit.unique, 6_000);
    println!("3,000 batches in {:.1} s", started.elapsed().as_secs_f64());
}
