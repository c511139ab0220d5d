//! The hours in which a backfill begins no window.

use std::fmt;

use clap::Args;
use definition::{Definition, Recurrence, TimeOfDay};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::CommandError;

/// So long before the report's own run no window is begun, so that those that run have ended by then.
const BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// And so long after it none.
const AFTER: SignedDuration = SignedDuration::from_mins(90);

#[derive(Debug, Args)]
pub(crate) struct PauseArg {
    /// Begin no window between two times of the day in UTC, such as 05:00-07:00, so that the daily runs are not held up. Without it:
    /// from half an hour before the report's own run to 90 minutes after it, but not for an hourly report. never: at any time.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    not_between: Option<String>,
}

/// Two times of the day in UTC. Where they are the same, there is no pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    from: String,
    to: String,
}

impl PauseArg {
    pub(crate) fn read(&self, definition: &Definition) -> Result<Pause, CommandError> {
        let Some(text) = self.not_between.as_deref() else {
            return Ok(Pause::around_run(definition));
        };
        if text == "never" {
            return Ok(Pause::never());
        }
        let times = text.split_once('-').and_then(|(from, to)| {
            let (from, to): (TimeOfDay, TimeOfDay) = (from.parse().ok()?, to.parse().ok()?);
            (from != to).then(|| Pause {
                from: from.to_string(),
                to: to.to_string(),
            })
        });
        times.ok_or_else(|| CommandError::Backfill {
            problem: format!(
                "--not-between {text:?} is not two times of the day; write 05:00-07:00 (UTC), or never"
            ),
        })
    }
}

impl Pause {
    fn never() -> Self {
        let midnight = || "00:00".to_owned();
        Self {
            from: midnight(),
            to: midnight(),
        }
    }

    pub(super) fn around_run(definition: &Definition) -> Self {
        let schedule = &definition.schedule;
        if matches!(schedule.recurrence, Recurrence::Hourly | Recurrence::Once) {
            return Self::never();
        }
        let run = schedule.time.first_at_or_after(Timestamp::UNIX_EPOCH);
        let text = |time: Timestamp| time.strftime("%H:%M").to_string();
        Self {
            from: text(run - BEFORE),
            to: text(run + AFTER),
        }
    }

    /// In words; `None` where there is no pause.
    pub(crate) fn describe(&self) -> Option<String> {
        (self.from != self.to).then(|| self.to_string())
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} UTC", self.from, self.to)
    }
}
