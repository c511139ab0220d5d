//! A tenant that only asks for pauses.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use workflow::{Failure, FailureName};

/// How long one that gives nothing else is borne with.
const LIMIT: SignedDuration = SignedDuration::from_mins(45);

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
