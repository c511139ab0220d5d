//! Which failed calls a handler repeats by itself, and after which pause. Longer waiting belongs to the
//! state machine.

use std::time::Duration;

/// The longest pause that is waited for in the handler, which costs money while it sleeps.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The pause after a `Retry-After` of zero: without one the tenant would be asked again as fast as it
/// answers.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The pauses of one call are never longer than this in all.
const ALL_PAUSES: Duration = Duration::from_mins(1);

/// How often an unanswered call is repeated, and the longest pause before the first time.
const RETRIES: u32 = 4;
const FIRST_RETRY: Duration = Duration::from_millis(250);

/// The retries and pauses that are left for one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryPolicy {
    paused: Duration,
    retries: u32,
}

impl RetryPolicy {
    /// How long to wait before the same call is made again; none if the handler should not repeat it. `random` is anywhere from 0 to 1.
    pub fn next_pause(&mut self, error: &cxone::Error, random: f64) -> Option<Duration> {
        match error {
            cxone::Error::Throttled {
                retry_after: Some(asked),
                ..
            } => self.pause_as_asked(*asked, random),
            cxone::Error::Unavailable { .. } if self.retries < RETRIES => {
                let longest = FIRST_RETRY * 2_u32.pow(self.retries);
                self.retries += 1;
                Some(longest.mul_f64(f64::midpoint(random, 1.0)))
            }
            _ => None,
        }
    }

    /// Never less than was asked for, and a little more, so that not all come back at once.
    fn pause_as_asked(&mut self, asked: Duration, random: f64) -> Option<Duration> {
        // Compared first, because multiplying the longest duration overflows.
        if asked > LONGEST_PAUSE {
            return None;
        }
        let pause = asked.max(SHORTEST_PAUSE).mul_f64(1.0 + random / 10.0);
        (self.paused + pause <= ALL_PAUSES).then(|| {
            self.paused += pause;
            pause
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(seconds: Option<u64>) -> cxone::Error {
        cxone::Error::Throttled {
            step: "poll",
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    fn unavailable() -> cxone::Error {
        cxone::Error::unavailable("poll", "503")
    }

    #[test]
    fn a_short_pause_is_waited_for_and_a_long_or_unknown_one_is_not() {
        for (asked, waited) in [
            (Some(0), true),
            (Some(20), true),
            (Some(21), false),
            (Some(u64::MAX), false),
            (None, false),
        ] {
            let pause = RetryPolicy::default().next_pause(&throttled(asked), 0.5);
            assert_eq!(pause.is_some(), waited, "{asked:?}");
            if let (Some(pause), Some(asked)) = (pause, asked) {
                assert!(
                    pause >= Duration::from_secs(asked),
                    "never less than was asked for"
                );
                assert!(pause <= Duration::from_secs(asked.max(1)).mul_f64(1.1));
            }
        }
    }

    #[test]
    fn pauses_and_retries_of_one_call_are_bounded() {
        let mut policy = RetryPolicy::default();
        let pauses = std::iter::from_fn(|| policy.next_pause(&throttled(Some(20)), 0.0)).take(99);
        assert_eq!(pauses.count(), 3);
        let mut policy = RetryPolicy::default();
        let pauses = std::iter::from_fn(|| policy.next_pause(&throttled(Some(0)), 0.0)).take(99);
        assert_eq!(
            pauses.count(),
            60,
            "no pause at all is no reason to ask for ever"
        );
        let mut policy = RetryPolicy::default();
        let retries: Vec<_> = std::iter::from_fn(|| policy.next_pause(&unavailable(), 1.0))
            .take(99)
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(retries, [250, 500, 1000, 2000]);
    }
}
