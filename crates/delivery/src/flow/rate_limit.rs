//! Keeps the calls of a rate-limited API apart, over all executions of a tenant.
//!
//! One object for each tenant and API says from when on the next call may be made. Whoever wants to
//! call replaces it by compare-and-swap; a caller who is too early or loses the swap comes back later, and
//! the state machine does the waiting. The object is replaced *before* the call, and the call has to begin
//! within [`CALL_BEGINS_WITHIN`]. So a process that is killed or stalls in between costs time, and never
//! brings two calls too close to each other.

use std::time::Duration;

use definition::{CALL_BEGINS_WITHIN, Dialect, ReportName, TenantId};
use jiff::{SignedDuration, Timestamp};

use crate::documents::RateLimitRecord;
use crate::effects::{CasOutcome, Effects, Elapsed, StoreEffect, Versioned};
use crate::flow::stored::{V, parse, serialise};
use crate::{Failure, keys};

/// Which calls are kept apart, and how far.
#[derive(Clone, Debug)]
pub(super) struct RateLimiter {
    key: String,
    spacing: SignedDuration,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// It may, if it begins within this time since the flow was asked.
    Granted(Duration),
    /// Not before `until`, which is `wait` from now.
    Later { until: Timestamp, wait: Duration },
}

/// What the stored object means at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// No other call is in the way: store `free_at` and call.
    Take { free_at: Timestamp },
    /// Another call is in the way.
    Wait { until: Timestamp },
    /// The stored time is too far in the future to be valid: replace it.
    Reset { free_at: Timestamp },
}

impl RateLimiter {
    /// The limiter of a dialect whose calls have to be kept apart; `None` for any other.
    pub(super) fn for_dialect(prefix: &str, tenant: &TenantId, dialect: Dialect) -> Option<Self> {
        let spacing = dialect.spacing()?;
        Some(Self {
            key: keys::rate_limit(prefix, tenant, dialect.api().as_str()),
            spacing: SignedDuration::try_from(spacing).unwrap_or(SignedDuration::MAX),
        })
    }

    /// The time from one permit to the next. A call may begin [`CALL_BEGINS_WITHIN`] late, and the next
    /// one has to be the whole spacing behind it all the same.
    pub(super) fn effective_spacing(&self) -> SignedDuration {
        self.spacing.saturating_add(CALL_BEGINS_WITHIN)
    }

    /// Requests a permit. `now` is when the flow was asked; the clock effect says how long ago that is.
    pub(super) async fn acquire<E: From<StoreEffect> + From<Elapsed>>(
        &self,
        effects: &Effects<E>,
        now: Timestamp,
        by: &ReportName,
    ) -> Result<Permit, Failure> {
        let found = effects.find(self.key.clone()).await?;
        let stored: Option<RateLimitRecord> = match &found {
            Some(found) => Some(parse(&self.key, &found.bytes)?),
            None => None,
        };
        let elapsed = effects.elapsed().await?;
        let clock = after(now, elapsed);
        let free_at = stored.map(|record| record.free_at);
        let (free_at, permit) = match decide(free_at, clock, self.effective_spacing()) {
            Decision::Wait { until } => return Ok(permit_later(clock, until)),
            Decision::Take { free_at } => {
                let within = elapsed.saturating_add(CALL_BEGINS_WITHIN);
                (free_at, Permit::Granted(within.unsigned_abs()))
            }
            Decision::Reset { free_at } => (free_at, permit_later(clock, free_at)),
        };
        match self.replace(effects, found, free_at, by).await? {
            CasOutcome::Stored => Ok(permit),
            // Another caller took the permit at about this time.
            CasOutcome::Lost => Ok(permit_later(clock, after(clock, self.effective_spacing()))),
        }
    }

    async fn replace<E: From<StoreEffect>>(
        &self,
        effects: &Effects<E>,
        found: Option<Versioned>,
        free_at: Timestamp,
        by: &ReportName,
    ) -> Result<CasOutcome, Failure> {
        let record = RateLimitRecord {
            v: V,
            free_at,
            by: by.clone(),
        };
        let etag = found.map(|found| found.etag);
        let swapped = effects.compare_and_swap(self.key.clone(), serialise(&record)?, etag);
        Ok(swapped.await?)
    }
}

fn decide(free_at: Option<Timestamp>, clock: Timestamp, spacing: SignedDuration) -> Decision {
    let next = after(clock, spacing);
    match free_at {
        Some(until) if until > after(next, spacing) => Decision::Reset { free_at: next },
        Some(until) if until > clock => Decision::Wait { until },
        _ => Decision::Take { free_at: next },
    }
}

fn permit_later(clock: Timestamp, until: Timestamp) -> Permit {
    let wait = until.duration_since(clock).unsigned_abs();
    Permit::Later { until, wait }
}

fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: SignedDuration = SignedDuration::from_secs(36);

    fn at(seconds: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_secs(seconds)
    }

    fn check(free_at: Option<i64>, expected: Decision) {
        assert_eq!(decide(free_at.map(at), at(0), SPACING), expected);
    }

    #[test]
    fn the_first_call_of_all_is_made_at_once() {
        check(None, Decision::Take { free_at: at(36) });
    }

    #[test]
    fn a_permit_is_over_at_its_time_and_not_before() {
        check(Some(0), Decision::Take { free_at: at(36) });
        check(Some(-86_400), Decision::Take { free_at: at(36) });
        check(Some(1), Decision::Wait { until: at(1) });
        check(Some(36), Decision::Wait { until: at(36) });
    }

    #[test]
    fn a_time_too_far_in_the_future_is_replaced_and_waited_for_once() {
        check(Some(72), Decision::Wait { until: at(72) });
        check(Some(73), Decision::Reset { free_at: at(36) });
        assert_eq!(
            decide(Some(Timestamp::MAX), at(0), SPACING),
            Decision::Reset { free_at: at(36) }
        );
    }

    #[test]
    fn calls_are_apart_by_the_spacing_even_if_one_begins_at_the_last_moment() {
        let limiter = |dialect| RateLimiter::for_dialect("p", &"acme".parse().unwrap(), dialect);
        let extraction = limiter(Dialect::DataExtraction).unwrap();
        assert_eq!(extraction.effective_spacing(), SPACING);
        assert_eq!(extraction.key, "p/acme/_pace/data-extraction.json");
        assert!(limiter(Dialect::Analytics).is_none());
    }
}
