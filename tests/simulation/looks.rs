//! What PollOnce and Cancel do: a look at a run, and its end.

use cxone::Error;
use definition::{RunId, RunStatus};
use delivery::{RunIn, classify_cancel_poll, report_abandoned, report_completed, report_cut_off};
use tokens::failure_of_call;

use crate::invocation::value;
use crate::outside::{Mishap, Outside, Progress};
use crate::tenant::pause;

#[derive(Debug)]
pub(crate) enum CancelStep {
    Look,
    Delete(String),
    /// And whether the tenant took the cancellation.
    LookAgain(String, bool),
}

/// A look, as PollOnce and Cancel take it.
pub(crate) fn look(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    run: &RunId,
) -> Result<Result<RunStatus, Error>, Progress> {
    match mishap {
        Mishap::KillBefore | Mishap::KillAfter => Err(Progress::Killed),
        Mishap::LoseAnswer | Mishap::Unavailable => Ok(Err(no_answer())),
        Mishap::Throttled => Ok(Err(Error::Throttled {
            step: "look at the run",
            retry_after: pause(outside.rng),
        })),
        Mishap::Refused => Ok(Err(Error::Unauthorized {
            step: "look at the run",
            code: String::new(),
        })),
        Mishap::None => Ok(outside.tenant.look(outside.now, run)),
    }
}

fn no_answer() -> Error {
    Error::unavailable("look at the run", "no answer")
}

/// The three steps of the Cancel handler.
pub(crate) fn cancel(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    message: &RunIn,
    step: &mut CancelStep,
) -> Progress {
    let run = &message.work.run_id;
    if message.work.direct {
        return Progress::Answered(Ok(value(report_abandoned(message, None))));
    }
    if let CancelStep::Delete(state) = step {
        if mishap == Mishap::KillBefore {
            return Progress::Killed;
        }
        if !matches!(mishap, Mishap::Unavailable | Mishap::Refused) {
            outside.tenant.cancel(outside.now, run);
        }
        let is_over = mishap == Mishap::None;
        *step = CancelStep::LookAgain(std::mem::take(state), is_over);
        return if mishap == Mishap::KillAfter {
            Progress::Killed
        } else {
            Progress::Goes
        };
    }
    let look = match look(outside, mishap, run) {
        Ok(look) => classify_cancel_poll(look.map_err(|error| failure_of_call(&error))),
        Err(progress) => return progress,
    };
    match (look, step) {
        (Err(failure), _) => Progress::Answered(Err(failure)),
        (Ok(None), _) => Progress::Answered(Ok(value(report_completed()))),
        (Ok(Some(state)), CancelStep::Look) if !message.work.dialect.can_cancel() => {
            Progress::Answered(Ok(value(report_abandoned(message, Some(&state)))))
        }
        (Ok(Some(state)), step @ CancelStep::Look) => {
            *step = CancelStep::Delete(state);
            Progress::Goes
        }
        (Ok(Some(_)), CancelStep::LookAgain(state, true)) => {
            Progress::Answered(Ok(value(report_cut_off(message, state))))
        }
        (Ok(Some(_)), CancelStep::LookAgain(state, false) | CancelStep::Delete(state)) => {
            Progress::Answered(Ok(value(report_abandoned(message, Some(state)))))
        }
    }
}
