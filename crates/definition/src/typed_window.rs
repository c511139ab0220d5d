//! Windows and times as people type them.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::grid::start_of_date;
use crate::window::{Window, WindowError};
use crate::window_zone::WindowZone;

/// Why a text is not a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypedWindowError {
    /// Neither a day nor two of them, nor two times.
    #[error("not two times in UTC, and not a day")]
    Text,
    /// The two times make no window.
    #[error(transparent)]
    Window(#[from] WindowError),
}

impl WindowZone {
    /// Reads a window: `START/END`, each a time in UTC or a day, or one day. A day is one of this zone and has 23 or 25 hours when
    /// clocks change, as the report's own days do.
    pub fn read_window(&self, text: &str) -> Result<Window, TypedWindowError> {
        let bounds = match text.split_once('/') {
            Some((start, end)) => self.read_time(start).zip(self.read_time(end)),
            None => read_day(text).and_then(|day| {
                let next = day.tomorrow().ok()?;
                self.first_moment(day).zip(self.first_moment(next))
            }),
        };
        let (start, end) = bounds.ok_or(TypedWindowError::Text)?;
        Ok(Window::new(start, end)?)
    }

    /// Reads a time in UTC, in whole seconds, or a day, which stands for its first moment in this zone.
    #[must_use]
    pub fn read_time(&self, text: &str) -> Option<Timestamp> {
        if let Some(day) = read_day(text) {
            return self.first_moment(day);
        }
        let time: Timestamp = text.ends_with('Z').then(|| text.parse().ok())??;
        (time.subsec_nanosecond() == 0).then_some(time)
    }

    /// The first moment of a date: midnight, or where clocks skip it, the moment that they skip to.
    #[must_use]
    pub fn first_moment(&self, day: Date) -> Option<Timestamp> {
        start_of_date(day, self.rules()).ok()
    }
}

fn read_day(text: &str) -> Option<Date> {
    // Only this form: jiff would also read the date out of a longer text.
    (text.len() == "2026-06-01".len()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_zone_and_a_time_is_in_utc() {
        for (zone, text, window) in [
            ("UTC", "2026-06-01", "20260601T000000Z-20260602T000000Z"),
            (
                "America/New_York",
                "2026-06-01",
                "20260601T040000Z-20260602T040000Z",
            ),
            (
                "Asia/Kolkata",
                "2026-06-01/2026-06-03",
                "20260531T183000Z-20260602T183000Z",
            ),
            // Clocks change: 23 and 25 hours.
            (
                "Europe/Berlin",
                "2026-03-29",
                "20260328T230000Z-20260329T220000Z",
            ),
            (
                "America/New_York",
                "2026-11-01",
                "20261101T040000Z-20261102T050000Z",
            ),
            // Clocks skip midnight.
            (
                "Africa/Cairo",
                "2026-04-24",
                "20260423T220000Z-20260424T210000Z",
            ),
            (
                "America/New_York",
                "2026-06-01T00:00:00Z/2026-06-01",
                "20260601T000000Z-20260601T040000Z",
            ),
        ] {
            let zone: WindowZone = zone.parse().unwrap();
            let read = zone.read_window(text).map(|window| window.key());
            assert_eq!(read.as_deref(), Ok(window), "{text} in {zone}");
        }
    }
}
