use std::collections::{BTreeMap, BTreeSet};

use definition::{Definition, Window};
use delivery::documents::Commit;
use delivery::keys::ReportKeys;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::bucket::StoredGeneration;
use crate::history::ExecutionError;

fn definition() -> Definition {
    let text = include_str!("../../../../infra/reports/daily-agent-performance.json");
    let value: Value = serde_json::from_str(text).unwrap();
    Definition::from_value(&value).unwrap().definition
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Some days from one on.
fn days(first: &str, count: i64) -> Window {
    let start = time(&format!("{first}T00:00:00Z"));
    Window::new(start, start + SignedDuration::from_hours(24 * count)).unwrap()
}

fn commit(version: u64, window: Window, change: &[(&str, Value)]) -> Commit {
    let mut commit = json!({
        "v": 1, "version": version, "report": "r", "tenant": "acme", "window": window, "generation": 1,
        "definitionHash": "", "runs": [], "rows": 5, "unique": 5, "duplicates": 0, "replaced": 0, "empty": false,
        "verification": "total", "columns": [], "parts": [], "content": "", "supersedes": null, "unchanged": false,
        "committedAt": "2026-06-01T06:00:00Z",
    });
    for (name, value) in change {
        commit[*name] = value.clone();
    }
    serde_json::from_value(commit).unwrap()
}

fn report(commits: Vec<Commit>, asked: &[Window]) -> KnownReport {
    let definition = definition();
    KnownReport {
        keys: ReportKeys::new("p", &definition.pipeline.tenant, &definition.name),
        definition: Some(definition),
        unstored_name: None,
        commits,
        asked: asked.to_vec(),
        pending: BTreeMap::new(),
        lost: BTreeSet::new(),
    }
}

fn generation(window: Window, number: u32, withdrawn: bool) -> StoredGeneration {
    let opening = json!({
        "v": 1, "wish": "schedule", "execution": "arn:x:1", "openedAt": "2026-06-01T05:30:00Z", "window": window,
        "baseVersion": 0, "definitionHash": "", "definition": definition(), "withdrawn": withdrawn,
    });
    StoredGeneration {
        number,
        opening: serde_json::from_value(opening).unwrap(),
        runs: Vec::new(),
    }
}

fn attempt(window: Window, name: &str, stopped_at: Option<&str>) -> Attempt {
    Attempt {
        execution: format!("arn:x:{name}"),
        report: ReportKeys::new("p", &"acme".parse().unwrap(), &"r".parse().unwrap()),
        window,
        is_running: stopped_at.is_none(),
        started_at: time("2026-06-01T05:30:00Z"),
        stopped_at: stopped_at.map(time),
        error: stopped_at.map(|_| ExecutionError {
            error: "Cxone.Auth".to_owned(),
            cause: "refused".to_owned(),
        }),
        is_redrivable: true,
    }
}

/// Days and states, and in brackets those that are not due.
fn told(report: &KnownReport, attempts: &[Attempt], since: &str, now: &str) -> Vec<String> {
    let span = Span {
        since: time(since),
        now: time(now),
    };
    let judged = judge_windows(report, attempts, span);
    let told = judged.iter().map(|one| {
        let label = label_window(&one.window, &WindowNaming::new(None));
        let text = format!("{label} {}", one.state.as_str());
        if one.is_due {
            text
        } else {
            format!("({text})")
        }
    });
    told.collect()
}

const MAY: &str = "2026-05-01T00:00:00Z";

/// From the first of May on.
fn span(now: &str) -> Span {
    Span {
        since: time(MAY),
        now: time(now),
    }
}

fn telling() -> Telling {
    Telling {
        address: "daily".to_owned(),
        naming: WindowNaming::new(None),
        api: None,
    }
}

#[test]
fn a_window_is_due_when_its_schedule_would_ask_whether_it_came() {
    let report = report(vec![commit(1, days("2026-06-01", 1), &[])], &[]);
    let of = |now| told(&report, &[], MAY, now);
    // The schedule's time is 05:30 on the next day, and three hours later it is expected.
    assert_eq!(of("2026-06-03T08:29:59Z"), ["2026-06-01 committed"]);
    let both = ["2026-06-01 committed", "2026-06-02 missing"];
    assert_eq!(of("2026-06-03T08:30:00Z"), both);
    // Nothing is expected of the time before the first window, nor before what is looked at.
    let later = told(&report, &[], "2026-06-02T00:00:00Z", "2026-06-04T09:00:00Z");
    assert_eq!(later, ["2026-06-02 missing", "2026-06-03 missing"]);
}

#[test]
fn what_consumers_hold_decides_and_not_which_window_was_committed() {
    let (two, first) = (days("2026-06-01", 2), days("2026-06-01", 1));
    let now = "2026-06-03T09:00:00Z";
    let covered = report(
        vec![commit(1, first, &[]), commit(2, two, &[])],
        &[first, two],
    );
    assert_eq!(
        told(&covered, &[], MAY, now),
        [
            "2026-06-01 committed",
            "(2026-06-01..2026-06-02 committed)",
            "2026-06-02 committed"
        ]
    );
    let withdrawn = commit(3, two, &[("withdrawn", json!(true))]);
    let mut taken_back = covered.clone();
    taken_back.commits.push(withdrawn);
    assert!(told(&taken_back, &[], MAY, now)[0].ends_with("withdrawn"));
    // Somebody asked again since.
    let asked_again = vec![generation(first, 1, false), generation(first, 2, false)];
    taken_back.pending.insert(first, asked_again);
    assert!(told(&taken_back, &[], MAY, now)[0].ends_with("unfinished"));
    taken_back
        .pending
        .insert(first, vec![generation(first, 2, true)]);
    assert!(told(&taken_back, &[], MAY, now)[0].ends_with("withdrawn"));
}

#[test]
fn the_last_execution_says_how_a_window_is_that_is_not_committed() {
    let window = days("2026-06-01", 1);
    let mut report = report(Vec::new(), &[window]);
    report
        .pending
        .insert(window, vec![generation(window, 1, false)]);
    let early = attempt(window, "early", Some("2026-06-02T05:31:00Z"));
    let late = attempt(window, "late", Some("2026-06-02T05:32:00Z"));
    let running = attempt(window, "running", None);
    let now = "2026-06-02T09:00:00Z";
    for (attempts, expected) in [
        (vec![], "2026-06-01 unfinished"),
        (vec![late.clone(), early.clone()], "2026-06-01 failed"),
        (vec![late.clone(), running], "2026-06-01 running"),
    ] {
        assert_eq!(told(&report, &attempts, MAY, now), [expected]);
    }
    let last = [early, late];
    assert_eq!(Attempt::last(last.iter()).unwrap().execution, "arn:x:late");
    // One that failed is told before its window is due, and although nothing is stored of it.
    report.pending.clear();
    report.asked.clear();
    let before = told(&report, &last, MAY, "2026-06-02T05:33:00Z");
    assert_eq!(before, ["(2026-06-01 failed)"]);
}

#[test]
fn like_troubles_are_told_together_as_ranges() {
    let warned = [("warnings", json!(["look"]))];
    let commits = [1, 4, 6, 9].map(|date| {
        let window = days(&format!("2026-06-{date:02}"), 1);
        commit(1, window, if date == 6 { &warned } else { &[] })
    });
    let report = report(commits.to_vec(), &[]);
    let failed = attempt(days("2026-06-08", 1), "bad", Some("2026-06-09T05:31:00Z"));
    let span = span("2026-06-10T12:00:00Z");
    let troubles = find_troubles(&telling(), &judge_windows(&report, &[failed], span));
    let told: Vec<String> = troubles
        .iter()
        .map(|it| {
            format!(
                "{} {}: {}",
                it.count,
                it.kind.as_str(),
                it.windows.join(", ")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "4 missing: 2026-06-02..2026-06-03, 2026-06-05, 2026-06-07",
            "1 failed: 2026-06-08",
            "1 to look at: 2026-06-06"
        ]
    );
    assert_eq!(troubles[1].reason, "Cxone.Auth: refused");
    assert_eq!(troubles[2].commands, ["cxr show daily 2026-06-06"]);
    let backfill = "cxr backfill daily 2026-06-02..2026-06-07 --watch";
    assert_eq!(troubles[0].commands, [backfill]);
}

#[test]
fn a_warning_of_time_that_nobody_asked_for_goes_once_somebody_did() {
    let gap = |first: &Window, last: &Window| json!([{"start": first.start(), "end": last.end()}]);
    let warned = |gaps: Value| {
        let warnings = json!(["not asked for yet: some time", "look"]);
        [("warnings", warnings), ("gaps", gaps)]
    };
    let (first, second, third) = (
        days("2026-06-01", 1),
        days("2026-06-02", 1),
        days("2026-06-03", 1),
    );
    let now = "2026-06-04T09:00:00Z";
    let warnings_of = |report: &KnownReport| {
        let judged = judge_windows(report, &[], span(now));
        let last = judged.iter().find(|it| it.window == third).unwrap();
        last.held().unwrap().warnings.clone()
    };
    let commits = vec![
        commit(1, first, &[]),
        commit(2, third, &warned(gap(&second, &second))),
    ];
    // The day is due, and told as missing.
    let mut report = report(commits, &[]);
    assert_eq!(warnings_of(&report), ["look"]);
    report.commits.push(commit(3, second, &[]));
    assert_eq!(warnings_of(&report), ["look"]);
    // Five hours that are no window of the report stay, until they were asked for.
    let start = second.start();
    let hours = Window::new(start, start + SignedDuration::from_hours(5)).unwrap();
    report.commits = vec![commit(2, third, &warned(gap(&hours, &hours)))];
    assert_eq!(
        warnings_of(&report),
        ["not asked for yet: some time", "look"]
    );
    report.asked.push(hours);
    assert_eq!(warnings_of(&report), ["look"]);
}

#[test]
fn what_helps_depends_on_how_much_is_stored() {
    use StoredSoFar::{Nothing, Report, Window};
    for (error, stored, redrivable, remedy) in [
        ("Cxone.Config", Nothing, true, Remedy::FirstDefinition),
        ("Cxone.Config", Report, true, Remedy::Run),
        ("Cxone.Config", Window, true, Remedy::Replay),
        ("Cxone.Conflict", Window, true, Remedy::Replay),
        ("Cxone.Auth", Nothing, true, Remedy::Redrive),
        ("Cxone.Auth", Nothing, false, Remedy::Run),
        ("States.Runtime", Window, true, Remedy::Run),
        ("cxr.Cancelled", Window, true, Remedy::Run),
        ("cxr.Cancelled", Report, true, Remedy::Redrive),
    ] {
        let found = Remedy::after_failure(Some(error), stored, redrivable);
        assert_eq!(found, remedy, "{error} {stored:?} {redrivable}");
    }
}

#[test]
fn after_a_refused_definition_of_the_schedule_the_line_that_compares_it_follows() {
    let window = days("2026-06-02", 1);
    let mut typo = attempt(window, "typo", Some("2026-06-03T05:31:00Z"));
    typo.error = Some(ExecutionError {
        error: "Cxone.Config".to_owned(),
        cause: "refused".to_owned(),
    });
    let of = |report: &KnownReport, attempt: Attempt| {
        let judged = judge_windows(report, &[attempt], span("2026-06-03T09:00:00Z"));
        let troubles = find_troubles(&telling(), &judged);
        let failed = troubles.iter().find(|it| it.kind == TroubleKind::Failed);
        failed.unwrap().clone()
    };
    let stored = report(vec![commit(1, days("2026-06-01", 1), &[])], &[]);
    let told = of(&stored, typo.clone());
    assert_eq!(
        told.commands,
        [
            "cxr retry daily 2026-06-02 --watch",
            "cxr drift DIR --check"
        ]
    );
    let definition = definition();
    let keys = ReportKeys::new("p", &definition.pipeline.tenant, &definition.name);
    let unstored = KnownReport::unstored(keys, "r".to_owned(), None);
    let told = of(&unstored, typo);
    let line = "cxr replay FILE --window 2026-06-02 --reason TEXT";
    assert_eq!(told.commands, [line]);
    assert!(!told.is_retried());
    // What Lambda says is no hint.
    let mut crowded = attempt(window, "crowd", Some("2026-06-03T05:31:00Z"));
    crowded.error = Some(ExecutionError {
        error: "Lambda.TooManyRequestsException".to_owned(),
        cause: "rate exceeded".to_owned(),
    });
    let told = of(&stored, crowded);
    let begin = "Lambda.TooManyRequestsException: rate exceeded. Wait until fewer functions run";
    assert!(told.reason.starts_with(begin), "{}", told.reason);
    assert_eq!(told.describe_time(), " 2026-06-03 05:31");
}

#[test]
fn many_windows_are_asked_for_by_a_backfill_and_a_few_by_a_retry() {
    let report = report(vec![commit(1, days("2026-06-01", 1), &[])], &[]);
    for (now, line) in [
        (
            "2026-06-09T09:00:00Z",
            "cxr retry daily 2026-06-02..2026-06-08 --watch",
        ),
        (
            "2026-06-10T09:00:00Z",
            "cxr backfill daily 2026-06-02..2026-06-09 --watch",
        ),
    ] {
        let troubles = find_troubles(&telling(), &judge_windows(&report, &[], span(now)));
        assert_eq!(troubles[0].commands, [line]);
    }
}

#[test]
fn a_window_of_which_a_part_is_gone_is_neither_there_nor_asked_for_again() {
    let commits = [1, 2].map(|date| commit(date, days(&format!("2026-06-0{date}"), 1), &[]));
    let mut report = report(commits.to_vec(), &[]);
    report.lost.insert(2);
    let judged = judge_windows(&report, &[], span("2026-06-03T09:00:00Z"));
    let there: Vec<bool> = judged.iter().map(Judged::is_there).collect();
    assert_eq!(there, [true, false]);
    assert_eq!(Remedy::of(&judged[1]), Remedy::Nothing);
    let troubles = find_troubles(&telling(), &judged);
    assert!(troubles[0].kind.is_absence() && troubles.len() == 1);
    let lines = [
        "cxr replay daily 2026-06-02 --reason TEXT --watch",
        "cxr verify daily 2026-06-02",
    ];
    assert_eq!(troubles[0].commands, lines);
}

#[test]
fn a_window_that_is_none_of_the_reports_own_is_called_by_its_start_and_end() {
    let naming = WindowNaming::new(Some(&definition()));
    let hours = |from: &str, to: &str| Window::new(time(from), time(to)).unwrap();
    for (window, label) in [
        (days("2026-06-01", 1), "2026-06-01"),
        (days("2026-06-01", 2), "2026-06-01/2026-06-03"),
        (days("2026-06-01", 30), "2026-06-01/2026-07-01"),
        (
            hours("2026-06-01T06:00:00Z", "2026-06-01T12:00:00Z"),
            "2026-06-01T06:00:00Z/2026-06-01T12:00:00Z",
        ),
    ] {
        assert_eq!(label_window(&window, &naming), label);
    }
}
