//! What an execution asks, and the answer that it wait.

use jiff::{SignedDuration, Timestamp};

use crate::effects::{Effects, TriggerEffect};
use crate::flow::trigger::request::WindowRequest;
use crate::{Next, TriggerIn};

/// Nothing is waited for at once for longer than this: whoever asks again is told to go on waiting.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One question of an execution, and what it takes to answer it.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) effects: &'a Effects<TriggerEffect>,
    pub(super) request: &'a WindowRequest,
    pub(super) message: &'a TriggerIn,
}

/// Wait, for a reason that ends any time during which the tenant only asked for pauses.
pub(super) fn wait_until(until: Timestamp) -> Next {
    Next::NotBefore {
        until,
        stalled_since: None,
    }
}

/// The answer with an `until` that the state machine can wait for. Its Wait drops what is below a second, so that a time is
/// rounded up: else it would ask too early, again and again until the second is over. And it can't wait for 68 years.
pub(super) fn fit_for_wait(next: Next, now: Timestamp) -> Next {
    match next {
        Next::NotBefore {
            until,
            stalled_since,
        } => {
            let longest = now.saturating_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
            Next::NotBefore {
                until: next_full_second(until.min(longest)),
                stalled_since,
            }
        }
        next => next,
    }
}

fn next_full_second(time: Timestamp) -> Timestamp {
    let (second, fraction) = (time.as_second(), time.subsec_nanosecond());
    Timestamp::from_second(second + i64::from(fraction > 0)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_the_second_and_bounded() {
        let now = "2026-11-22T05:30:00.4Z";
        for (until, fit) in [
            ("2026-11-22T05:30:07Z", "2026-11-22T05:30:07Z"),
            ("2026-11-22T05:30:07.000000001Z", "2026-11-22T05:30:08Z"),
            ("2026-11-22T05:30:07.999Z", "2026-11-22T05:30:08Z"),
            ("2094-01-01T00:00:00Z", "2026-11-29T05:30:01Z"),
        ] {
            let next = fit_for_wait(wait_until(until.parse().unwrap()), now.parse().unwrap());
            assert_eq!(next, wait_until(fit.parse().unwrap()), "{until}");
        }
    }
}
