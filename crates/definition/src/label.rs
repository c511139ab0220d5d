//! What a window is called, in words that can be typed back.

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::definition::Definition;
use crate::window::Window;

/// Whose windows are called by words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowNaming {
    /// Where days begin and end.
    zone: TimeZone,
    /// What says which windows are the report's own; where it is not known, all may be.
    definition: Option<Definition>,
}

impl WindowNaming {
    #[must_use]
    pub fn new(definition: Option<&Definition>) -> Self {
        let zone = definition.map(|it| it.pipeline.window_zone.rules().clone());
        Self {
            zone: zone.unwrap_or(TimeZone::UTC),
            definition: definition.cloned(),
        }
    }

    /// For a report of which only the zone is known.
    #[must_use]
    pub fn in_zone(zone: TimeZone) -> Self {
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
#[must_use]
pub fn label_window(window: &Window, naming: &WindowNaming) -> String {
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
#[must_use]
pub fn label_range(first: &Window, last: &Window, naming: &WindowNaming) -> String {
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

/// Windows in order as ranges: those that touch are one. One that is none of the report's own stays by itself.
#[must_use]
pub fn label_windows<'w>(
    windows: impl IntoIterator<Item = &'w Window>,
    naming: &WindowNaming,
) -> Vec<String> {
    let mut ranges: Vec<(&Window, &Window)> = Vec::new();
    for window in windows {
        match ranges.last_mut() {
            Some((_, last))
                if last.end() == window.start()
                    && !naming.is_foreign(last)
                    && !naming.is_foreign(window) =>
            {
                *last = window;
            }
            _ => ranges.push((window, window)),
        }
    }
    let ranges = ranges.into_iter();
    ranges
        .map(|(first, last)| label_range(first, last, naming))
        .collect()
}

/// `START/END` of dates, of which the second is not in it any more.
fn label_exactly(first: Date, last: Date) -> String {
    let end = last.tomorrow().unwrap_or(last);
    format!("{first}/{end}")
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
