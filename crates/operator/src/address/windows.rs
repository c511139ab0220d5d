//! Which windows a text means: days, ranges of them, months, hours, or an exact window.

use definition::{Definition, Window, WindowZone};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::error::CommandError;
use crate::state::{WindowNaming, label_window};

/// The windows that a text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WindowsAsked {
    /// These, which are the report's own.
    Windows(Vec<Window>),
    /// The due windows that nobody asked for, or that were begun and not finished.
    Missing,
    /// The windows whose last execution failed.
    Failed,
}

/// What a text says, before it is known whose windows they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// `START/END`, each a time or the beginning of a date, whether that is one of the report's own windows or not.
    Exact(Edge, Edge),
    /// From the beginning of the first to the end of the last.
    Range(Edge, Edge),
    Yesterday,
    Missing,
    Failed,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// A date in the report's zone.
    Date(Date),
    /// A month in the report's zone, by its first date.
    Month(Date),
    /// The window that begins at this time.
    Start(Timestamp),
}

/// The report's own windows that a text means.
pub(crate) fn find_windows(
    text: &str,
    definition: &Definition,
    now: Timestamp,
) -> Result<WindowsAsked, CommandError> {
    let (start, end) = match read(text.trim()).map_err(|reason| wrong(text, reason))? {
        Asked::Missing => return Ok(WindowsAsked::Missing),
        Asked::Failed => return Ok(WindowsAsked::Failed),
        asked => asked
            .bounds(definition, now)
            .map_err(|it| wrong(text, it))?,
    };
    tile(definition, start, end).map(WindowsAsked::Windows)
}

/// The one window that a text means, whether it is one of the report's own or not.
pub(crate) fn find_window(
    text: &str,
    definition: &Definition,
    now: Timestamp,
) -> Result<Window, CommandError> {
    let window = match read(text.trim()) {
        Ok(asked) => asked
            .bounds(definition, now)
            .and_then(|(start, end)| Window::new(start, end).map_err(|error| error.to_string())),
        Err(reason) => Err(reason),
    };
    window.map_err(|reason| wrong(text, reason))
}

/// Whether a text means windows, of whatever report.
pub(crate) fn is_window(text: &str) -> bool {
    read(text.trim()).is_ok()
}

fn wrong(text: &str, reason: String) -> CommandError {
    CommandError::Window {
        text: text.to_owned(),
        reason,
    }
}

impl Asked {
    /// Where the span begins and ends.
    fn bounds(
        self,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<(Timestamp, Timestamp), String> {
        let zone = &definition.pipeline.window_zone;
        let bounds = match self {
            Self::Exact(start, end) => {
                let bounds = start.start(zone).zip(end.start(zone));
                if let Some((start, end)) = bounds {
                    Window::new(start, end).map_err(|error| error.to_string())?;
                }
                bounds
            }
            Self::Range(first, last) => first.start(zone).zip(last.end(definition)),
            Self::Yesterday => {
                let today = now.to_zoned(zone.rules().clone()).date();
                let yesterday = today.yesterday().ok().map(Edge::Date);
                yesterday.and_then(|it| it.start(zone).zip(it.end(definition)))
            }
            Self::Missing | Self::Failed => {
                return Err("this command takes windows by their dates only".to_owned());
            }
        };
        bounds.ok_or_else(|| "it is outside of the years 2000 to 2100".to_owned())
    }
}

impl Edge {
    fn start(self, zone: &WindowZone) -> Option<Timestamp> {
        match self {
            Self::Date(date) | Self::Month(date) => zone.first_moment(date),
            Self::Start(time) => Some(time),
        }
    }

    fn end(self, definition: &Definition) -> Option<Timestamp> {
        let zone = &definition.pipeline.window_zone;
        match self {
            Self::Date(date) => zone.first_moment(date.tomorrow().ok()?),
            Self::Month(first) => zone.first_moment(first.checked_add(1.month()).ok()?),
            Self::Start(time) => Some(own_window_around(definition, time)?.end()),
        }
    }
}

fn own_window_around(definition: &Definition, time: Timestamp) -> Option<Window> {
    let second = Window::new(time, time + SignedDuration::from_secs(1)).ok()?;
    Some(definition.own_windows_at(&second).ok()?.0)
}

/// The report's own windows, if they are exactly this span.
fn tile(
    definition: &Definition,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Window>, CommandError> {
    let mut windows = Vec::new();
    let mut at = start;
    while at < end {
        match own_window_around(definition, at) {
            Some(own) if own.start() == at && own.end() <= end => {
                at = own.end();
                windows.push(own);
            }
            _ => return Err(refuse(definition, start, end)),
        }
    }
    Ok(windows)
}

/// Names the report's own windows at both ends of what was asked for.
fn refuse(definition: &Definition, start: Timestamp, end: Timestamp) -> CommandError {
    let naming = WindowNaming::new(Some(definition));
    let last_second = end - SignedDuration::from_secs(1);
    let own = [start, last_second].map(|time| own_window_around(definition, time));
    let mut nearest: Vec<String> = own
        .iter()
        .flatten()
        .map(|window| label_window(window, &naming))
        .collect();
    nearest.dedup();
    let asked = match Window::new(start, end) {
        Ok(window) => label_window(&window, &naming),
        Err(_) => format!("{start}/{end}"),
    };
    CommandError::NotOwnWindows {
        asked,
        schedule: definition.schedule.recurrence.to_string(),
        nearest: nearest.join(" and "),
    }
}

fn read(text: &str) -> Result<Asked, String> {
    match text {
        "missing" => return Ok(Asked::Missing),
        "failed" => return Ok(Asked::Failed),
        "yesterday" => return Ok(Asked::Yesterday),
        _ => {}
    }
    if let Some((start, end)) = text.split_once('/')
        && !is_slashed_date(text)
    {
        return Ok(Asked::Exact(read_edge(start)?, read_edge(end)?));
    }
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (read_edge(first)?, read_edge(last)?);
    match (order_of(first), order_of(last)) {
        (Some(from), Some(to)) if from > to => Err("the range ends before it begins".to_owned()),
        _ => Ok(Asked::Range(first, last)),
    }
}

/// For a comparison of two ends: their times in UTC.
fn order_of(edge: Edge) -> Option<Timestamp> {
    edge.start(&WindowZone::utc())
}

fn read_edge(text: &str) -> Result<Edge, String> {
    let digits: Vec<&str> = text.split('-').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits.iter().all(is_number) {
        match digits[..] {
            [year, month] if year.len() == 4 && month.len() == 2 => {
                return read_date(year, month, "01").map(Edge::Month);
            }
            [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2] => {
                return read_date(year, month, day).map(Edge::Date);
            }
            _ => {}
        }
    }
    if text.contains('T') {
        return read_time(text).map(Edge::Start);
    }
    Err(suggest_date(text))
}

fn read_date(year: &str, month: &str, day: &str) -> Result<Date, String> {
    let number = |text: &str| text.parse::<i8>().unwrap_or_default();
    let (month, day) = (number(month), number(day));
    let year = year.parse().unwrap_or_default();
    let Ok(first) = Date::new(year, month, 1) else {
        return Err(format!("there is no month {month:02}"));
    };
    Date::new(year, month, day).map_err(|_| {
        format!(
            "{} has {} days",
            first.strftime("%B"),
            first.days_in_month()
        )
    })
}

/// A time in whole seconds and in UTC; the seconds may be left out.
fn read_time(text: &str) -> Result<Timestamp, String> {
    let full = match text.strip_suffix('Z') {
        Some(minutes) if minutes.len() == "2026-06-01T05:00".len() => format!("{minutes}:00Z"),
        _ => text.to_owned(),
    };
    let Ok(time) = full.parse::<Timestamp>() else {
        return Err("not a time in UTC".to_owned());
    };
    if !full.ends_with('Z') {
        return Err(format!("times are in UTC: write {time}"));
    }
    if time.subsec_nanosecond() != 0 {
        return Err("a window's times are whole seconds".to_owned());
    }
    Ok(time)
}

/// What is meant by a date in another form, if that is clear.
fn suggest_date(text: &str) -> String {
    let parts: Vec<&str> = text.split(['.', '/']).collect();
    let [day, month, year] = parts[..] else {
        return "not a day, a range of days or two times in UTC".to_owned();
    };
    let clear = text
        .contains('.')
        .then(|| read_date(year, &format!("{month:0>2}"), &format!("{day:0>2}")).ok());
    match clear.flatten() {
        Some(date) => format!("days are written as {date}"),
        None => "days are written as YEAR-MONTH-DAY".to_owned(),
    }
}

/// `11/27/2026`, which is no pair of times.
fn is_slashed_date(text: &str) -> bool {
    let mut parts = text.split('/');
    parts.clone().count() == 3
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
