//! The speed of the simulated clock.

use std::fmt;
use std::str::FromStr;

use asl::Clock;
use jiff::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TimeScale {
    /// A multiple of real time.
    Factor(f64),
    /// The clock stands still while a handler works and jumps over every wait.
    Virtual,
}

impl FromStr for TimeScale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "virtual" {
            return Ok(Self::Virtual);
        }
        let factor: Option<f64> = text.parse().ok();
        let factor = factor.filter(|factor| (0.001..=1_000_000.0).contains(factor));
        let factor = factor.ok_or("neither `virtual` nor a factor from 0.001 to 1000000")?;
        Ok(Self::Factor(factor))
    }
}

impl fmt::Display for TimeScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Factor(factor) => write!(f, "goes {factor} times as fast as real time"),
            Self::Virtual => f.write_str("jumps over every wait"),
        }
    }
}

impl TimeScale {
    /// A clock of this speed that starts at `start`.
    pub(crate) fn start_clock(self, start: Timestamp) -> Clock {
        match self {
            Self::Factor(factor) => Clock::scaled(factor, start),
            Self::Virtual => Clock::virtual_at(start),
        }
    }
}
