//! Acting on windows by report and day: `cxr retry`, `watch`, `replay` and `withdraw`.

use asl::Status;
use serde_json::{Value, json};

use crate::scene::{Report, day, definition};
use crate::states::{Answer, Server, arn};
use crate::status::{NAME, scene};
use crate::{AUTH, cxr, cxr_answered, done};

/// What an execution was started with.
pub(crate) fn event_of(server: &Server, prefix: &str) -> (String, delivery::Event) {
    let executions = server.executions().into_iter();
    let mut ours = executions.filter(|it| it.name.starts_with(prefix));
    let execution = ours.next().unwrap();
    let event = serde_json::from_value(execution.input).unwrap();
    (execution.name, event)
}

#[tokio::test]
async fn what_is_done_for_each_window_is_said_before_it_is_done() {
    let server = scene().await;
    let before = server.executions().len();
    let out = done(&server, &["retry", "--all", "--dry-run"]).await;
    assert_eq!(
        out,
        "REPORT                   WINDOW      BECAUSE                         DOES\n\
         daily-agent-performance  2026-06-09  Cxone.Config, 2026-06-10 05:30  run, with the report's last definition\n\
         daily-agent-performance  2026-06-01  Cxone.Auth, 2026-06-02 05:30    redrive\n\
         daily-agent-performance  2026-05-26  not asked for yet               run, with the report's last definition\n\
         daily-agent-performance  2026-05-25  not asked for yet               run, with the report's last definition\n"
    );
    let error = cxr(&server, &["retry", "--all"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO031", 2));
    assert!(error.to_string().contains("needs --yes"), "{error}");
    assert_eq!(server.executions().len(), before, "nothing was started");
}

#[tokio::test]
async fn a_window_is_retried_once_and_then_there_is_nothing_to_do() {
    let server = scene().await;
    let out = done(&server, &["retry", "daily", "2026-06-01"]).await;
    assert_eq!(
        out,
        "redriven: bad\nfollow it with: cxr watch daily-agent-performance 2026-06-01\n"
    );
    assert_eq!(server.execution("bad").status, Status::Running);
    // One that failed before anything was stored, and one that nobody asked for: with the definition that is stored.
    for date in ["2026-06-09", "2026-05-25"] {
        let out = done(&server, &["retry", "daily", date]).await;
        assert!(
            out.starts_with("started: retry-daily-agent-performance-"),
            "{out}"
        );
        let (name, event) = event_of(&server, "retry-");
        assert_eq!(event.detail.window, Some(day(date)));
        assert_eq!(event.detail.definition["name"], NAME);
        definition::Definition::from_value(&event.detail.definition).unwrap();
        assert!(name.len() <= 80, "{name}");
    }
    // Retried, running, committed, withdrawn, and not final yet.
    let executions = server.executions().len();
    for date in [
        "2026-06-01",
        "2026-06-09",
        "2026-06-03",
        "2026-06-05",
        "2026-06-02",
        "2026-06-10",
    ] {
        let out = done(&server, &["retry", "daily", date]).await;
        assert!(out.ends_with("\nnothing to do\n"), "{date}: {out}");
    }
    assert_eq!(server.executions().len(), executions);
}

#[tokio::test]
async fn only_those_with_one_error_are_retried() {
    let server = scene().await;
    let out = done(&server, &["retry", "--all", "--error", "auth"]).await;
    assert!(out.starts_with("redriven: bad\n"), "{out}");
    assert_eq!(server.executions()[0].name, "busy", "none was started");
    let error = cxr(&server, &["retry", "--all", "--error", "Oath"]).await;
    assert_eq!(error.0.unwrap_err().code(), "CXO032");
}

/// What is stored is wrong there, and stays so.
#[tokio::test]
async fn a_window_that_needs_a_replay_is_left_alone() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.deliver(day("2026-06-07")).await;
    report
        .open(day("2026-06-08"), 1, json!({"execution": arn("conflict")}))
        .await;
    let at = "2026-06-09T05:30:00Z";
    let event = json!({"time": at, "detail": {"definition": definition("acme", NAME)}});
    let failed: Vec<Answer> = vec![Err(("Cxone.Conflict", "1 row has the key of another row"))];
    server.run("conflict", at, &event, failed).await;
    server.wait_until(crate::NOW).await;
    let (code, out) = cxr(&server, &["retry", "daily", "--yes"]).await;
    assert!(
        out.contains("started: retry-"),
        "the ninth is missing: {out}"
    );
    assert_eq!(code.unwrap(), 5, "the eighth is left");
    let keep_last = "    cxr replay daily-agent-performance 2026-06-08 --stored --set pipeline.onConflict=keep-last --reason TEXT --watch\n";
    let (code, out) = cxr(&server, &["retry", "daily", "2026-06-08"]).await;
    assert_eq!(code.unwrap(), 5, "{out}");
    assert!(
        out.contains(keep_last) && out.ends_with("nothing to do\n"),
        "{out}"
    );
    assert_eq!(server.execution("conflict").status, Status::Failed);
    for args in [
        &["status"][..],
        &["show", "daily", "2026-06-08"],
        &["show", "conflict"],
    ] {
        let out = done(&server, args).await.replace("acme/", "");
        assert!(out.contains(keep_last.trim()), "{args:?}: {out}");
        assert!(!out.contains("cxr redrive"), "{args:?}: {out}");
    }
    // The printed line, with words in place of TEXT.
    let replay = keep_last.trim().replace("TEXT --watch", "corrected");
    let args: Vec<&str> = replay.split(' ').skip(1).collect();
    done(&server, &args).await;
    let (_, event) = event_of(&server, "replay-");
    assert_eq!(
        event.detail.definition["pipeline"]["onConflict"],
        "keep-last"
    );
    assert_eq!(event.detail.replay.unwrap().reason, "corrected");
    assert_eq!(event.detail.window, Some(day("2026-06-08")));
}

#[tokio::test]
async fn what_is_stored_can_be_replayed_and_withdrawn_without_a_file() {
    let server = scene().await;
    let why = ["--reason", "late", "--requested-by", "ana"];
    let replay = [&["replay", "daily", "2026-06-08"], &why[..]].concat();
    done(&server, &replay).await;
    let stored = event_of(&server, "replay-").1.detail;
    let parsed = definition::Definition::from_value(&stored.definition).unwrap();
    let report = Report::new(&server, &definition("acme", NAME));
    assert_eq!(parsed.definition.hash(), report.definition.hash());
    assert!(!stored.stored);
    let keep_last = ["--stored", "--set", "pipeline.onConflict=keep-last"];
    let replay = [&["replay", "daily", "2026-06-01"], &keep_last[..], &why[..]].concat();
    done(&server, &replay).await;
    let again = event_of(&server, "replay-daily-agent-performance-20260601");
    let again = again.1.detail;
    assert!(again.stored && again.replay.is_some(), "{again:?}");
    assert_eq!(again.definition["pipeline"]["onConflict"], "keep-last");
    let several = [&["replay", "daily", "2026-06-06..2026-06-07"], &why[..]].concat();
    assert_eq!(cxr(&server, &several).await.0.unwrap_err().code(), "CXO031");
    let before = server.executions().len();
    let out = done(&server, &[&several[..], &["--yes"]].concat()).await;
    assert_eq!(server.executions().len(), before + 2, "{out}");
    // A window that is none of the report's own is withdrawn as well.
    let withdraw = [&["withdraw", "daily", "2026-06-04/2026-06-06"], &why[..]].concat();
    done(&server, &[&withdraw[..], &["--yes"]].concat()).await;
    let (_, event) = event_of(&server, "withdraw-");
    assert_eq!(
        event.detail.window.unwrap().key(),
        "20260604T000000Z-20260606T000000Z"
    );
    assert_eq!(event.detail.withdraw.unwrap().requested_by, "ana");
    for (args, code) in [
        (
            &["replay", "daily", "2026-06-08", "--reason", " "][..],
            "CXO035",
        ),
        (
            &[
                "replay",
                "daily",
                "2026-06-08",
                "--reason",
                "x",
                "--requested-by",
                "",
            ],
            "CXO035",
        ),
        (
            &[
                "replay",
                "daily",
                "2026-06-08",
                "--reason",
                "x",
                "--set",
                "pipeline.onConflict=perhaps",
            ],
            "CXO033",
        ),
        (
            &[
                "replay",
                "daily",
                "2026-06-08",
                "--reason",
                "x",
                "--set",
                "name=other",
            ],
            "CXO033",
        ),
        (
            &["replay", "weekly", "2026-06-03", "--reason", "x"],
            "CXO026",
        ),
        // It is not final yet.
        (
            &["replay", "daily", "2026-06-10", "--reason", "x"],
            "CXO030",
        ),
        // Two days were never one window.
        (
            &[
                "withdraw",
                "daily",
                "2026-06-04..2026-06-05",
                "--reason",
                "x",
            ],
            "CXO003",
        ),
    ] {
        let error = cxr(&server, args).await.0.unwrap_err();
        assert_eq!(error.code(), code, "{args:?}: {error}");
    }
}

/// What consumers will delete is said first, and without a person to be asked nothing is taken back.
#[tokio::test]
async fn a_withdrawal_says_what_is_lost_and_asks() {
    let server = scene().await;
    let file = ["withdraw", crate::REPORT, "--window", "2026-06-08"];
    let report = ["withdraw", "daily", "2026-06-08"];
    for (args, asked) in [
        (
            &report[..],
            "version 18 holds 2,000 rows of daily-agent-performance 2026-06-08; consumers delete its rows with the next version",
        ),
        (
            &file,
            "whatever was delivered of Daily Agent Performance Aggregation 2026-06-08 is taken back: consumers delete its rows with the next version",
        ),
    ] {
        let executions = server.executions().len();
        let args = [args, &["--reason", "a mistake"]].concat();
        let error = cxr(&server, &args).await.0.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO031", 2));
        assert!(error.to_string().starts_with(asked), "{error}");
        let (code, out) = cxr_answered(&server, &args, || Ok("no\n".to_owned())).await;
        assert_eq!(code.unwrap(), 0);
        assert_eq!(
            out,
            format!("{asked}. Go on? [y/N] nothing was taken back\n")
        );
        assert_eq!(server.executions().len(), executions, "nothing was started");
        let (code, out) = cxr_answered(&server, &args, || Ok("y\n".to_owned())).await;
        assert_eq!(code.unwrap(), 0);
        assert!(out.contains("started "), "{out}");
        assert_eq!(server.executions().len(), executions + 1);
    }
}

#[tokio::test]
async fn a_watch_ends_with_what_became_of_the_window_even_if_that_was_long_ago() {
    let server = scene().await;
    let out = done(&server, &["watch", "daily", "2026-06-08"]).await;
    assert_eq!(
        out,
        "daily-agent-performance 2026-06-08  committed as version 18: 2,000 rows\n"
    );
    let (code, out) = cxr(&server, &["watch", "daily", "2026-06-01"]).await;
    assert_eq!(code.unwrap(), 5);
    assert_eq!(
        out,
        "daily-agent-performance 2026-06-01  not delivered: failed: Cxone.Auth: the token endpoint refuses the client in secret cxone/client\n\
         \x20   cxr retry daily-agent-performance 2026-06-01 --watch\n"
    );
    // One that runs is looked at, and given up after the time that was said. AWS not answering does not end it.
    server.refuse_operation("GetExecutionHistory", "ThrottlingException");
    let args = ["watch", "daily", "2026-06-03", "--timeout", "0s"];
    let (error, out) = cxr(&server, &args).await;
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO034", 4));
    assert!(
        error
            .to_string()
            .contains("daily-agent-performance 2026-06-03"),
        "{error}"
    );
    assert!(out.starts_with("AWS does not answer"), "{out}");
    let (error, _) = cxr(
        &server,
        &["watch", "daily", "2026-06-03", "--timeout", "soon"],
    )
    .await;
    assert_eq!(error.unwrap_err().code(), "CXO004");
    let args = ["watch", "daily", "2026-06-01", "--format", "json"];
    let (_, out) = cxr(&server, &args).await;
    let watched: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(watched["windows"][0]["state"], "failed");
}

/// One that ended in vain since, and then was mended, is no trouble any more.
#[tokio::test]
async fn a_list_says_what_each_execution_was_for_and_what_is_mended() {
    let server = scene().await;
    let out = done(&server, &["list", "--since", "30d"]).await;
    let lines: Vec<&str> = out.lines().collect();
    let after = |name: &str| {
        let at = lines.iter().position(|line| line.ends_with(name)).unwrap();
        &lines[at + 1..]
    };
    let day =
        |date: &str, next: &str| format!("    acme / {NAME}  {date}T00:00:00Z/{next}T00:00:00Z");
    assert_eq!(after("  busy")[0], day("2026-06-03", "2026-06-04"));
    assert_eq!(after("  mended")[0], day("2026-05-21", "2026-05-22"));
    assert_eq!(
        after("  mended")[2],
        "    its window is committed as version 2"
    );
    assert_eq!(
        after("  typo")[0],
        day("2026-06-09", "2026-06-10"),
        "known although it was refused"
    );
    assert!(!after("  bad")[2].contains("committed"), "{out}");
}

/// The error's name is forgiven, and the way back is as long as AWS allows a redrive.
#[tokio::test]
async fn all_failed_ones_are_redriven_of_the_last_14_days() {
    let server = crate::busy().await;
    let args = ["redrive", "--all-failed", "--dry-run"];
    let out = done(&server, &args).await;
    assert_eq!(out, "bad: would be redriven\nold: would be redriven\n");
    let auth = done(&server, &[&args[..], &["--error", "Auth"]].concat()).await;
    assert_eq!(auth, "bad: would be redriven\n");
    let error = cxr(&server, &[&args[..], &["--error", "Nope"]].concat()).await;
    assert_eq!(error.0.unwrap_err().code(), "CXO032");
    assert!(AUTH.contains("Cxone.Auth"));
}
