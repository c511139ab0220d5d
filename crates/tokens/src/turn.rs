//! Leave to make a call of an API that allows one only now and then.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use cxone::Error;

/// Leave to make one call that begins in time. Without limits: as many as it takes.
#[derive(Debug)]
pub struct Turn {
    ends: Option<Instant>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Used,
    Missed,
}

impl Turn {
    /// A turn for one call that begins within so much time after `asked`; without a time, no limit at all.
    #[must_use]
    pub fn new(asked: Instant, within: Option<Duration>) -> Self {
        Self {
            ends: within.and_then(|within| asked.checked_add(within)),
            state: Mutex::new(State::Fresh),
        }
    }

    /// Makes the call, unless that would be a second one, as after a refused token, or one that
    /// comes too late for its turn.
    ///
    /// # Errors
    /// The call's own; [`Error::MaybeForbidden`] instead of a second call, and
    /// [`Error::Throttled`] instead of a late one.
    pub async fn take<T>(
        &self,
        step: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if let Some(ends) = self.ends {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if *state != State::Fresh {
                return Err(Error::MaybeForbidden { step });
            }
            if Instant::now() > ends {
                *state = State::Missed;
                let retry_after = None;
                return Err(Error::Throttled { step, retry_after });
            }
            *state = State::Used;
        }
        call.await
    }

    /// Whether nothing was asked of the API because it was too late for that.
    #[must_use]
    pub fn was_missed(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == State::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str = "look";

    async fn calls(turn: &Turn, times: usize) -> Vec<Result<(), Error>> {
        let mut answers = Vec::new();
        for _ in 0..times {
            answers.push(turn.take(STEP, async { Ok(()) }).await);
        }
        answers
    }

    #[tokio::test]
    async fn a_turn_is_for_one_call() {
        let turn = Turn::new(Instant::now(), Some(Duration::from_mins(1)));
        let second = Err(Error::MaybeForbidden { step: STEP });
        assert_eq!(calls(&turn, 2).await, [Ok(()), second]);
        assert!(!turn.was_missed());
    }

    #[tokio::test]
    async fn a_turn_that_is_over_is_missed() {
        let asked = Instant::now().checked_sub(Duration::from_secs(6));
        let turn = Turn::new(asked.unwrap(), Some(Duration::from_secs(5)));
        let missed = turn.take(STEP, async { unreachable!() as Result<(), _> });
        assert!(matches!(missed.await, Err(Error::Throttled { .. })));
        assert!(turn.was_missed());
    }

    #[tokio::test]
    async fn without_a_limit_there_are_as_many_as_it_takes() {
        let turn = Turn::new(Instant::now(), None);
        assert!(calls(&turn, 3).await.iter().all(Result::is_ok));
    }
}
