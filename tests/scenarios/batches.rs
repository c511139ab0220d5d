//! More batches than one execution takes. It takes longest, so that its name lets it begin first.

use std::time::Instant;

use local::world::STATE_MACHINE_ARN;

use crate::stage::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_batches_take_two_executions_and_are_one_commit() {
    let started = Instant::now();
    let stage = Setup::new().rows(6_000, 2).start().await;
    stage.one_page_a_batch();
    let ended = stage.fire().await;
    assert_eq!(ended.state, "Continued", "{ended:?}");
    let next = ended.output.unwrap()["continuedBy"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = stage.world.finish(&next).await.unwrap();
    crate::stage::delivered(next);
    let executions = stage.world.engine().list(STATE_MACHINE_ARN, None);
    assert_eq!(executions.len(), 2);
    for execution in executions {
        let events = stage
            .world
            .engine()
            .history(&execution.execution_arn)
            .unwrap()
            .len();
        assert!(events < 20_000, "{events} events");
    }
    assert_eq!(stage.slots().len(), 3_000);
    let commit = stage.commit();
    assert_eq!(commit.unique, 6_000);
    println!("3,000 batches in {:.1} s", started.elapsed().as_secs_f64());
}
