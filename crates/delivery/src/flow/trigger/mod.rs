//! Answers "what next for this window?" from what is stored, and stores what it decides, so that asking
//! twice is harmless.

mod cancellation;
mod expectation;
mod generation;
mod limits;
mod lookback;
mod opening;
mod question;
mod request;
mod settled;
mod start;
mod stored_replay;

use crate::effects::{Effects, TriggerEffect};
use crate::flow::trigger::opening::Joined;
use crate::flow::trigger::question::{Question, fit_for_wait, wait_until};
use crate::flow::trigger::request::{RequestKind, WindowRequest};
use crate::{Failure, TriggerIn, TriggerOut, Version};

pub use crate::flow::trigger::request::LONGEST_WAIT;

/// Says what an execution does next. `prefix` is where in the bucket reports live.
pub async fn trigger(
    effects: Effects<TriggerEffect>,
    prefix: &str,
    message: TriggerIn,
) -> Result<TriggerOut, Failure> {
    let request = WindowRequest::from_message(prefix, &message)?;
    let answer = |generation, next| TriggerOut {
        v: Version,
        generation,
        next: fit_for_wait(next, message.now),
    };
    let question = Question {
        effects: &effects,
        request: &request,
        message: &message,
    };
    if request.kind == RequestKind::Expectation {
        return Ok(answer(None, question.check_delivery().await?));
    }
    if request.kind == RequestKind::Cancellation {
        let (generation, next) = question.cancel_run().await?;
        return Ok(answer(generation, next));
    }
    // Both start no run.
    let asks_nothing = matches!(
        request.kind,
        RequestKind::Withdrawal | RequestKind::StoredReplay
    );
    if !asks_nothing && let Some(until) = request.wait_for_final(&request.definition)? {
        return Ok(answer(message.generation, wait_until(until)));
    }
    let generation = match question.join_generation().await? {
        Joined::Generation(generation) => generation,
        Joined::Nothing(next) => return Ok(answer(None, request.with_table(next))),
    };
    let next = generation.next_step(question).await?;
    Ok(answer(Some(generation.number), request.with_table(next)))
}
