//! What a window is called, in words that can be typed back.

use definition::{Definition, Window};
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Judged;

/// Whose windows are called by words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowNaming {
    /// Where days begin and end.
    zone: TimeZone,
    /// What says which windows are the report's own; where it is not known, all may be.
    definition: Option<Definition>,
}

impl WindowNaming {
    pub(crate) fn new(definition: Option<&Definition>) -> Self {
        let zone = definition.map(|it| it.pipeline.window_zone.rules().clone());
        Self {
            zone: zone.unwrap_or(TimeZone::UTC),
            definition: definition.cloned(),
        }
    }

    /// For a report of which only the zone is known.
    pub(crate) fn in_zone(zone: TimeZone) -> Self {
        Self {
            zone,
            definition: None,
        }
    }

    /// Whether a window is none of the report's own, so that the words for one mean others.
    fn is_foreign(&self, window: &Window) -> bool {
        let definition = self.definition.as_ref();
        definition.is_some_and(|it| !it.is_on_grid(window))
    }
}

/// A day, two days with `..` between them, a month, the hour at which it begins, or else its start and end.
pub(crate) fn label_window(window: &Window, naming: &WindowNaming) -> String {
    let zone = &naming.zone;
    if naming.is_foreign(window) {
        return match dates_of(window, zone) {
            Some((first, last)) => label_exactly(first, last),
            None => window.to_string(),
        };
    }
    if let Some((first, last)) = dates_of(window, zone) {
        return label_dates(first, last);
    }
    let minutes = "%Y-%m-%dT%H:%MZ";
    let is_hours = window.duration() <= SignedDuration::from_hours(12)
        && window.start().as_second() % window.duration().as_secs() == 0;
    if is_hours && window.start().as_second() % 60 == 0 {
        return window.start().strftime(minutes).to_string();
    }
    window.to_string()
}

/// Windows that follow one another, from the first to the last.
pub(crate) fn label_range(first: &Window, last: &Window, naming: &WindowNaming) -> String {
    if first == last {
        return label_window(first, naming);
    }
    let zone = &naming.zone;
    match (dates_of(first, zone), dates_of(last, zone)) {
        (Some((from, _)), Some((_, to))) => label_dates(from, to),
        _ => format!(
            "{}..{}",
            label_window(first, naming),
            label_window(last, naming)
        ),
    }
}

/// The first and the last date of a window that begins and ends with dates of a zone.
fn dates_of(window: &Window, zone: &TimeZone) -> Option<(Date, Date)> {
    let start = window.start().to_zoned(zone.clone());
    let end = window.end().to_zoned(zone.clone());
    let begins_its_date =
        |time: &jiff::Zoned| time.start_of_day().is_ok_and(|start| start == *time);
    if !begins_its_date(&start) || !begins_its_date(&end) {
        return None;
    }
    Some((start.date(), end.date().yesterday().ok()?))
}

/// The windows as ranges: those that touch are one. One that is none of the report's own stays by itself.
pub(crate) fn group_ranges(windows: &[&Judged], naming: &WindowNaming) -> Vec<String> {
    let mut ranges: Vec<(Window, Window)> = Vec::new();
    for Judged { window, .. } in windows {
        match ranges.last_mut() {
            Some((_, last))
                if last.end() == window.start()
                    && !naming.is_foreign(last)
                    && !naming.is_foreign(window) =>
            {
                *last = *window;
            }
            _ => ranges.push((*window, *window)),
        }
    }
    let ranges = ranges.iter();
    ranges
        .map(|(first, last)| label_range(first, last, naming))
        .collect()
}

/// `START/END` of dates, of which the second is not in it any more.
fn label_exactly(first: Date, last: Date) -> String {
    let end = last.tomorrow().unwrap_or(last);
    format!("{first}/{end}")
}

/// Every date of a zone in which a window has a moment.
pub(crate) fn dates_touched(window: &Window, zone: &TimeZone) -> Vec<Date> {
    let date_of = |time: jiff::Timestamp| time.to_zoned(zone.clone()).date();
    let last = date_of(window.end() - SignedDuration::from_secs(1));
    let mut dates = vec![date_of(window.start())];
    while let Some(next) = dates.last().and_then(|date| date.tomorrow().ok()) {
        if next > last {
            break;
        }
        dates.push(next);
    }
    dates
}

/// One date, two dates with `..` between them, or a month.
fn label_dates(first: Date, last: Date) -> String {
    if first == last {
        return first.to_string();
    }
    if first == first.first_of_month() && last == first.last_of_month() {
        return first.strftime("%Y-%m").to_string();
    }
    format!("{first}..{last}")
}
