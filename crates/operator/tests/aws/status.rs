//! What is known of every window: `cxr status`, `calendar` and `show REPORT WINDOW`.

use operator::CommandError;
use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{Answer, BUCKET, Server, arn};
use crate::{AUTH, NOW, cxr, done};

pub(crate) const NAME: &str = "Daily Agent Performance";

/// Twenty-one days: two that nobody asked for, one failed, one failed before anything was stored, one running, one restated, one
/// withdrawn, one worth a look.
async fn fill(server: &Server) {
    let report = Report::new(server, &definition("acme", NAME));
    for date in dates("2026-05-20", 21) {
        let window = day(&date);
        match date.as_str() {
            "2026-05-25" | "2026-05-26" | "2026-06-09" => {}
            "2026-06-01" => {
                report
                    .open(window, 1, json!({"execution": arn("bad")}))
                    .await;
                report.run(window, "bad", Some("failed")).await;
            }
            "2026-06-03" => {
                report
                    .open(window, 1, json!({"execution": arn("busy")}))
                    .await;
            }
            "2026-06-02" => {
                report.deliver(window).await;
                let why = json!({"withdrawn": true, "reason": "twice", "requestedBy": "ana"});
                report.open(window, 2, why.clone()).await;
                report.commit(window, 2, 0, why).await;
            }
            "2026-06-05" => {
                report.deliver(window).await;
                let why = json!({"wish": "again", "reason": "late data", "requestedBy": "ana"});
                report.open(window, 2, why).await;
                let why = json!({"reason": "late data", "requestedBy": "ana"});
                report.commit(window, 2, 2_004, why).await;
            }
            "2026-06-07" => {
                report.open(window, 1, json!({})).await;
                let warnings = ["no row has \"avgHandleTime\""];
                report
                    .commit(window, 1, 1_600, json!({"warnings": warnings}))
                    .await;
            }
            _ => report.deliver(window).await,
        }
    }
    let weekly = weekly();
    let weekly = Report::new(server, &weekly);
    for week in [
        "20260518T000000Z-20260525T000000Z",
        "20260525T000000Z-20260601T000000Z",
        "20260601T000000Z-20260608T000000Z",
    ] {
        weekly.deliver(week.parse().unwrap()).await;
    }
}

fn weekly() -> Value {
    let mut weekly = definition("acme", "Weekly Agents");
    weekly["schedule"] = json!({"type": "weekly", "time": "06:00", "timezone": "UTC"});
    weekly["report"]["dateRange"]["value"] = json!("previousWeek");
    weekly
}

pub(crate) fn dates(first: &str, count: i64) -> Vec<String> {
    let first: jiff::civil::Date = first.parse().unwrap();
    let days = (0..count).map(|days| first + jiff::Span::new().days(days));
    days.map(|date| date.to_string()).collect()
}

/// The executions that belong to it.
async fn play(server: &Server) {
    let event = |time: &str, name: &str| {
        let definition = definition("acme", name);
        json!({"time": time, "detail": {"definition": definition}})
    };
    let auth: Vec<Answer> = vec![Err(("Cxone.Auth", AUTH))];
    // One of a window that is mended since, and one that only asked whether the window is there.
    let at = "2026-05-22T05:30:00Z";
    let mended = event(at, NAME);
    server.run("mended", at, &mended, auth.clone()).await;
    let at = "2026-06-02T05:30:00Z";
    server.run("bad", at, &event(at, NAME), auth).await;
    let mut typo = event("2026-06-10T05:30:00Z", NAME);
    typo["detail"]["definition"]["report"]["metrics"][0] = json!("handelTime");
    let config = ("Cxone.Config", "\"handelTime\" is not a metric");
    let at = "2026-06-10T05:30:00Z";
    server.run("typo", at, &typo, vec![Err(config)]).await;
    let mut expect = event("2026-06-10T08:30:00Z", NAME);
    expect["detail"]["expect"] = json!("delivered");
    let overdue = ("Cxone.Overdue", "it is not delivered");
    let at = "2026-06-10T08:30:00Z";
    server.run("expect", at, &expect, vec![Err(overdue)]).await;
    server.wait_until(NOW).await;
    // Time stands still while an execution is not answered.
    let asked = event("2026-06-04T05:30:00Z", NAME);
    server.begin("busy", &asked);
}

pub(crate) async fn scene() -> Server {
    let server = Server::start().await;
    fill(&server).await;
    play(&server).await;
    server
}

#[tokio::test]
async fn every_window_that_is_not_there_is_told_with_its_reason_and_the_line_to_copy() {
    let server = scene().await;
    let out = done(&server, &["status"]).await;
    assert_eq!(out, include_str!("../data/status.txt"), "{out}");
    let (result, again) = cxr(&server, &["status", "--check"]).await;
    assert_eq!(
        (result.unwrap(), again),
        (5, out),
        "looked, and not all is well"
    );
}

#[tokio::test]
async fn a_report_with_nothing_missing_is_well_unless_warnings_are_denied() {
    let server = scene().await;
    let (result, out) = cxr(&server, &["status", "weekly", "--check"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    let since = ["--since", "2026-06-05"];
    let check = [&["status", "daily", "--check"], &since[..]].concat();
    let (result, out) = cxr(&server, &check).await;
    assert_eq!(result.unwrap(), 5, "the typo: {out}");
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    let warned = json!({"warnings": ["look"]});
    for date in ["2026-06-08", "2026-06-09"] {
        report.open(day(date), 1, json!({})).await;
        report.commit(day(date), 1, 7, warned.clone()).await;
    }
    let (result, out) = cxr(&server, &["status", "--check"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    let (result, _) = cxr(&server, &["status", "--check", "--deny-warnings"]).await;
    assert_eq!(result.unwrap(), 5);
}

#[tokio::test]
async fn a_calendar_has_a_sign_for_each_day() {
    let server = scene().await;
    let out = done(&server, &["calendar"]).await;
    assert_eq!(out, include_str!("../data/calendar.txt"), "{out}");
    let out = done(&server, &["calendar", "daily", "--ascii", "--months", "1"]).await;
    assert!(
        out.is_ascii() && out.contains("2026-06  x  -  >  #  2  #  !  #  x\n"),
        "{out}"
    );
    let out = done(&server, &["calendar", "daily", "--format", "json"]).await;
    let calendar: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(calendar["reports"][0]["days"]["2026-05-25"], "missing");
}

/// The page is looked at in a browser; here only that it says the same, needs nothing else and shows texts as they are.
#[tokio::test]
async fn the_page_says_the_same_and_needs_nothing_else() {
    let server = scene().await;
    let hostile = Report::new(&server, &definition("acme", "<b>Zoë's & co\"</b>"));
    let warnings = json!({"warnings": ["<script>alert(1)</script>"]});
    hostile.open(day("2026-06-09"), 1, json!({})).await;
    hostile.commit(day("2026-06-09"), 1, 3, warnings).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status.html");
    done(&server, &["status", "--html", file.to_str().unwrap()]).await;
    let page = std::fs::read_to_string(&file).unwrap();
    for told in [
        "2 of 3 reports complete",
        "2026-05-25..2026-05-26</b> missing",
        "<pre>cxr retry daily-agent-performance 2026-06-01 --watch</pre>",
        "&lt;b&gt;Zoë&#39;s &amp; co&quot;&lt;/b&gt;",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "title=\"2026-06-07: look at it\"",
        "2026-06-05: 2,004 rows",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    for never in [
        "<script", "<b>Zoë", "src=", "href=", "http://", "https://", "@import", "url(",
    ] {
        assert!(!page.contains(never), "{never}: {page}");
    }
    let nowhere = folder.path().join("none/status.html");
    let args = ["status", "--html", nowhere.to_str().unwrap()];
    let error = cxr(&server, &args).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO029", 2));
}

/// After 90 days, or a restart of what runs locally, no execution is known.
#[tokio::test]
async fn without_executions_the_same_is_told_but_for_the_causes() {
    let server = Server::start().await;
    fill(&server).await;
    let out = done(&server, &["status", "daily", "--format", "json"]).await;
    let status: Value = serde_json::from_str(&out).unwrap();
    let report = &status["reports"][0];
    assert_eq!(
        (&report["due"], &report["delivered"]),
        (&json!(21), &json!(16))
    );
    let troubles: Vec<(&str, &Value)> = report["troubles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["kind"].as_str().unwrap(), &it["windows"]))
        .collect();
    assert_eq!(
        troubles,
        [
            ("missing", &json!(["2026-05-25..2026-05-26", "2026-06-09"])),
            ("unfinished", &json!(["2026-06-01"])),
            ("unfinished", &json!(["2026-06-03"])),
            ("look", &json!(["2026-06-07"])),
        ]
    );
    assert!(out.contains("its last run ended, because"), "{out}");
    assert_eq!(status["isComplete"], false);
}

/// The definition is known from the last window that was asked for, however long ago that was.
#[tokio::test]
async fn a_report_of_which_nothing_was_ever_committed_is_told_too() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.open(day("2026-03-01"), 1, json!({})).await;
    let shown = done(&server, &["show", "daily", "2026-03-01"]).await;
    assert!(shown.contains("state      unfinished"), "{shown}");
    let (result, out) = cxr(&server, &["status", "--check", "--since", "2d"]).await;
    assert_eq!(result.unwrap(), 5, "{out}");
    assert!(out.contains("2026-06-09   missing"), "{out}");
}

/// A monitor with a wrong prefix is never well, and says where it looked.
#[tokio::test]
async fn where_there_is_no_report_nothing_is_well() {
    let server = scene().await;
    let elsewhere = ["--bucket", BUCKET, "--prefix", "elsewhere"];
    // The right prefix looks like a tenant then, and the tenants like reports.
    let without = ["--bucket", BUCKET];
    for (args, code) in [
        (&["status"][..], 0),
        (&["status", "--check"], 5),
        (&["calendar"], 0),
    ] {
        let places = [
            (&elsewhere[..], "elsewhere/"),
            (&elsewhere[2..], "elsewhere/"),
            (&without, ""),
        ];
        for (place, folder) in places {
            let (result, out) = cxr(&server, &[args, place].concat()).await;
            assert_eq!(result.unwrap(), code, "{args:?}");
            let told = format!(
                "nothing was ever asked for: s3://{BUCKET}/{folder} holds no report; cxr list --failed "
            );
            assert!(out.starts_with(&told), "{args:?}: {out}");
        }
    }
}

#[tokio::test]
async fn a_window_is_shown_with_its_commits_its_requests_and_its_runs() {
    let server = scene().await;
    let mut shown = String::new();
    for window in ["2026-06-05", "2026-06-01", "2026-05-25", "2026-06-02"] {
        shown.push_str(&done(&server, &["show", "daily", window]).await);
        shown.push('\n');
    }
    assert_eq!(shown, include_str!("../data/show-window.txt"), "{shown}");
    for (window, state, has_line) in [
        ("2026-06-10", "missing, and not due yet", false),
        (
            "2026-05-01",
            "missing, and before the first window of the report",
            true,
        ),
    ] {
        let out = done(&server, &["show", "daily", window]).await;
        assert!(out.contains(&format!("state      {state}\n")), "{out}");
        assert_eq!(out.contains("cxr retry daily"), has_line, "{out}");
    }
    let looked_at = done(&server, &["show", "daily", "2026-06-07"]).await;
    assert!(looked_at.contains("why        no row has"), "{looked_at}");
    assert!(!looked_at.contains("to do"), "it is shown: {looked_at}");
    let none = done(&server, &["show", "weekly", "failed"]).await;
    assert_eq!(none, "there is no such window in the last 35 days\n");
    let failed = done(&server, &["show", "daily", "failed", "--format", "json"]).await;
    let failed: Value = serde_json::from_str(&failed).unwrap();
    let labels = failed["windows"].as_array().unwrap().iter();
    let labels: Vec<&str> = labels.map(|it| it["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["2026-06-01", "2026-06-09"]);
}

#[tokio::test]
async fn what_is_not_there_to_be_shown_says_what_is() {
    let server = scene().await;
    for (args, code, text) in [
        (
            &["show", "monthly", "yesterday"][..],
            "CXO024",
            "acme/daily-agent-performance, acme/weekly-agents",
        ),
        (
            &["show", "weekly", "2026-06-03"],
            "CXO026",
            "2026-06-01..2026-06-07",
        ),
        (&["show", "daily", "27.11.2026"], "CXO003", "2026-11-27"),
        (&["show", "2026-06-03"], "CXO027", "cxr show REPORT DAY"),
        (
            &["show", "2026-06-01..2026-06-03"],
            "CXO027",
            "cxr show REPORT DAY",
        ),
        (&["show", ""], "CXO027", "cxr show REPORT DAY"),
        (
            &["show", crate::states::MACHINE],
            "CXO027",
            "the state machine",
        ),
        (
            &["status", "dayly"],
            "CXO024",
            "acme/daily-agent-performance",
        ),
        (
            &["status", "--bucket", "other"],
            "CXO023",
            "there is no such bucket (NoSuchBucket)",
        ),
        (
            &["show", "dayly"],
            "CXO007",
            "cxr show REPORT DAY a window of a report",
        ),
    ] {
        let error: CommandError = cxr(&server, args).await.0.unwrap_err();
        assert_eq!(error.code(), code, "{args:?}: {error}");
        assert!(error.to_string().contains(text), "{args:?}: {error}");
    }
}
