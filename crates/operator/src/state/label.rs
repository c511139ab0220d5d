//! What a window is called, in words that can be typed back.

use definition::Window;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day, two days with `..` between them, a month, the hour at which it begins, or else its start and end.
pub(crate) fn label_window(window: &Window, zone: &TimeZone) -> String {
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
pub(crate) fn label_range(first: &Window, last: &Window, zone: &TimeZone) -> String {
    if first == last {
        return label_window(first, zone);
    }
    match (dates_of(first, zone), dates_of(last, zone)) {
        (Some((from, _)), Some((_, to))) => label_dates(from, to),
        _ => format!(
            "{}..{}",
            label_window(first, zone),
            label_window(last, zone)
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
