//! Permit for one call to a rate-limited API.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use delivery::effects::{Answered, Fault};

/// Permit to make one call that begins in time. A permit without a time limit allows any number of calls.
#[derive(Debug)]
pub struct CallPermit {
    ends: Option<Instant>,
    is_used: Mutex<bool>,
}

/// What became of a call that needs a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted<T> {
    /// The call was made.
    Called(T),
    /// The call was not made: it would have been the second one, as after a refused token.
    AlreadyUsed,
    /// The call was not made: it came too late for the permit.
    Expired,
}

impl CallPermit {
    /// A permit for one call that begins at most `within` after `asked`; without `within`, no limit at all.
    #[must_use]
    pub fn new(asked: Instant, within: Option<Duration>) -> Self {
        Self {
            ends: within.and_then(|within| asked.checked_add(within)),
            is_used: Mutex::new(false),
        }
    }

    /// Makes the call, if the permit allows it.
    ///
    /// # Errors
    /// Only the call's own.
    pub async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<Permitted<T>, E> {
        if let Some(ends) = self.ends {
            let mut is_used = self.is_used.lock().unwrap_or_else(PoisonError::into_inner);
            if *is_used {
                return Ok(Permitted::AlreadyUsed);
            }
            if Instant::now() > ends {
                return Ok(Permitted::Expired);
            }
            *is_used = true;
        }
        call.await.map(Permitted::Called)
    }
}

impl<T> Permitted<T> {
    /// The answer that a flow gets. A call that was not made is asked for again later in both cases: an
    /// expired permit counts as no attempt, a used one as a refusal that may be throttling.
    ///
    /// # Errors
    /// If the call was not made.
    pub fn into_answer(self, step: &str) -> Answered<T> {
        match self {
            Self::Called(answer) => Ok(answer),
            Self::AlreadyUsed => Err(Fault::MaybeForbidden(format!(
                "{step}: the API allows one call at a time, and the first one has to be repeated"
            ))),
            Self::Expired => Err(Fault::TooEarly(Duration::ZERO)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn call(permit: &CallPermit, times: usize) -> Vec<Permitted<()>> {
        let mut answers = Vec::new();
        for _ in 0..times {
            let answer = permit.call(async { Ok::<_, ()>(()) }).await;
            answers.push(answer.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn a_permit_is_for_one_call() {
        let permit = CallPermit::new(Instant::now(), Some(Duration::from_mins(1)));
        assert_eq!(
            call(&permit, 2).await,
            [Permitted::Called(()), Permitted::AlreadyUsed]
        );
        let answer = Permitted::AlreadyUsed::<()>.into_answer("start run");
        assert!(
            matches!(answer, Err(Fault::MaybeForbidden(_))),
            "{answer:?}"
        );
    }

    #[tokio::test]
    async fn a_call_that_comes_too_late_is_not_made() {
        let asked = Instant::now().checked_sub(Duration::from_secs(6));
        let permit = CallPermit::new(asked.unwrap(), Some(Duration::from_secs(5)));
        let late = permit.call(async { unreachable!() as Result<(), ()> });
        let late = late.await.unwrap();
        assert_eq!(late, Permitted::Expired);
        assert_eq!(
            late.into_answer("start run"),
            Err(Fault::TooEarly(Duration::ZERO))
        );
    }

    #[tokio::test]
    async fn without_a_limit_there_are_as_many_as_it_takes() {
        let permit = CallPermit::new(Instant::now(), None);
        assert_eq!(call(&permit, 3).await, [Permitted::Called(()); 3]);
    }
}
