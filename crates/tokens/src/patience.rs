//! How long a handler puts up with a tenant before it says so and leaves the waiting to the
//! state machine.

use std::time::Duration;

/// The longest pause that is waited for in the handler, which costs money while it sleeps.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A tenant that asks to be left alone for no time at all is left alone for this long, or it would be
/// asked again as fast as it answers.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// All pauses of one call together.
const ALL_PAUSES: Duration = Duration::from_mins(1);

/// How often a call that was not answered is made again, and after how long at first.
const RETRIES: u32 = 4;
const FIRST_RETRY: Duration = Duration::from_millis(250);

/// The patience that is left for one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    paused: Duration,
    retries: u32,
}

impl Patience {
    /// How long to wait before the same call is made again; `None` when it should not be, at
    /// least not from here. `random` is anywhere from 0 to 1.
    pub fn pause(&mut self, error: &cxone::Error, random: f64) -> Option<Duration> {
        match error {
            cxone::Error::Throttled {
                retry_after: Some(asked),
                ..
            } => self.as_asked(*asked, random),
            cxone::Error::Unavailable { .. } if self.retries < RETRIES => {
                let longest = FIRST_RETRY * 2_u32.pow(self.retries);
                self.retries += 1;
                Some(longest.mul_f64(f64::midpoint(random, 1.0)))
            }
            _ => None,
        }
    }

    /// Never less than was asked for, and a little more, so that not all come back at once.
    fn as_asked(&mut self, asked: Duration, random: f64) -> Option<Duration> {
        // First, because there is nothing to be multiplied where it is as long as a number can say.
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
        cxone::Error::Unavailable {
            step: "poll",
            reason: "503".to_owned(),
        }
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
            let pause = Patience::default().pause(&throttled(asked), 0.5);
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
        let mut patience = Patience::default();
        let pauses = std::iter::from_fn(|| patience.pause(&throttled(Some(20)), 0.0)).take(99);
        assert_eq!(pauses.count(), 3);
        let mut patience = Patience::default();
        let pauses = std::iter::from_fn(|| patience.pause(&throttled(Some(0)), 0.0)).take(99);
        assert_eq!(
            pauses.count(),
            60,
            "no pause at all is no reason to ask for ever"
        );
        let mut patience = Patience::default();
        let retries: Vec<_> = std::iter::from_fn(|| patience.pause(&unavailable(), 1.0))
            .take(99)
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(retries, [250, 500, 1000, 2000]);
    }
}
