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
    /// What is to be known by whoever types commands beside it, which go by real time.
    pub(crate) fn describe_beside(self) -> &'static str {
        if self == Self::Factor(1.0) {
            "times are real, in UTC"
        } else {
            "times of executions are those of a simulated clock; cxr and the AWS CLI go by real time, so that what they call today, and how old they say that something is, differs"
        }
    }

    /// A clock of this speed that starts at `start`.
    pub(crate) fn start_clock(self, start: Timestamp) -> Clock {
        match self {
            Self::Factor(factor) => Clock::scaled(factor, start),
            Self::Virtual => Clock::virtual_at(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_not_real_is_told_to_whoever_types_commands() {
        for (scale, is_real) in [("1", true), ("40", false), ("virtual", false)] {
            let scale: TimeScale = scale.parse().unwrap();
            let told = scale.describe_beside();
            assert_eq!(told.contains("real, in UTC"), is_real, "{told}");
            assert_eq!(told.contains("cxr"), !is_real, "{told}");
        }
    }
}
