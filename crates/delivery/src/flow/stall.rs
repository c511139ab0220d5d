//! A tenant that only asks for pauses.

use std::time::Duration;

use crate::{Failure, FailureName};
use jiff::{SignedDuration, Timestamp};

/// How long one that gives nothing else is borne with.
const LIMIT: SignedDuration = SignedDuration::from_mins(45);

/// How long one is borne with that refuses, where that may mean "too often" or "never".
const DOUBT: SignedDuration = SignedDuration::from_mins(10);

/// The shortest and the longest pause that we choose ourselves, in seconds.
const FLOOR: u64 = 15;
const CAP: u64 = 120;

/// Since when nothing but pauses was to be had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stall {
    pub(super) since: Timestamp,
    now: Timestamp,
}

impl Stall {
    /// Goes on with a stall, or begins one; fails when it has lasted too long.
    pub(super) fn at(now: Timestamp, before: Option<Timestamp>) -> Result<Self, Failure> {
        let since = before.unwrap_or(now);
        if now.duration_since(since) > LIMIT {
            return Err(Failure::new(
                FailureName::Throttled,
                format!(
                    "since {since} CXone answers only that it is asked too often; find what else uses up the tenant's rate, then redrive"
                ),
            ));
        }
        Ok(Self { since, now })
    }

    /// Goes on with a stall of refusals that may be a way to throttle; fails when that can't be
    /// believed any more. `said` is what was refused.
    pub(super) fn in_doubt(
        now: Timestamp,
        before: Option<Timestamp>,
        said: &str,
    ) -> Result<Self, Failure> {
        let since = before.unwrap_or(now);
        if now.duration_since(since) > DOUBT {
            return Err(Failure::new(
                FailureName::Auth,
                format!(
                    "{said}; since {since} nothing else came. It is one of two: the client's role lacks the permission for this data (grant it, then redrive), or somebody else uses this API with the tenant all the time, which it allows to one user and once in 30 s (find and stop them, then redrive)"
                ),
            ));
        }
        Ok(Self { since, now })
    }

    /// How long to stay away: as long as the tenant asked for, but not beyond the limit; where it
    /// did not say, as long as the stall has lasted so far, which doubles it each time.
    pub(super) fn wait_seconds(self, asked: Option<Duration>) -> u64 {
        let longest = LIMIT.unsigned_abs().as_secs();
        if let Some(wait) = asked {
            return wait.as_secs().clamp(1, longest);
        }
        let lasted = self.now.duration_since(self.since).as_secs();
        u64::try_from(lasted).unwrap_or(0).clamp(FLOOR, CAP)
    }

    /// The same as a point in time.
    pub(super) fn until(self, asked: Option<Duration>) -> Timestamp {
        let seconds = i64::try_from(self.wait_seconds(asked)).unwrap_or(i64::MAX);
        self.now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap_or(self.now)
    }
}
