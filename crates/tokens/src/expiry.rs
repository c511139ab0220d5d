//! How long a token lives, judged by two clocks. Pure: the clocks are handed in.

use std::time::Duration;

use jiff::Timestamp;

/// A token is replaced this long before it expires (the guide's sixty seconds).
pub const MARGIN: Duration = Duration::from_mins(1);

/// A token is never replaced sooner than this for its age alone, whatever life it was given:
/// an `expires_in` of zero must not turn every page into a grant. A 401 replaces it at once.
pub const MIN_HOLD: Duration = Duration::from_secs(30);

/// No token is believed to live longer, whatever was answered or stored.
pub const MAX_LIFE: Duration = Duration::from_hours(24);

/// Both clocks of the process, read together.
///
/// The wall clock may jump; the monotonic one may stand still while Lambda freezes the process.
/// A token's age is the greater of what the two say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    /// The monotonic clock: time since any fixed point of this process.
    pub monotonic: Duration,
}

impl Now {
    /// The time from `earlier` to this moment: the greater of what the two clocks say.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        monotonic.max(since(earlier.wall, self.wall))
    }
}

/// The life of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    issued_at: Timestamp,
    total: Duration,
    /// When it was learned, and how old it was by then.
    learned: Duration,
    age_when_learned: Duration,
}

/// What a token is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Past its end: not to be sent.
    Expired,
    /// Still valid, and to be replaced; sent only when no new one is to be had.
    Due,
    Fresh,
}

impl Life {
    /// The life of a token that was asked for at `asked` and granted for `expires_in`.
    ///
    /// It starts before the request, because the server's clock for it started some time in between.
    #[must_use]
    pub fn granted(asked: Now, expires_in: Duration) -> Self {
        Self {
            issued_at: asked.wall,
            total: expires_in.min(MAX_LIFE),
            learned: asked.monotonic,
            age_when_learned: Duration::ZERO,
        }
    }

    /// The life of a token that somebody else stored; `None` if the two times make no sense.
    ///
    /// A token from the future (this clock is behind the writer's) counts as new, so
    /// that a clock that jumped back stretches a life to its double at the very most.
    #[must_use]
    pub fn stored(issued_at: Timestamp, expires_at: Timestamp, now: Now) -> Option<Self> {
        let total = Duration::try_from(expires_at.duration_since(issued_at)).ok()?;
        if total.is_zero() || total > MAX_LIFE {
            return None;
        }
        Some(Self {
            issued_at,
            total,
            learned: now.monotonic,
            age_when_learned: since(issued_at, now.wall),
        })
    }

    /// When the token was asked for, by the wall clock of whoever asked.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it ends, by the same clock.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.issued_at
            .checked_add(self.total)
            .unwrap_or(Timestamp::MAX)
    }

    /// How long it lives in all.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// How long after its start it should be replaced: at the earlier of `total - 60 s` and
    /// 90 % of it; for a life below two minutes at half of it, but never before [`MIN_HOLD`].
    #[must_use]
    pub fn due_after(&self) -> Duration {
        if self.total < 2 * MARGIN {
            return (self.total / 2).max(MIN_HOLD);
        }
        self.total.saturating_sub(MARGIN).min(self.total / 10 * 9)
    }

    /// What the token is good for now.
    #[must_use]
    pub fn phase(&self, now: Now) -> Phase {
        let age = self.age(now);
        if age < self.due_after() {
            Phase::Fresh
        } else if age < self.total {
            Phase::Due
        } else {
            Phase::Expired
        }
    }

    /// Its age: the greater of what the two clocks say.
    pub(crate) fn age(&self, now: Now) -> Duration {
        let monotonic = self.age_when_learned + now.monotonic.saturating_sub(self.learned);
        monotonic.max(since(self.issued_at, now.wall))
    }
}

/// The time from `start` to `end`, zero if the clock was turned back in between.
pub(crate) fn since(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_750_000_000;

    fn at(wall: i64, monotonic: u64) -> Now {
        Now {
            wall: Timestamp::from_second(START + wall).unwrap(),
            monotonic: Duration::from_secs(1_000 + monotonic),
        }
    }

    fn granted(seconds: u64) -> Life {
        Life::granted(at(0, 0), Duration::from_secs(seconds))
    }

    #[test]
    fn a_token_is_due_at_the_earlier_of_a_minute_before_its_end_and_nine_tenths() {
        for (life, due) in [
            (0, 30),
            (1, 30),
            (60, 30),
            (100, 50),
            (119, 59),
            (120, 60),
            (300, 240),
            (600, 540),
            (3_600, 3_240),
            (86_400, 77_760),
            (1_000_000_000_000, 77_760),
        ] {
            assert_eq!(granted(life).due_after().as_secs(), due, "life of {life} s");
        }
    }

    #[test]
    fn the_clock_that_went_further_decides() {
        for (now, phase) in [
            (at(0, 0), Phase::Fresh),
            (at(3_239, 3_239), Phase::Fresh),
            (at(3_240, 3_240), Phase::Due),
            (at(3_599, 3_599), Phase::Due),
            (at(3_600, 3_600), Phase::Expired),
            // Frozen by Lambda: the monotonic clock stood still.
            (at(3_240, 0), Phase::Due),
            (at(3_600, 0), Phase::Expired),
            // The wall clock was turned back by a day.
            (at(-86_400, 3_239), Phase::Fresh),
            (at(-86_400, 3_600), Phase::Expired),
            // The wall clock jumped ahead.
            (at(86_400, 1), Phase::Expired),
        ] {
            assert_eq!(granted(3_600).phase(now), phase, "{now:?}");
        }
    }

    #[test]
    fn a_token_without_a_life_is_held_for_half_a_minute() {
        assert_eq!(granted(0).phase(at(29, 29)), Phase::Fresh);
        assert_eq!(granted(0).phase(at(30, 30)), Phase::Expired);
    }

    fn stored(issued: i64, expires: i64, now: Now) -> Option<Life> {
        Life::stored(at(issued, 0).wall, at(expires, 0).wall, now)
    }

    #[test]
    fn stored_times_that_make_no_sense_are_no_life() {
        assert_eq!(stored(0, 0, at(0, 0)), None);
        assert_eq!(stored(10, 0, at(0, 0)), None);
        assert_eq!(stored(0, 86_401, at(0, 0)), None);
        assert!(stored(0, 86_400, at(0, 0)).is_some());
    }

    #[test]
    fn a_stored_token_has_the_age_that_the_wall_clock_gives_it() {
        let life = stored(0, 3_600, at(3_000, 5)).unwrap();
        assert_eq!(life.phase(at(3_000, 5)), Phase::Fresh);
        // The wall clock stands still, the process's own goes on.
        assert_eq!(life.phase(at(3_000, 5 + 240)), Phase::Due);
        assert_eq!(life.phase(at(3_000, 5 + 600)), Phase::Expired);
    }

    proptest! {
        /// A38: whatever the wall clock does, a token is not sent after twice its life.
        #[test]
        fn no_jump_of_the_wall_clock_stretches_a_life_beyond_its_double(
            total in 1_u64..86_400, read_at in 0_u64..86_400,
            jump in -1_000_000_i64..1_000_000, later in 0_u64..200_000, jump_again in -1_000_000_i64..1_000_000,
        ) {
            prop_assume!(read_at < total);
            let issued = at(0, 0);
            let expires = issued.wall + Duration::from_secs(total);
            let read = at(i64::try_from(read_at).unwrap() + jump, read_at);
            let life = Life::stored(issued.wall, expires, read).unwrap();
            let now = at(i64::try_from(read_at + later).unwrap() + jump_again, read_at + later);
            if life.phase(now) != Phase::Expired {
                prop_assert!(read_at + later < 2 * total.max(MIN_HOLD.as_secs()));
            }
        }
    }
}
