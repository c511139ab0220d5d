//! Which windows a schedule has: zones, hours, restatements, and when they are final.

use definition::{Definition, RestateDistance, Window};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{absolute, good, lines, put};

/// A daily report of contacts, which any window can be asked of.
fn contacts() -> Value {
    json!({
        "name": "Contacts", "schedule": { "type": "daily", "time": "10:00", "timezone": "UTC" },
        "report": { "apiVersion": 34, "dateRange": { "type": "relative", "value": "previousDay" } },
        "delivery": { "type": "api" }, "pipeline": { "tenant": "acme", "api": "contacts" }
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut value = contacts();
    for (pointer, change) in changes {
        put(&mut value, pointer, change);
    }
    value
}

fn read(changes: &[(&str, Value)]) -> Definition {
    Definition::from_value(&with(changes)).unwrap().definition
}

fn said(changes: &[(&str, Value)]) -> String {
    lines(with(changes).to_string())
}

fn in_zone(zone: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("/pipeline/windowZone", json!(zone)),
        ("/pipeline/settledAfter", json!("PT2H")),
    ]
}

fn hourly(hours: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("/schedule/type", json!("hourly")),
        ("/schedule/everyHours", json!(hours)),
        ("/schedule/time", json!("00:50")),
        ("/report/dateRange/value", json!("previousHours")),
    ]
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_day_reaches_from_local_midnight_to_local_midnight() {
    for (zone, scheduled, key) in [
        (
            "America/New_York",
            "2026-11-22T10:00:00Z",
            "20261121T050000Z-20261122T050000Z",
        ),
        // Clocks go back: 25 hours. Clocks go forward: 23.
        (
            "America/New_York",
            "2026-11-02T10:00:00Z",
            "20261101T040000Z-20261102T050000Z",
        ),
        (
            "America/New_York",
            "2026-03-09T10:00:00Z",
            "20260308T050000Z-20260309T040000Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-26T10:00:00Z",
            "20261024T220000Z-20261025T230000Z",
        ),
        (
            "Asia/Kolkata",
            "2026-11-22T10:00:00Z",
            "20261120T183000Z-20261121T183000Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05T20:00:00Z",
            "20260404T130000Z-20260405T133000Z",
        ),
        // Midnight does not exist: the day begins at one o'clock.
        (
            "Africa/Cairo",
            "2026-04-25T10:00:00Z",
            "20260423T220000Z-20260424T210000Z",
        ),
        (
            "America/Santiago",
            "2026-09-07T10:00:00Z",
            "20260906T040000Z-20260907T030000Z",
        ),
        // Midnight is shown twice: the day is as long as both.
        (
            "America/Havana",
            "2024-11-04T10:00:00Z",
            "20241103T040000Z-20241104T050000Z",
        ),
        // A date that there was not.
        (
            "Pacific/Apia",
            "2011-12-30T11:00:00Z",
            "20111229T100000Z-20111230T100000Z",
        ),
        (
            "UTC",
            "2026-11-22T10:00:00Z",
            "20261121T000000Z-20261122T000000Z",
        ),
    ] {
        let definition = read(&in_zone(zone));
        let window = definition.window_for(at(scheduled)).unwrap();
        assert_eq!(window.key(), key, "{zone} {scheduled}");
        assert!(definition.is_on_grid(&window));
    }
}

#[test]
fn weeks_and_months_are_local_too_and_a_long_month_fits() {
    for (kind, value, scheduled, key) in [
        (
            "weekly",
            "previousWeek",
            "2026-11-02T10:00:00Z",
            "20261025T230000Z-20261101T230000Z",
        ),
        (
            "monthly",
            "previousMonth",
            "2026-11-01T10:00:00Z",
            "20260930T220000Z-20261031T230000Z",
        ),
    ] {
        let mut changes = in_zone("Europe/Berlin");
        changes.push(("/schedule/type", json!(kind)));
        changes.push(("/report/dateRange/value", json!(value)));
        let window = read(&changes).window_for(at(scheduled)).unwrap();
        assert_eq!(window.key(), key);
        let read: Window = key.parse().unwrap();
        assert_eq!(read, window);
    }
}

#[test]
fn the_windows_of_a_schedule_follow_one_another_over_years() {
    for zone in [
        "America/New_York",
        "Europe/Lisbon",
        "America/Havana",
        "Africa/Casablanca",
        "Pacific/Chatham",
        "UTC",
    ] {
        let mut changes = in_zone(zone);
        changes.push(("/schedule/time", json!("13:00")));
        let definition = read(&changes);
        let mut scheduled = at("2026-01-01T13:00:00Z");
        let mut before = definition.window_for(scheduled).unwrap();
        for _ in 0..1_200 {
            scheduled += SignedDuration::from_hours(24);
            let window = definition.window_for(scheduled).unwrap();
            assert_eq!(window.start(), before.end(), "{zone} {scheduled}");
            assert!(
                (23..=25).contains(&window.duration().as_hours()),
                "{zone} {window}"
            );
            before = window;
        }
    }
}

#[test]
fn a_window_off_the_grid_is_known_and_so_are_those_that_it_touches() {
    let daily = read(&in_zone("America/New_York"));
    let keys = |definition: &Definition, key: &str| {
        let (first, last) = definition.own_windows_at(&key.parse().unwrap()).unwrap();
        let mut keys = vec![first.key(), last.key()];
        keys.dedup();
        keys
    };
    for (key, is_on) in [
        ("20261101T040000Z-20261102T050000Z", true),
        ("20261101T040000Z-20261102T040000Z", false),
        ("20261101T000000Z-20261102T000000Z", false),
        ("20261101T040000Z-20261103T050000Z", false),
    ] {
        assert_eq!(daily.is_on_grid(&key.parse().unwrap()), is_on, "{key}");
    }
    assert_eq!(
        keys(&daily, "20261101T000000Z-20261102T000000Z"),
        [
            "20261031T040000Z-20261101T040000Z",
            "20261101T040000Z-20261102T050000Z"
        ]
    );
    assert_eq!(
        keys(&read(&hourly(6)), "20261101T060000Z-20261101T130000Z"),
        [
            "20261101T060000Z-20261101T120000Z",
            "20261101T120000Z-20261101T180000Z"
        ]
    );
    let mut once = good();
    once["schedule"]["type"] = json!("once");
    once["report"]["dateRange"] = absolute("2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z");
    let once = Definition::from_value(&once).unwrap().definition;
    assert_eq!(
        keys(&once, "20261121T000000Z-20261122T000000Z"),
        ["20261121T000000Z-20261123T000000Z"]
    );
}

#[test]
fn hours_are_counted_from_midnight_in_utc_and_final_after_their_end() {
    for (hours, scheduled, key) in [
        (
            1,
            "2026-11-22T00:50:00Z",
            "20261121T230000Z-20261122T000000Z",
        ),
        (
            1,
            "2026-11-22T01:00:00Z",
            "20261122T000000Z-20261122T010000Z",
        ),
        (
            4,
            "2026-11-22T04:50:00Z",
            "20261122T000000Z-20261122T040000Z",
        ),
        (
            12,
            "2026-11-22T00:50:00Z",
            "20261121T120000Z-20261122T000000Z",
        ),
    ] {
        let definition = read(&hourly(hours));
        let window = definition.window_for(at(scheduled)).unwrap();
        assert_eq!(window.key(), key, "{hours} {scheduled}");
        let wait = definition.settled_at(&window).duration_since(window.end());
        assert_eq!(wait, SignedDuration::from_mins(45));
    }
    let hours: Vec<u8> = read(&hourly(8)).schedule.hours().collect();
    assert_eq!(hours, [0, 8, 16]);
    assert_eq!(read(&[]).schedule.hours().collect::<Vec<_>>(), [10]);
}

#[test]
fn an_hourly_report_of_the_guides_api_is_registered_as_the_guide_shows() {
    let mut value = good();
    value["schedule"] =
        json!({ "type": "hourly", "everyHours": 4, "time": "01:00", "timezone": "UTC" });
    value["report"]["dateRange"]["value"] = json!("previousHours");
    let refused = lines(value.to_string());
    assert!(
        refused.starts_with("error[CXD062] at /pipeline/settledAfter"),
        "{refused}"
    );
    value["pipeline"]["settledAfter"] = json!("PT1H");
    let definition = Definition::from_value(&value).unwrap().definition;
    let body: Value = serde_json::from_slice(&definition.registered_body()).unwrap();
    assert_eq!(
        body["schedule"],
        json!({ "type": "daily", "time": "01:00", "timezone": "UTC" })
    );
    assert_eq!(body["report"]["dateRange"]["value"], "previousDay");
    let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
    assert_eq!(again, definition);
}

#[test]
fn a_local_day_is_final_after_its_utc_day_or_so_long_after_its_end() {
    let day: Window = "20261121T050000Z-20261122T050000Z".parse().unwrap();
    for (field, value, settled) in [
        (
            "/pipeline/settledAfter",
            json!("PT2H"),
            "2026-11-22T07:00:00Z",
        ),
        (
            "/pipeline/settledAt",
            json!("05:00"),
            "2026-11-23T05:00:00Z",
        ),
        (
            "/pipeline/settledAt",
            json!("00:00"),
            "2026-11-23T00:00:00Z",
        ),
    ] {
        let zone = ("/pipeline/windowZone", json!("America/New_York"));
        let definition = read(&[zone, (field, value)]);
        assert_eq!(definition.settled_at(&day), at(settled));
    }
    let early = said(&[("/pipeline/windowZone", json!("America/New_York"))]);
    assert!(
        early.starts_with("warning[CXD021] at /schedule/time: scheduled at 10:00 UTC, 19 h before"),
        "{early}"
    );
    assert_eq!(said(&in_zone("America/New_York")), "");
}

/// To write the default down changes nothing.
#[test]
fn a_zone_that_is_utc_is_as_good_as_none() {
    let early = ("/schedule/time", json!("04:00"));
    let without = said(std::slice::from_ref(&early));
    assert!(
        without.starts_with("warning[CXD021] at /schedule/time"),
        "{without}"
    );
    for zone in ["UTC", "utc"] {
        let with = said(&[early.clone(), ("/pipeline/windowZone", json!(zone))]);
        assert_eq!(with, without, "{zone}");
    }
}

type Case = (&'static str, &'static str, Vec<(&'static str, Value)>);

/// The definition after the changes gives exactly this finding, except that more is said of an API that does not fit.
fn check(cases: Vec<Case>) {
    for (code, pointer, changes) in cases {
        let said = said(&changes);
        let expected = format!("{code} at {pointer}: ");
        let is_alone = said.lines().count() == 1 || code == "error[CXD057]";
        assert!(
            is_alone && said.contains(&expected),
            "expected {expected}, said:\n{said}"
        );
    }
}

fn and(
    mut changes: Vec<(&'static str, Value)>,
    pointer: &'static str,
    value: Value,
) -> Vec<(&'static str, Value)> {
    changes.push((pointer, value));
    changes
}

#[test]
fn hours_and_ranges_that_do_not_go_together_are_refused() {
    let (hours, range) = ("/schedule/everyHours", "/report/dateRange/value");
    let day = absolute("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
    let weekly = ("/schedule/type", json!("weekly"));
    check(vec![
        ("error[CXD004]", hours, and(hourly(1), hours, Value::Null)),
        ("error[CXD060]", hours, hourly(5)),
        ("error[CXD060]", hours, vec![(hours, json!(1))]),
        (
            "error[CXD060]",
            "/schedule/time",
            and(hourly(4), "/schedule/time", json!("04:50")),
        ),
        (
            "error[CXD060]",
            range,
            vec![(range, json!("previousHours"))],
        ),
        (
            "error[CXD064]",
            range,
            and(hourly(1), range, json!("previousDay")),
        ),
        (
            "error[CXD064]",
            range,
            vec![(range, json!("previousMonth"))],
        ),
        (
            "error[CXD064]",
            range,
            vec![weekly.clone(), (range, json!("previousMonth"))],
        ),
        ("warning[CXD027]", range, vec![weekly]),
        (
            "error[CXD022]",
            "/report/dateRange",
            and(hourly(1), "/report/dateRange", day),
        ),
    ]);
}

#[test]
fn a_time_at_which_no_window_can_be_final_or_meant_is_told() {
    let (after, at, time) = (
        "/pipeline/settledAfter",
        "/pipeline/settledAt",
        "/schedule/time",
    );
    let new_york = and(in_zone("America/New_York"), after, json!("PT10M"));
    check(vec![
        ("error[CXD062]", at, and(hourly(1), at, json!("05:00"))),
        (
            "warning[CXD021]",
            time,
            and(hourly(4), time, json!("00:30")),
        ),
        ("error[CXD062]", after, vec![(after, json!("P8D"))]),
        ("error[CXD062]", after, vec![(after, json!("45 minutes"))]),
        (
            "error[CXD062]",
            after,
            vec![(after, json!("PT1H")), (at, json!("05:00"))],
        ),
        ("error[CXD067]", time, and(new_york, time, json!("04:30"))),
        (
            "warning[CXD068]",
            time,
            and(in_zone("America/Los_Angeles"), time, json!("06:00")),
        ),
    ]);
}

#[test]
fn an_api_without_dates_has_no_zone_and_no_older_windows() {
    let (zone, restate, api, key) = (
        "/pipeline/windowZone",
        "/pipeline/restate",
        "/pipeline/api",
        "/pipeline/key",
    );
    let template = vec![
        (api, json!("report-jobs")),
        (key, json!(["Contact ID"])),
        ("/report/reportId", json!("4711")),
        ("/report/range", json!("template")),
    ];
    let report = json!({ "entityName": "qm-workflows", "entityVersion": "5",
        "dateRange": { "type": "relative", "value": "previousDay" } });
    let extraction = vec![
        (api, json!("data-extraction")),
        (key, json!(["contactId"])),
        ("/report", report),
    ];
    check(vec![
        (
            "error[CXD061]",
            zone,
            and(in_zone("UTC"), zone, json!("New York")),
        ),
        (
            "error[CXD057]",
            zone,
            and(hourly(1), zone, json!("Asia/Tokyo")),
        ),
        (
            "error[CXD057]",
            zone,
            and(template.clone(), zone, json!("Asia/Tokyo")),
        ),
        (
            "error[CXD057]",
            restate,
            and(template, restate, json!(["P1D"])),
        ),
        (
            "warning[CXD074]",
            api,
            [extraction, in_zone("America/New_York")].concat(),
        ),
    ]);
}

#[test]
fn distances_of_restatements_go_with_the_schedule() {
    let restate = "/pipeline/restate";
    let of = |list: &[&str]| vec![(restate, json!(list))];
    let monthly = vec![
        ("/schedule/type", json!("monthly")),
        ("/report/dateRange/value", json!("previousMonth")),
    ];
    let first = "/pipeline/restate/0";
    check(vec![
        ("error[CXD063]", first, of(&["PT6H"])),
        ("error[CXD063]", first, of(&["P91D"])),
        ("error[CXD063]", first, of(&["a week"])),
        ("error[CXD063]", "/pipeline/restate/1", of(&["P7D", "P1D"])),
        (
            "error[CXD063]",
            "/pipeline/restate/1",
            of(&["P1D", "PT24H"]),
        ),
        (
            "error[CXD063]",
            restate,
            of(&["P1D", "P2D", "P3D", "P4D", "P5D", "P6D"]),
        ),
        (
            "error[CXD063]",
            first,
            and(hourly(4), restate, json!(["PT6H"])),
        ),
        (
            "error[CXD063]",
            first,
            and(monthly, restate, json!(["P28D"])),
        ),
    ]);
}

#[test]
fn a_restatement_is_of_the_window_that_was_meant_so_long_ago() {
    let daily = read(&[
        ("/pipeline/restate", json!(["P1D", "P7D"])),
        ("/pipeline/settledAfter", json!("PT2H")),
    ]);
    let distances: Vec<String> = daily
        .restatements()
        .iter()
        .map(RestateDistance::to_string)
        .collect();
    assert_eq!(distances, ["P1D", "P7D"]);
    for (distance, key) in [
        ("P1D", "20261120T000000Z-20261121T000000Z"),
        ("P7D", "20261114T000000Z-20261115T000000Z"),
    ] {
        let window = daily.restated_window(at("2026-11-22T10:00:00Z"), distance.parse().unwrap());
        assert_eq!(window.unwrap().key(), key);
    }
    let mut changes = hourly(4);
    changes.push(("/pipeline/restate", json!(["PT8H", "PT24H"])));
    let hourly = read(&changes);
    let distances: Vec<String> = hourly
        .restatements()
        .iter()
        .map(RestateDistance::to_string)
        .collect();
    assert_eq!(distances, ["PT8H", "P1D"]);
    let again: Definition = serde_json::from_slice(&hourly.canonical_json()).unwrap();
    assert_eq!(again, hourly);
}

#[test]
fn an_article_and_a_duration_are_written_as_people_do() {
    let hourly = json!({ "type": "hourly", "everyHours": 4, "time": "00:50", "timezone": "UTC" });
    let text = said(&[("/schedule", hourly)]);
    assert!(text.contains("an hourly schedule"), "{text}");
    let early = said(&[
        ("/pipeline/windowZone", json!("America/New_York")),
        ("/schedule/time", json!("09:30")),
    ]);
    assert!(
        early.contains(", 19 h 30 min before its window is final"),
        "{early}"
    );
}

#[test]
fn a_window_is_expected_so_long_after_its_own_schedule_whatever_the_recurrence() {
    let recurring = |recurrence: &str, range: &str| {
        vec![
            ("/schedule/type", json!(recurrence)),
            ("/report/dateRange/value", json!(range)),
        ]
    };
    let zone = |name: &str| vec![("/pipeline/windowZone", json!(name))];
    let expected = "/pipeline/expectedBy";
    let early = ("/schedule/time", json!("01:00"));
    for (changes, hours) in [
        (vec![], 3),
        (vec![early.clone()], 7),
        (vec![early, (expected, json!("P2D"))], 48),
        (hourly(1), 3),
        (and(hourly(6), expected, json!("PT26H")), 26),
        (recurring("weekly", "previousWeek"), 3),
        (recurring("monthly", "previousMonth"), 3),
        (
            and(
                recurring("monthly", "previousMonth"),
                expected,
                json!("P7D"),
            ),
            168,
        ),
        (in_zone("America/New_York"), 3),
        // Days that end at 05:00 or 04:00 UTC are final at 05:00 of the day after.
        (zone("America/New_York"), 22),
        (zone("Asia/Tokyo"), 3),
    ] {
        let definition = read(&changes);
        assert_eq!(
            definition.expected_after(),
            SignedDuration::from_hours(hours),
            "{changes:?}"
        );
        for scheduled in [
            "2026-03-08T10:00:00Z",
            "2026-03-29T10:00:00Z",
            "2026-11-01T10:00:00Z",
            "2027-01-01T10:00:00Z",
        ] {
            let event = at(scheduled) + definition.expected_after();
            let window = definition.window_for(at(scheduled)).unwrap();
            assert_eq!(
                definition.expected_window(event),
                Ok(window),
                "{scheduled} {changes:?}"
            );
            assert!(
                definition.settled_at(&window) < event,
                "{scheduled} {changes:?}"
            );
        }
        let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
        assert_eq!(again, definition);
    }
    let once = read(&[
        ("/schedule/type", json!("once")),
        (
            "/report/dateRange",
            absolute("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ),
    ]);
    assert_eq!(once.expected_after(), SignedDuration::from_hours(3));
    assert_eq!(
        once.expected_window(at("2026-12-24T10:00:00Z")),
        once.window_for(at("2000-01-01T00:00:00Z"))
    );
}

#[test]
fn nothing_is_expected_before_it_can_be_there() {
    let expected = "/pipeline/expectedBy";
    let of = |text: &str| vec![(expected, json!(text))];
    let early = vec![("/schedule/time", json!("01:00"))];
    check(vec![
        ("error[CXD077]", expected, of("PT30S")),
        ("error[CXD077]", expected, of("P8D")),
        ("error[CXD077]", expected, of("11:00")),
        ("error[CXD077]", expected, of("-PT1H")),
        ("error[CXD005]", expected, vec![(expected, json!(180))]),
    ]);
    assert_eq!(said(&of("PT1M")), "");
    // A run at 01:00 waits until 05:00.
    for (after, refused) in [("PT4H", true), ("PT4H1M", false)] {
        let said = said(&and(early.clone(), expected, json!(after)));
        assert_eq!(said.contains("error[CXD077]"), refused, "{said}");
    }
}
