//! What the handlers logged: `cxr logs`.

use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{HANDLERS, Server, arn};
use crate::status::NAME;
use crate::{AUTH, cxr, done, input, make_context, run_on_machine};

const DAY: &str = "2026-06-08";

/// A line of a handler about the day, with some fields of its own.
fn line(execution: &str, level: &str, message: &str, more: &Value) -> Value {
    let mut line = json!({
        "timestamp": "2026-06-09T05:30:00.000Z", "level": level, "message": message, "handler": "", "state": "",
        "execution": arn(execution), "report": NAME, "tenant": "acme",
        "window": "2026-06-08T00:00:00Z/2026-06-09T00:00:00Z", "run": null, "requestId": "req-1",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    line
}

/// A day that failed, with an error of every handler, and what others wrote meanwhile.
async fn failed_day() -> Server {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report
        .open(day(DAY), 1, json!({"execution": arn("bad")}))
        .await;
    let mut asked = input();
    asked["detail"]["definition"] = definition("acme", NAME);
    let refused = vec![Err(("Cxone.Auth", AUTH))];
    server
        .run("bad", "2026-06-09T05:31:00Z", &asked, refused)
        .await;
    for (minute, handler) in HANDLERS.iter().enumerate() {
        let at = |second: u8| format!("2026-06-09T05:{}:{second:02}Z", 31 + minute);
        let write = |second, level, message: &str, more: &Value| {
            let mut line = line("bad", level, message, more);
            line["handler"] = json!(handler);
            server.log(handler, &at(second), &line);
        };
        write(
            1,
            "INFO",
            "looked at the run",
            &json!({"page.count": 3, "run": "run-70"}),
        );
        write(3, "ERROR", "Cxone.Auth: refused\nagain", &json!({}));
        write(2, "WARN", "the answer was late", &json!({}));
        write(4, "ERROR", "of another report", &json!({"report": "Other"}));
        write(
            4,
            "ERROR",
            "of another tenant",
            &json!({"tenant": "beta", "execution": arn("beta")}),
        );
        write(
            4,
            "ERROR",
            "of another day",
            &json!({"window": "x", "execution": arn("other")}),
        );
        server.log(
            handler,
            &at(5),
            &json!({"_aws": {}, "tenant": "acme", "Pages": 1}),
        );
    }
    server
}

#[tokio::test]
async fn the_groups_of_all_handlers_are_one_story() {
    let server = failed_day().await;
    let out = done(&server, &["logs", "daily-agent", DAY]).await;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 18, "{out}");
    assert_eq!(
        lines[..4],
        [
            "2026-06-09 05:31:01  trigger     INFO   looked at the run  page.count=3  run=run-70",
            "2026-06-09 05:31:02  trigger     WARN   the answer was late",
            "2026-06-09 05:31:03  trigger     ERROR  Cxone.Auth: refused again  request=req-1",
            "2026-06-09 05:32:01  poll-once   INFO   looked at the run  page.count=3  run=run-70",
        ]
    );
    for handler in HANDLERS {
        let error = format!("  {handler:<10}  ERROR  Cxone.Auth");
        assert_eq!(out.matches(&error).count(), 1, "{handler}: {out}");
    }
    // The same by the execution, whose other report's lines are its own.
    let by_execution = done(&server, &["logs", "bad", "--level", "error"]).await;
    assert_eq!(by_execution.lines().count(), 12, "{by_execution}");
}

#[tokio::test]
async fn a_story_is_cut_down_to_a_level_and_a_handler() {
    let server = failed_day().await;
    let level = done(&server, &["logs", NAME, DAY, "--level", "warn"]).await;
    assert_eq!(level.lines().count(), 12, "{level}");
    let asked = server.count("FilterLogEvents");
    let handler = done(&server, &["logs", NAME, DAY, "--handler", "cancel"]).await;
    assert_eq!(handler.lines().count(), 3, "{handler}");
    assert_eq!(server.count("FilterLogEvents"), asked + 1);
    let json = done(
        &server,
        &["logs", NAME, DAY, "--level", "error", "--format", "json"],
    )
    .await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["about"], "daily-agent-performance 2026-06-08");
    assert_eq!(json["lines"].as_array().unwrap().len(), 6);
    assert_eq!(json["lines"][0]["requestId"], "req-1");
    assert_eq!(json["lines"][0]["fields"], json!({}));
    assert_eq!(json["isCut"], false);
}

#[tokio::test]
async fn nothing_found_is_said_and_is_not_well() {
    let server = failed_day().await;
    let (code, out) = cxr(&server, &["logs", NAME, "2026-06-07"]).await;
    assert_eq!(code.unwrap(), 5);
    assert!(
        out.starts_with("no handler logged anything of daily-agent-performance 2026-06-07 from"),
        "{out}"
    );
    let (code, _) = cxr(&server, &["logs", "good"]).await;
    assert_eq!(code.unwrap_err().code(), "CXO007");
}

#[tokio::test]
async fn new_lines_are_followed_until_the_command_is_stopped() {
    let server = failed_day().await;
    let mut out = Vec::new();
    let args = ["logs", NAME, DAY, "--level", "error", "--follow"];
    let context = make_context(&mut out, async || server.config());
    let looks = async |so_many: usize| {
        let until = server.count("FilterLogEvents") + so_many * HANDLERS.len();
        while server.count("FilterLogEvents") < until {
            tokio::task::yield_now().await;
        }
    };
    let followed = async {
        looks(2).await;
        let mut late = line("bad", "ERROR", "still refused", &json!({}));
        late["handler"] = json!("trigger");
        server.log("trigger", "2026-06-10T12:00:05Z", &late);
        looks(3).await;
    };
    tokio::select! {
        ended = run_on_machine(&args, context) => panic!("{ended:?}"),
        () = followed => {}
    }
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().count(), HANDLERS.len() + 1, "{out}");
    let last = "2026-06-10 12:00:05  trigger     ERROR  still refused  request=req-1\n";
    assert!(out.ends_with(last), "{out}");
}
