//! For how long a tenant may answer with nothing but refusals to be called so often.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{Failure, FailureName};

/// Fail after this long of nothing but 429.
const THROTTLED_LIMIT: SignedDuration = SignedDuration::from_mins(45);

/// Fail after this long of nothing but 403, from APIs that use 403 both for throttling and for a missing
/// permission.
const FORBIDDEN_LIMIT: SignedDuration = SignedDuration::from_mins(10);

/// The shortest and the longest pause that we choose ourselves, in seconds.
const PAUSE_SECONDS_MIN: u64 = 15;
const PAUSE_SECONDS_MAX: u64 = 120;

/// A time during which the tenant answered nothing but that it is called too often.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThrottleWindow {
    pub(super) since: Timestamp,
    now: Timestamp,
}

impl ThrottleWindow {
    /// Continues the window that began at `since`, or begins one; fails when it has lasted 45 minutes.
    pub(super) fn throttled(now: Timestamp, since: Option<Timestamp>) -> Result<Self, Failure> {
        let since = since.unwrap_or(now);
        if now.duration_since(since) > THROTTLED_LIMIT {
            return Err(Failure::new(
                FailureName::Throttled,
                format!(
                    "since {since} CXone has answered only that it is called too often; find what else uses up the tenant's rate limit, then redrive"
                ),
            ));
        }
        Ok(Self { since, now })
    }

    /// Continues or begins a window of 403 answers, which may mean either "too often" or "never"; fails
    /// after ten minutes with both causes. `refusal` is what CXone said.
    pub(super) fn ambiguous_forbidden(
        now: Timestamp,
        since: Option<Timestamp>,
        refusal: &str,
    ) -> Result<Self, Failure> {
        let since = since.unwrap_or(now);
        if now.duration_since(since) > FORBIDDEN_LIMIT {
            return Err(Failure::new(
                FailureName::Auth,
                format!(
                    "{refusal}; CXone has answered nothing else since {since}. Either the client or user of the tenant's secret lacks the permission for this data (grant it in CXone, then redrive), or somebody else uses this API with the tenant all the time, which it allows to one user and once in 30 s (find and stop them, then redrive)"
                ),
            ));
        }
        Ok(Self { since, now })
    }

    /// How long to pause: as long as the tenant asked for, but not beyond the limit; where it did
    /// not say, as long as the window has lasted so far, which doubles the pause each time.
    pub(super) fn pause_seconds(self, asked: Option<Duration>) -> u64 {
        let longest = THROTTLED_LIMIT.unsigned_abs().as_secs();
        if let Some(pause) = asked {
            return pause.as_secs().clamp(1, longest);
        }
        let lasted = self.now.duration_since(self.since).as_secs();
        u64::try_from(lasted)
            .unwrap_or(0)
            .clamp(PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX)
    }

    /// When the pause is over.
    pub(super) fn pause_until(self, asked: Option<Duration>) -> Timestamp {
        let seconds = i64::try_from(self.pause_seconds(asked)).unwrap_or(i64::MAX);
        self.now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap_or(self.now)
    }
}
