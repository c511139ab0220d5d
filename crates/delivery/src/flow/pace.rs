//! Keeps calls of an API that allows one only now and then apart, over all executions of a tenant.
//!
//! One object for a tenant and API says from when on the next call may be made. Whoever wants to
//! call replaces it, compare and set; who is too early or loses comes back later, and the state
//! machine does the waiting. The object is replaced *before* the call, and the call has to begin
//! within [`GRACE`]: so a process that is killed, or stalls in between, costs time and never
//! brings two calls too close.

use std::time::Duration;

use crate::Failure;
use definition::{Dialect, ReportName, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::{V, body, parse};
use crate::documents::RateLimitRecord;
use crate::effects::{CasOutcome, Effects, Elapsed, StoreEffect};
use crate::keys;

/// How long after its turn was taken a call may still begin.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What is kept apart, and how far.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    key: String,
    spacing: SignedDuration,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may, if it begins within so much time since the flow's question was asked.
    Mine(Duration),
    /// Not before then, which is so long from now.
    Later { until: Timestamp, wait: Duration },
}

/// What the stored object means at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// Nobody is before us: the next one may call then.
    Take { free_at: Timestamp },
    /// Somebody is.
    Wait { until: Timestamp },
    /// The object speaks of a time that no clock that goes right can have written.
    Mend { free_at: Timestamp },
}

impl Lane {
    /// The lane of a dialect whose calls are to be kept apart; `None` for any other.
    pub(super) fn of(prefix: &str, tenant: &TenantId, dialect: Dialect) -> Option<Self> {
        let spacing = dialect.spacing()?;
        Some(Self {
            key: keys::rate_limit(prefix, tenant, dialect.api().as_str()),
            spacing: SignedDuration::try_from(spacing).unwrap_or(SignedDuration::MAX),
        })
    }

    /// How long a turn keeps others away.
    pub(super) fn hold(&self) -> SignedDuration {
        self.spacing.saturating_add(GRACE)
    }

    /// Asks for a turn. `now` is when the flow was asked, `elapsed` says how long ago that is.
    pub(super) async fn turn<E: From<StoreEffect> + From<Elapsed>>(
        &self,
        ask: &Effects<E>,
        now: Timestamp,
        by: &ReportName,
    ) -> Result<Turn, Failure> {
        let found = ask.find(self.key.clone()).await?;
        let stored: Option<RateLimitRecord> = match &found {
            Some(found) => Some(parse(&self.key, &found.bytes)?),
            None => None,
        };
        let elapsed = ask.elapsed().await?;
        let clock = after(now, elapsed);
        let decision = decide(stored.map(|it| it.free_at), clock, self.hold());
        let (free_at, turn) = match decision {
            Decision::Wait { until } => return Ok(later(clock, until)),
            Decision::Take { free_at } => {
                let within = elapsed.saturating_add(GRACE);
                (free_at, Turn::Mine(within.unsigned_abs()))
            }
            Decision::Mend { free_at } => (free_at, later(clock, free_at)),
        };
        let pace = RateLimitRecord {
            v: V,
            free_at,
            by: by.clone(),
        };
        let tag = found.map(|found| found.etag);
        match ask
            .compare_and_swap(self.key.clone(), body(&pace)?, tag)
            .await?
        {
            CasOutcome::Stored => Ok(turn),
            // Whoever was first took the turn at about this time.
            CasOutcome::Lost => Ok(later(clock, after(clock, self.hold()))),
        }
    }
}

fn decide(free_at: Option<Timestamp>, clock: Timestamp, hold: SignedDuration) -> Decision {
    let next = after(clock, hold);
    match free_at {
        Some(until) if until > after(next, hold) => Decision::Mend { free_at: next },
        Some(until) if until > clock => Decision::Wait { until },
        _ => Decision::Take { free_at: next },
    }
}

fn later(clock: Timestamp, until: Timestamp) -> Turn {
    let wait = until.duration_since(clock).unsigned_abs();
    Turn::Later { until, wait }
}

fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: SignedDuration = SignedDuration::from_secs(36);

    fn at(seconds: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_secs(seconds)
    }

    fn check(free_at: Option<i64>, expected: Decision) {
        assert_eq!(decide(free_at.map(at), at(0), HOLD), expected);
    }

    #[test]
    fn the_first_call_of_all_is_made_at_once() {
        check(None, Decision::Take { free_at: at(36) });
    }

    #[test]
    fn a_turn_is_over_at_its_time_and_not_before() {
        check(Some(0), Decision::Take { free_at: at(36) });
        check(Some(-86_400), Decision::Take { free_at: at(36) });
        check(Some(1), Decision::Wait { until: at(1) });
        check(Some(36), Decision::Wait { until: at(36) });
    }

    #[test]
    fn a_turn_that_lasts_for_ever_is_ended_by_waiting_once() {
        check(Some(72), Decision::Wait { until: at(72) });
        check(Some(73), Decision::Mend { free_at: at(36) });
        assert_eq!(
            decide(Some(Timestamp::MAX), at(0), HOLD),
            Decision::Mend { free_at: at(36) }
        );
    }

    #[test]
    fn a_turn_holds_for_the_spacing_from_the_last_moment_at_which_its_call_may_begin() {
        let lane = |dialect| Lane::of("p", &"acme".parse().unwrap(), dialect);
        let extraction = lane(Dialect::DataExtraction).unwrap();
        assert_eq!(extraction.hold(), HOLD);
        assert_eq!(extraction.key, "p/acme/_pace/data-extraction.json");
        assert!(lane(Dialect::Analytics).is_none());
    }
}
