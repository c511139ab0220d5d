use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-28T12:00:00Z";

fn definition(recurrence: &str, range: &str, zone: &str) -> Definition {
    let text = include_str!("../../../../../crates/local/definitions/contacts.json");
    let mut value: Value = serde_json::from_str(text).unwrap();
    value["schedule"]["type"] = json!(recurrence);
    if recurrence == "hourly" {
        value["schedule"]["everyHours"] = json!(6);
        value["schedule"]["time"] = json!("01:00");
        let pipeline = value["pipeline"].as_object_mut().unwrap();
        pipeline.remove("settledAt");
    }
    value["report"]["dateRange"]["value"] = json!(range);
    if zone != "UTC" {
        value["pipeline"]["windowZone"] = json!(zone);
    }
    let checked = Definition::from_value(&value);
    checked.unwrap_or_else(|it| panic!("{it}")).definition
}

fn resolve(definition: &Definition, text: &str) -> Result<Vec<String>, CommandError> {
    match find_windows(text, definition, NOW.parse().unwrap())? {
        WindowsAsked::Windows(windows) => Ok(windows.iter().map(Window::key).collect()),
        asked => panic!("{asked:?}"),
    }
}

fn check(definition: &Definition, text: &str, expected: &[&str]) {
    assert_eq!(resolve(definition, text).unwrap(), expected, "{text}");
}

#[test]
fn days_are_those_of_the_reports_zone() {
    let utc = definition("daily", "previousDay", "UTC");
    check(&utc, "2026-11-27", &["20261127T000000Z-20261128T000000Z"]);
    check(&utc, "yesterday", &["20261127T000000Z-20261128T000000Z"]);
    check(
        &utc,
        "2026-11-26..2026-11-27",
        &[
            "20261126T000000Z-20261127T000000Z",
            "20261127T000000Z-20261128T000000Z",
        ],
    );
    check(
        &utc,
        "2026-11-26T00:00:00Z/2026-11-27T00:00:00Z",
        &["20261126T000000Z-20261127T000000Z"],
    );
    assert_eq!(resolve(&utc, "2026-11").unwrap().len(), 30);
    let new_york = definition("daily", "previousDay", "America/New_York");
    check(
        &new_york,
        "2026-11-01",
        &["20261101T040000Z-20261102T050000Z"],
    );
}

#[test]
fn weeks_months_and_hours_are_named_by_what_they_cover() {
    let weekly = definition("weekly", "previousWeek", "UTC");
    let week = &["20261116T000000Z-20261123T000000Z"];
    check(&weekly, "2026-11-16..2026-11-22", week);
    let monthly = definition("monthly", "previousMonth", "UTC");
    let october = &["20261001T000000Z-20261101T000000Z"];
    check(&monthly, "2026-10", october);
    check(&monthly, "2026-10-01..2026-10-31", october);
    let hourly = definition("hourly", "previousHours", "UTC");
    check(
        &hourly,
        "2026-11-27T06:00Z",
        &["20261127T060000Z-20261127T120000Z"],
    );
    assert_eq!(resolve(&hourly, "yesterday").unwrap().len(), 4);
    let two = "2026-11-27T06:00Z..2026-11-27T12:00Z";
    assert_eq!(resolve(&hourly, two).unwrap().len(), 2);
}

#[test]
fn every_own_window_is_found_by_its_label() {
    for (recurrence, range) in [
        ("daily", "previousDay"),
        ("weekly", "previousWeek"),
        ("monthly", "previousMonth"),
        ("hourly", "previousHours"),
    ] {
        for zone in ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"] {
            if recurrence == "hourly" && zone != "UTC" {
                continue;
            }
            let definition = definition(recurrence, range, zone);
            let mut at: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
            for _ in 0..60 {
                let own = own_window_around(&definition, at).unwrap();
                let label = label_window(&own, &WindowNaming::new(Some(&definition)));
                check(&definition, &label, &[&own.key()]);
                at = own.end();
            }
        }
    }
}

#[test]
fn what_is_none_of_the_reports_own_windows_is_refused_with_those_that_there_are() {
    let daily = definition("daily", "previousDay", "UTC");
    let weekly = definition("weekly", "previousWeek", "UTC");
    for (definition, text, named) in [
        (&weekly, "2026-11-17", "2026-11-16..2026-11-22"),
        (&weekly, "yesterday", "2026-11-23..2026-11-29"),
        (
            &weekly,
            "2026-11-16..2026-11-24",
            "2026-11-16..2026-11-22 and 2026-11-23..2026-11-29",
        ),
        (&daily, "2026-11-26T06:00Z", "2026-11-26"),
        (
            &daily,
            "2026-11-26T06:00:00Z/2026-11-27T06:00:00Z",
            "2026-11-26 and 2026-11-27",
        ),
    ] {
        let error = resolve(definition, text).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO026", 2), "{text}");
        assert!(error.to_string().contains(named), "{text}: {error}");
    }
}

#[test]
fn what_is_no_window_says_why_and_how_to_write_it() {
    let daily = definition("daily", "previousDay", "UTC");
    for (text, reason) in [
        ("", "not a day"),
        ("tomorrow", "not a day"),
        ("27.11.2026", "days are written as 2026-11-27"),
        ("11/27/2026", "days are written as YEAR-MONTH-DAY"),
        ("2026-11-31", "November has 30 days"),
        ("2026-13-01", "there is no month 13"),
        (
            "2026-11-20T00:00:00+01:00/2026-11-21T00:00:00+01:00",
            "times are in UTC: write 2026-11-19T23:00:00Z",
        ),
        ("2026-06-01T00:00:00.5Z/2026-06-02", "whole seconds"),
        ("2026-06-02..2026-06-01", "ends before it begins"),
        ("2026-06-02/2026-06-01", "not before its end"),
        ("2026-06-01/2026-08-01", "longer than 31 days"),
    ] {
        let error = resolve(&daily, text).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO003", 2), "{text}");
        assert!(error.to_string().contains(reason), "{text}: {error}");
        let same = find_window(text, &daily, NOW.parse().unwrap()).unwrap_err();
        assert_eq!(same.to_string(), error.to_string());
    }
    for text in ["missing", "failed"] {
        let error = find_window(text, &daily, NOW.parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("by their dates only"), "{error}");
    }
}

#[test]
fn a_window_is_two_times_two_days_or_one_on_the_grid_or_not() {
    let daily = definition("daily", "previousDay", "UTC");
    let find = |text| find_window(text, &daily, NOW.parse().unwrap()).unwrap();
    let june_first = "2026-06-01T00:00:00Z/2026-06-02T00:00:00Z";
    for text in [
        june_first,
        "2026-06-01/2026-06-02",
        "2026-06-01",
        "2026-06-01T00:00:00Z",
    ] {
        assert_eq!(find(text).to_string(), june_first, "{text}");
    }
    let hour = "2026-06-01T01:00:00Z/2026-06-01T02:00:00Z";
    assert_eq!(find(hour).to_string(), hour);
}
