//! Handlers that are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use asl::Status;
use cxone_sim::Kind;
use local_aws::{Action, Call};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered, weekday_before};

/// Three pages in three batches, so that there is something to be killed between.
async fn start_pipeline() -> Pipeline {
    let pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    pipeline.one_page_a_batch();
    pipeline
}

/// Kills at each of these calls of AWS in turn, a day each, a week apart; each day is one commit with all its rows.
async fn check(action: &Action, wanted: fn(&Call) -> bool) {
    let pipeline = start_pipeline().await;
    for point in 1_u32.. {
        let killed = interrupt_at(&pipeline, point, action.clone(), wanted);
        let window = weekday_before(i64::from(point));
        delivered(pipeline.ask_for(window).await);
        let log = pipeline.log();
        assert_eq!(log.len(), usize::try_from(point).unwrap(), "point {point}");
        let commit = log.last().unwrap();
        assert_eq!(commit.window, window);
        pipeline.check_rows(commit);
        if killed.load(Ordering::SeqCst) == 0 {
            println!("{} points of {action:?}", point - 1);
            return;
        }
    }
}

/// Does this at the `point`th of these calls from now on, and counts how often.
pub(crate) fn interrupt_at(
    pipeline: &Pipeline,
    point: u32,
    action: Action,
    wanted: fn(&Call) -> bool,
) -> Arc<AtomicU64> {
    let (killed, calls) = (Arc::new(AtomicU64::new(0)), AtomicU32::new(0));
    let hit = Arc::clone(&killed);
    pipeline.world.gateway().set_hook(move |call| {
        if !wanted(call) || calls.fetch_add(1, Ordering::SeqCst) + 1 != point {
            return Action::Pass;
        }
        hit.fetch_add(1, Ordering::SeqCst);
        action.clone()
    });
    killed
}

/// Calls that store something. A kill after a read leaves the same as a kill before it.
pub(crate) fn writes(call: &Call) -> bool {
    let reads = ["Get", "Head", "List", "Describe"];
    call.caller.is_some() && !reads.iter().any(|read| call.operation.starts_with(read))
}

#[tokio::test]
async fn a_handler_may_be_killed_before_anything_that_it_does() {
    check(&Action::KillBefore, |_| true).await;
}

#[tokio::test]
async fn a_handler_may_be_killed_after_anything_that_it_writes() {
    check(&Action::KillAfter, writes).await;
}

#[tokio::test]
async fn an_answer_may_be_lost_to_anything_that_a_handler_writes() {
    check(&Action::LoseAnswer, writes).await;
}

#[tokio::test]
async fn a_handler_that_is_killed_each_time_fails_the_execution_and_a_redrive_goes_on() {
    for (step, of_step) in [
        ("Trigger", "trigger"),
        ("FetchPage", "fetch-page"),
        ("Finalize", "finalize"),
    ] {
        let pipeline = start_pipeline().await;
        pipeline.world.gateway().set_hook(move |call| {
            let caller = call.caller.as_ref().map(|caller| &*caller.function);
            if caller == Some(of_step) && writes(call) {
                Action::KillBefore
            } else {
                Action::Pass
            }
        });
        let ended = pipeline.fail("Runtime.ExitError").await;
        assert_eq!(ended.state, step);
        assert!(pipeline.log().is_empty());
        pipeline.world.gateway().clear_hook();
        delivered(pipeline.redrive(&ended).await);
        pipeline.commit();
    }
}

#[tokio::test]
async fn a_handler_may_be_killed_in_the_middle_of_a_page() {
    let pipeline = PipelineBuilder::daily()
        .rows(1_000, 100)
        .fault("hang:on=page,page=4,ms=60000")
        .start()
        .await;
    let arn = pipeline.world.fire(pipeline.event().to_json()).unwrap();
    while pipeline
        .requests(Kind::Page)
        .last()
        .and_then(|page| page.page)
        != Some(4)
    {
        tokio::task::yield_now().await;
    }
    pipeline.world.lambda().kill("fetch-page");
    let ended = pipeline.world.finish(&arn).await.unwrap();
    assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    pipeline.commit();
    assert_eq!(pipeline.tenant().runs().len(), 1);
    Canaries::of(&pipeline).check(&pipeline);
}
