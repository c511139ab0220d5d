//! Windows that are none of the report's own: whoever types what a command calls one means that one.

use definition::Window;
use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{Answer, Server, arn};
use crate::status::NAME;
use crate::{cxr, done};

#[tokio::test]
async fn what_a_window_off_the_grid_is_called_means_it_when_it_is_typed_back() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    for date in ["2026-05-31", "2026-06-03"] {
        report.deliver(day(date)).await;
    }
    let at = "2026-06-04T05:30:00Z";
    for (first, last, end, name) in [
        ("2026-06-01", "2026-06-02", "T00:00:00Z", "two-days"),
        ("2026-06-04", "2026-06-04", "T06:00:00Z", "hours"),
    ] {
        let end = match end {
            "T00:00:00Z" => day(last).end(),
            end => format!("{last}{end}").parse().unwrap(),
        };
        let window = Window::new(day(first).start(), end).unwrap();
        report
            .open(window, 1, json!({"execution": arn(name)}))
            .await;
        let event = json!({"time": at, "detail": {"definition": definition("acme", NAME), "window": window}});
        let failed: Vec<Answer> = vec![Err(("Cxone.Auth", "refused"))];
        server.run(name, at, &event, failed).await;
    }
    server.wait_until("2026-06-04T12:00:00Z").await;
    let (_, status) = cxr(&server, &["status", "daily"]).await;
    for (label, name) in [
        ("2026-06-01/2026-06-03", "two-days"),
        ("2026-06-04T00:00:00Z/2026-06-04T06:00:00Z", "hours"),
    ] {
        let line = format!("cxr retry daily-agent-performance {label} --watch");
        assert!(status.contains(&line), "{status}");
        let shown = done(&server, &["show", "daily", label, "--json"]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["windows"].as_array().unwrap().len(), 1);
        assert_eq!(shown["windows"][0]["label"], label);
        let shown = done(&server, &["show", name]).await;
        assert!(shown.contains(&format!(" {label} --watch")), "{shown}");
        let out = done(&server, &["retry", "daily", label]).await;
        assert!(out.starts_with(&format!("redriven: {name}\n")), "{out}");
    }
    // Days that nobody asked for as one window are still the days.
    let out = done(
        &server,
        &["retry", "daily", "2026-06-05/2026-06-07", "--dry-run"],
    )
    .await;
    for date in ["2026-06-05", "2026-06-06"] {
        assert!(out.contains(&format!("  {date}  ")), "{out}");
    }
}
