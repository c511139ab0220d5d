//! Answers "what next for this window?" from what is stored, and stores what it decides, so that asking
//! twice is harmless.

mod generation;
mod limits;
mod opening;
mod request;
mod settled;
mod start;

use jiff::Timestamp;

use crate::effects::{Effects, TriggerEffect};
use crate::flow::trigger::opening::Joined;
use crate::flow::trigger::request::{RequestKind, WindowRequest};
use crate::{Failure, Next, TriggerIn, TriggerOut, Version};

/// One question of an execution, and what it takes to answer it.
#[derive(Clone, Copy)]
struct Question<'a> {
    effects: &'a Effects<TriggerEffect>,
    request: &'a WindowRequest,
    message: &'a TriggerIn,
}

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
        next,
    };
    let is_withdrawal = request.kind == RequestKind::Withdrawal;
    if !is_withdrawal && let Some(until) = request.wait_for_final(&request.definition)? {
        return Ok(answer(message.generation, wait_until(until)));
    }
    let question = Question {
        effects: &effects,
        request: &request,
        message: &message,
    };
    let generation = match question.join_generation().await? {
        Joined::Generation(generation) => generation,
        Joined::Nothing(next) => return Ok(answer(None, next)),
    };
    let next = generation.next_step(question).await?;
    Ok(answer(Some(generation.number), next))
}

/// Wait, for a reason that ends any time during which the tenant only asked for pauses.
fn wait_until(until: Timestamp) -> Next {
    Next::NotBefore {
        until,
        stalled_since: None,
    }
}
