//! Which windows a schedule has asked for, and which of them should have been delivered.

use definition::{Definition, Window};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{absolute, good, put};

fn read(changes: &[(&str, Value)]) -> Definition {
    let mut value = good();
    for (pointer, change) in changes {
        put(&mut value, pointer, change);
    }
    let checked = Definition::from_value(&value);
    checked.unwrap_or_else(|it| panic!("{it}")).definition
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn keys(windows: &[Window]) -> Vec<String> {
    windows.iter().map(Window::key).collect()
}

#[test]
fn a_schedule_asks_for_one_window_after_the_other() {
    let weekly = [
        ("/schedule/type", json!("weekly")),
        ("/report/dateRange/value", json!("previousWeek")),
    ];
    let monthly = [
        ("/schedule/type", json!("monthly")),
        ("/report/dateRange/value", json!("previousMonth")),
    ];
    let hourly = [
        ("/schedule/type", json!("hourly")),
        ("/schedule/everyHours", json!(12)),
        ("/schedule/time", json!("01:00")),
        ("/pipeline/settledAfter", json!("PT45M")),
        ("/report/dateRange/value", json!("previousHours")),
    ];
    for (changes, until, expected) in [
        (
            &[][..],
            "2026-11-03T06:00:00Z",
            &[
                "20261101T000000Z-20261102T000000Z",
                "20261102T000000Z-20261103T000000Z",
            ][..],
        ),
        (
            &[],
            "2026-11-03T05:59:59Z",
            &["20261101T000000Z-20261102T000000Z"],
        ),
        (
            &weekly,
            "2026-11-20T00:00:00Z",
            &[
                "20261102T000000Z-20261109T000000Z",
                "20261109T000000Z-20261116T000000Z",
            ],
        ),
        (
            &monthly,
            "2027-01-01T06:00:00Z",
            &[
                "20261101T000000Z-20261201T000000Z",
                "20261201T000000Z-20270101T000000Z",
            ],
        ),
        (
            &hourly,
            "2026-11-02T01:00:00Z",
            &[
                "20261101T000000Z-20261101T120000Z",
                "20261101T120000Z-20261102T000000Z",
            ],
        ),
    ] {
        let definition = read(changes);
        let (since, until) = (at("2026-11-01T00:00:00Z"), at(until));
        let asked = definition.windows_scheduled(since, until);
        assert_eq!(keys(&asked), expected, "until {until}");
        // What is due is what the schedule that asks whether it came would have asked about.
        let later = until + definition.expected_after();
        assert_eq!(definition.windows_due(since, later), asked);
        let last = asked.last().copied().unwrap();
        let expects = definition.schedule.times(until - hours(31 * 24), until);
        let last_expects = expects.last().copied().unwrap() + definition.expected_after();
        assert_eq!(definition.expected_window(last_expects), Ok(last));
    }
}

#[test]
fn a_report_that_runs_once_has_one_window() {
    let mut value = good();
    let day = absolute("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
    value["report"]["dateRange"] = day;
    value["schedule"]["type"] = json!("once");
    let definition = Definition::from_value(&value).unwrap().definition;
    let since = at("2026-01-01T00:00:00Z");
    let due = |now| keys(&definition.windows_due(since, at(now)));
    // It is run at 06:00 on the 22nd, and expected three hours later.
    assert_eq!(due("2026-11-22T08:59:59Z"), [""; 0]);
    assert_eq!(
        due("2026-11-22T09:00:00Z"),
        ["20261121T000000Z-20261122T000000Z"]
    );
}
