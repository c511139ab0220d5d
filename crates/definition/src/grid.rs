//! The windows of a relative range: each begins where the one before it ends.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::duration::HOUR;
use crate::enums::RelativeRange;
use crate::schedule::EveryHours;
use crate::window::{Window, WindowError};

/// All windows of a range in a zone, without gap or overlap.
pub(crate) struct Grid<'d> {
    pub(crate) range: RelativeRange,
    /// How many hours a window has, where it is counted in hours.
    pub(crate) every_hours: Option<EveryHours>,
    pub(crate) zone: &'d TimeZone,
}

impl Grid<'_> {
    /// The window that ended last before a time, or with it.
    pub(crate) fn last_before(&self, time: Timestamp) -> Result<Window, WindowError> {
        let (start, _) = self.bounds_around(time)?;
        let inside = start
            .checked_sub(SignedDuration::from_secs(1))
            .map_err(|_| WindowError::OutOfRange)?;
        self.window_around(inside)
    }

    /// The window in which a time is.
    pub(crate) fn window_around(&self, time: Timestamp) -> Result<Window, WindowError> {
        let (start, end) = self.bounds_around(time)?;
        Window::new(start, end)
    }

    fn bounds_around(&self, time: Timestamp) -> Result<(Timestamp, Timestamp), WindowError> {
        if self.range == RelativeRange::PreviousHours {
            return self.block_around(time);
        }
        let date = time.to_zoned(self.zone.clone()).date();
        let first = self.first_date(date)?;
        let bounds = self.bounds_from(first)?;
        if time < bounds.1 {
            return Ok(bounds);
        }
        // Where clocks are set back over midnight, the old date is shown again after the new one has begun.
        self.bounds_from(self.next_date(first)?)
    }

    fn bounds_from(&self, first: Date) -> Result<(Timestamp, Timestamp), WindowError> {
        Ok((
            self.start_of(first)?,
            self.start_of(self.next_date(first)?)?,
        ))
    }

    fn block_around(&self, time: Timestamp) -> Result<(Timestamp, Timestamp), WindowError> {
        let hours = self.every_hours.map_or(1, EveryHours::get);
        let length = i64::from(hours) * HOUR;
        let start = time.as_second() - time.as_second().rem_euclid(length);
        let at = |second| Timestamp::from_second(second).map_err(|_| WindowError::OutOfRange);
        Ok((at(start)?, at(start + length)?))
    }

    fn first_date(&self, date: Date) -> Result<Date, WindowError> {
        match self.range {
            RelativeRange::PreviousWeek => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                date.checked_sub(back.days())
            }
            RelativeRange::PreviousMonth => Ok(date.first_of_month()),
            RelativeRange::PreviousDay | RelativeRange::PreviousHours => Ok(date),
        }
        .map_err(|_| WindowError::OutOfRange)
    }

    fn next_date(&self, first: Date) -> Result<Date, WindowError> {
        first
            .checked_add(match self.range {
                RelativeRange::PreviousWeek => 7.days(),
                RelativeRange::PreviousMonth => 1.month(),
                RelativeRange::PreviousDay | RelativeRange::PreviousHours => 1.day(),
            })
            .map_err(|_| WindowError::OutOfRange)
    }

    fn start_of(&self, date: Date) -> Result<Timestamp, WindowError> {
        start_of_date(date, self.zone)
    }
}

/// The first moment of a date: midnight, or where clocks skip it, the moment that they skip to.
pub(crate) fn start_of_date(date: Date, zone: &TimeZone) -> Result<Timestamp, WindowError> {
    date.to_zoned(zone.clone())
        .and_then(|midnight| midnight.start_of_day())
        .map(|start| start.timestamp())
        .map_err(|_| WindowError::OutOfRange)
}
