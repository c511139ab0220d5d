//! `pipeline.expectedBy`: when a window is expected to have been delivered.

use jiff::{SignedDuration, Timestamp};

use crate::date_range::DateRange;
use crate::definition::Definition;
use crate::window::{Window, WindowError};

/// How long a delivery may take, where the definition does not say it.
const USUAL_DELIVERY: SignedDuration = SignedDuration::from_hours(3);

impl Definition {
    /// How long after the schedule's time its window is expected to have been delivered. If the definition does not say it, it
    /// is three hours after the run can start, which may have to wait until the window is final.
    #[must_use]
    pub fn expected_after(&self) -> SignedDuration {
        let usual = || USUAL_DELIVERY + self.longest_wait();
        self.pipeline.expected_by.unwrap_or_else(usual)
    }

    /// The window that is expected to have been delivered at a time: the one that the schedule meant so long before. All
    /// times of schedules are in UTC, so that this is exact for every recurrence and zone.
    pub fn expected_window(&self, time: Timestamp) -> Result<Window, WindowError> {
        self.window_scheduled_before(time, self.expected_after())
    }

    /// The schedule's windows that begin at a time or later, and are expected to have been delivered by another, in order.
    #[must_use]
    pub fn windows_due(&self, since: Timestamp, now: Timestamp) -> Vec<Window> {
        let until = now.checked_sub(self.expected_after());
        self.windows_scheduled(since, until.unwrap_or(Timestamp::MIN))
    }

    /// The schedule's windows that begin at a time or later, and whose runs were scheduled until another, in order.
    #[must_use]
    pub fn windows_scheduled(&self, since: Timestamp, until: Timestamp) -> Vec<Window> {
        let scheduled = match self.report.date_range() {
            DateRange::Absolute(window) => {
                let run_at = self
                    .schedule
                    .time
                    .first_at_or_after(self.settled_at(window));
                vec![run_at]
            }
            DateRange::Relative { .. } => self.schedule.times(since, until),
        };
        let scheduled = scheduled.into_iter().filter(|time| *time <= until);
        let windows = scheduled.filter_map(|time| self.window_for(time).ok());
        let mut windows: Vec<Window> = windows.filter(|window| window.start() >= since).collect();
        windows.dedup();
        windows
    }

    /// How long a scheduled run waits at most for its window to become final: on a Monday and on the first of a month, in
    /// winter and in summer. A report that runs once is scheduled when its window is final.
    pub(crate) fn longest_wait(&self) -> SignedDuration {
        const DAYS: [&str; 4] = ["2029-01-01", "2030-01-07", "2029-07-02", "2030-07-01"];
        if matches!(self.report.date_range(), DateRange::Absolute(_)) {
            return SignedDuration::ZERO;
        }
        let schedule = &self.schedule;
        let minutes = i64::from(schedule.time.minute());
        let waits = DAYS.iter().flat_map(|day| {
            let midnight = format!("{day}T00:00:00Z").parse::<Timestamp>().ok();
            schedule.hours().filter_map(move |hour| {
                let after = SignedDuration::from_mins(i64::from(hour) * 60 + minutes);
                let scheduled = midnight?.checked_add(after).ok()?;
                let window = self.window_for(scheduled).ok()?;
                Some(self.settled_at(&window).duration_since(scheduled))
            })
        });
        waits.fold(SignedDuration::ZERO, SignedDuration::max)
    }
}
