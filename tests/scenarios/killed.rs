//! Handlers that are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use asl::Status;
use cxone_sim::Kind;
use definition::Window;
use local_aws::{Action, Call};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered, weekday_before};

/// Three pages in three batches, so that there is something to be killed between.
async fn start_pipeline() -> Pipeline {
    let pipeline = PipelineBuilder::daily().rows(30, 10).start().await;
    pipeline.one_page_a_batch();
    pipeline
}

/// Does this at each of these calls of AWS in turn, a day each, a week apart. Checks each window, with the number of windows so far.
pub(crate) async fn interrupt_each(
    pipeline: &Pipeline,
    action: &Action,
    wanted: fn(&Call) -> bool,
    check: impl Fn(Window, usize),
) {
    for point in 1_u32.. {
        let interrupted = interrupt_at(pipeline, point, action.clone(), wanted);
        let window = weekday_before(point.into());
        delivered(pipeline.ask_for(window).await);
        check(window, usize::try_from(point).unwrap());
        if !interrupted.load(Ordering::SeqCst) {
            println!("{} points of {action:?}", point - 1);
            return;
        }
    }
}

/// Does this at the `point`th of these calls from now on, and tells whether it came.
fn interrupt_at(
    pipeline: &Pipeline,
    point: u32,
    action: Action,
    wanted: fn(&Call) -> bool,
) -> Arc<AtomicBool> {
    let (interrupted, calls) = (Arc::new(AtomicBool::new(false)), AtomicU32::new(0));
    let hit = Arc::clone(&interrupted);
    pipeline.world.gateway().set_hook(move |call| {
        if !wanted(call) || calls.fetch_add(1, Ordering::SeqCst) + 1 != point {
            return Action::Pass;
        }
        hit.store(true, Ordering::SeqCst);
        action.clone()
    });
    interrupted
}

/// Each day is one commit with all its rows.
async fn check(action: &Action, wanted: fn(&Call) -> bool) {
    let pipeline = start_pipeline().await;
    let check_day = |window, commits| {
        let log = pipeline.log();
        assert_eq!(log.len(), commits, "{action:?}");
        let commit = log.last().unwrap();
        assert_eq!(commit.window, window);
        pipeline.check_rows(commit);
    };
    interrupt_each(&pipeline, action, wanted, check_day).await;
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
