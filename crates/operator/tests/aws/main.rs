//! The commands that need Step Functions, with the real SDK.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod answers;
mod backfill;
mod cancel;
mod data;
mod doctor;
mod documents;
mod drift;
mod every;
mod foreign;
mod logs;
mod lost;
mod machines;
mod patience;
mod probe;
mod reads;
mod retry;
mod scene;
mod states;
mod status;
mod tenants;
mod truth;
mod unstored;
mod wrong_inputs;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use asl::Status;
use aws_config::SdkConfig;
use clap::Parser as _;
use operator::{Cli, CommandError, Context, run};
use serde_json::{Value, json};
use states::{Answer, MACHINE, Server, arn};

const NOW: &str = "2026-06-10T12:00:00Z";
const REPORT: &str = "../../infra/reports/daily-agent-performance.json";
const AUTH: &str = r#"{"errorType":"Cxone.Auth","errorMessage":"the token endpoint refuses the client in secret cxone/client"}"#;

async fn cxr(server: &Server, args: &[&str]) -> (Result<u8, CommandError>, String) {
    cxr_with(server, None, args).await
}

/// Runs a command before a person who answers its question.
async fn cxr_answered(
    server: &Server,
    args: &[&str],
    answer: operator::ReadAnswer,
) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = Context {
        answer: Some(answer),
        ..make_context(&mut out, async || server.config())
    };
    let result = run_on_machine(args, context).await;
    (result, String::from_utf8(out).unwrap())
}

/// Runs a command with a folder for what it keeps.
async fn cxr_with(
    server: &Server,
    cache: Option<&Path>,
    args: &[&str],
) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = Context {
        cache: cache.map(Path::to_owned),
        ..make_context(&mut out, async || server.config())
    };
    let result = run_on_machine(args, context).await;
    (result, String::from_utf8(out).unwrap())
}

/// What a command takes from outside: the time of all tests, no terminal, nobody to be asked, and nothing kept.
fn make_context<Aws>(out: &mut dyn Write, aws: Aws) -> Context<'_, Aws> {
    Context {
        out,
        now: NOW.parse().unwrap(),
        pause: Duration::ZERO,
        width: None,
        cache: None,
        answer: None,
        aws,
    }
}

/// Runs a command of the state machine that the tests have.
async fn run_on_machine<Aws>(args: &[&str], context: Context<'_, Aws>) -> Result<u8, CommandError>
where
    Aws: AsyncFnOnce() -> SdkConfig,
{
    run_line(&[args, &["--state-machine", MACHINE]].concat(), context).await
}

/// Runs a command line as it is.
async fn run_line<Aws>(args: &[&str], context: Context<'_, Aws>) -> Result<u8, CommandError>
where
    Aws: AsyncFnOnce() -> SdkConfig,
{
    let cli = Cli::try_parse_from([&["cxr"], args].concat()).unwrap();
    // The future of all commands is too large for the stack of a test.
    Box::pin(run(cli, context)).await
}

async fn done(server: &Server, args: &[&str]) -> String {
    let (result, out) = cxr(server, args).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    out
}

fn input() -> Value {
    let definition: Value = serde_json::from_slice(&std::fs::read(REPORT).unwrap()).unwrap();
    json!({"time": "2026-06-09T05:30:00Z", "detail": {"definition": definition}})
}

/// What Trigger answers when a window was committed before.
fn delivered() -> Value {
    json!({"v": 1, "next": "delivered", "version": 3, "rows": 5, "note": "the definition differs"})
}

/// What Trigger answers when it started a run.
fn started_run(number: u32, at: &str) -> Value {
    let window = json!({"start": "2026-06-08T00:00:00Z", "end": "2026-06-09T00:00:00Z"});
    let work = json!({
        "tenant": "acme", "report": "Daily Agent Performance Aggregation", "window": window, "generation": 1,
        "segment": "0", "run": number, "runId": format!("run-7{number}"),
        "triggeredAt": at, "deadlineAt": "2026-06-09T07:00:00Z",
    });
    json!({"v": 1, "generation": 1, "next": "run", "work": work})
}

/// A run that CXone ended, one that was looked at 20 times and whose pages were cut off by a refusal.
fn story() -> Vec<Answer> {
    let detail = "query\u{1b}[31m too large";
    let ended = json!({"segment": "0", "run": 0, "reason": "failed", "detail": detail});
    let pending =
        json!({"v": 1, "saw": "pending", "state": "queued", "waitSeconds": 0, "ended": null});
    let unavailable = r#"{"errorType":"Cxone.Unavailable","errorMessage":"create run: unavailable: no connection"}"#;
    let mut answers = vec![
        Ok(started_run(0, "2026-06-09T05:30:01Z")),
        Ok(json!({"v": 1, "saw": "ended", "state": "failed", "waitSeconds": 0, "ended": ended})),
        Err(("Cxone.Unavailable", unavailable)),
        Ok(started_run(1, "2026-06-09T05:30:19Z")),
    ];
    answers.extend(vec![Ok(pending); 20]);
    answers.extend([
        Ok(json!({"v": 1, "saw": "completed", "state": "completed", "waitSeconds": 0, "ended": null})),
        Ok(json!({
            "v": 1, "pages": "more", "waitSeconds": 0, "stalledSince": null, "batches": 1,
            "pageCount": 34, "rowCount": 34_000, "ended": null,
        })),
        Err(("Cxone.Auth", AUTH)),
    ]);
    answers
}

/// Four executions, of which three failed; the oldest is too old to be redriven.
async fn busy() -> Server {
    let server = Server::start().await;
    let (at, config) = ("2026-05-01T05:30:00Z", ("Cxone.Config", "plain"));
    server
        .run("ancient", at, &json!({}), vec![Err(config)])
        .await;
    let at = "2026-06-05T05:30:00Z";
    server.run("old", at, &json!({}), vec![Err(config)]).await;
    let at = "2026-06-09T05:30:00Z";
    server.run("bad", at, &input(), story()).await;
    let at = "2026-06-10T05:30:00Z";
    server
        .run("good", at, &json!({}), vec![Ok(delivered())])
        .await;
    server.wait_until(NOW).await;
    server
}

#[tokio::test]
async fn failed_executions_are_listed_with_what_for_and_why() {
    let out = done(&busy().await, &["list", "--failed"]).await;
    assert_eq!(
        out,
        "2026-06-09T05:30:00Z  FAILED     bad\n\
         \x20   acme / Daily Agent Performance Aggregation  2026-06-08T00:00:00Z/2026-06-09T00:00:00Z\n\
         \x20   Cxone.Auth: the token endpoint refuses the client in secret cxone/client\n\
         2026-06-05T05:30:00Z  FAILED     old\n\
         \x20   ? / ?\n\
         \x20   Cxone.Config: plain\n\
         2 executions\n"
    );
}

#[tokio::test]
async fn a_list_goes_back_as_far_as_it_is_asked_to() {
    let server = busy().await;
    let out = done(&server, &["list", "--since", "24h"]).await;
    assert!(out.ends_with("1 execution\n"), "{out}");
    let out = done(
        &server,
        &["list", "--since", "2026-05-01", "--format", "json"],
    )
    .await;
    let list: Value = serde_json::from_str(&out).unwrap();
    let list = &list["executions"];
    assert_eq!(list.as_array().unwrap().len(), 4);
    assert_eq!(list[1]["request"]["tenant"], "acme");
}

#[tokio::test]
async fn a_list_is_narrowed_by_error_and_report() {
    let server = busy().await;
    for (args, names) in [
        (&["--error", "Auth"][..], &["bad"][..]),
        (&["--error", "cxone.config"], &["old"]),
        (&["--error", "States.Timeout"], &[]),
        (&["--report", "Daily Agent"], &["bad"]),
        (&["--report", "daily-agent", "--error", "config"], &[]),
        (&["--limit", "1"], &["good"]),
        (&["--since", "-1d"], &["good"]),
    ] {
        let out = done(&server, &[&["list"], args].concat()).await;
        let found: Vec<_> = out
            .lines()
            .filter(|line| line.starts_with("2026-"))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|line| line.rsplit(' ').next().unwrap())
            .collect();
        assert_eq!(found, names, "{args:?}: {out}");
    }
    for wrong in ["Auht", "CXD030", "P-10"] {
        let error = cxr(&server, &["list", "--error", wrong])
            .await
            .0
            .unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO032", 2), "{error}");
    }
}

#[tokio::test]
async fn throttling_is_waited_for() {
    let server = busy().await;
    server.refuse(5, "ThrottlingException");
    let out = done(&server, &["list", "--since", "24h"]).await;
    assert!(out.ends_with("1 execution\n"), "{out}");
}

#[tokio::test]
async fn a_failed_execution_is_explained_in_one_look() {
    let server = busy().await;
    let out = done(&server, &["show", "bad"]).await;
    assert_eq!(out, include_str!("../data/show.txt"), "{out}");

    let out = done(&server, &["show", &arn("bad"), "--format", "json"]).await;
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["story"]["failure"]["state"], "FetchPage");
    assert_eq!(report["story"]["runs"][1]["rowCount"], 34_000);
}

#[tokio::test]
async fn an_execution_that_does_not_exist_is_named() {
    let error = cxr(&busy().await, &["show", "nope"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO007", 3));
    assert!(error.to_string().contains(&arn("nope")), "{error}");
}

#[tokio::test]
async fn a_refusal_names_the_operation_and_aws_word_for_it() {
    let server = busy().await;
    server.refuse(1, "AccessDeniedException");
    let error = cxr(&server, &["list"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO011", 3));
    let shown = error.to_string();
    assert!(
        shown.starts_with("ListExecutions: AWS answers AccessDeniedException"),
        "{shown}"
    );
}

#[tokio::test]
async fn all_failed_ones_are_redriven_and_those_that_cannot_be_are_told() {
    let server = busy().await;
    let (result, out) = cxr(&server, &["redrive", "--all-failed", "--since", "41d"]).await;
    assert_eq!(result.unwrap(), 3, "one could not be");
    assert_eq!(
        out,
        "bad: redriven\n\
         old: redriven\n\
         ancient: not redriven: CXO008: ancient can't be redriven: Execution redrivable period exceeded; cxr retry asks for the window again\n"
    );
    assert_eq!(server.execution("bad").status, Status::Running);
}

#[tokio::test]
async fn a_redrive_can_be_narrowed_to_one_error_and_tried_dry() {
    let server = busy().await;
    let args = [
        "redrive",
        "--all-failed",
        "--since",
        "7d",
        "--error",
        "Cxone.Auth",
        "--dry-run",
    ];
    assert_eq!(done(&server, &args).await, "bad: would be redriven\n");
    assert_eq!(server.execution("bad").status, Status::Failed);
    assert_eq!(done(&server, &["redrive", "bad"]).await, "bad: redriven\n");
}

#[tokio::test]
async fn a_window_is_run_once() {
    let server = Server::start().await;
    let args = ["run", REPORT, "--window", "2026-06-01"];
    let first = done(&server, &args).await;
    assert!(
        first.contains("run-daily-agent-performance-aggregation-20260601T000000Z-"),
        "{first}"
    );
    let again = done(&server, &args).await;
    let name = server.executions()[0].name.clone();
    let watch = "cxr watch daily-agent-performance-aggregation 2026-06-01";
    let expected = format!(
        "is running already: {}\nfollow it with: {watch}\n",
        arn(&name)
    );
    assert_eq!(again, expected, "the same execution, while it runs");
    assert_eq!(server.executions().len(), 1);
    server.stop_all();
    let error = cxr(&server, &args).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO009");
    let said = error.to_string();
    for told in [
        "cxr show run-daily",
        "it failed: cxr retry daily-agent-performance-aggregation 2026-06-01",
    ] {
        assert!(said.contains(told), "{said}");
    }
    let delivered = Server::start().await;
    delivered.answer(&name, [Ok(self::delivered())]);
    done(&delivered, &args).await;
    let error = cxr(&delivered, &args).await.0.unwrap_err();
    let said = error.to_string();
    let replay =
        "not even after cxr withdraw: cxr replay daily-agent-performance-aggregation 2026-06-01";
    assert!(said.contains(replay), "{said}");
}

#[tokio::test]
async fn a_replay_is_started_with_who_and_why() {
    let server = Server::start().await;
    let args = [
        "replay",
        REPORT,
        "--window",
        "2026-06-01",
        "--reason",
        "late data",
        "--requested-by",
        "ana",
    ];
    let out = done(&server, &args).await;
    assert!(
        out.starts_with(&format!("started {}", arn("replay-daily-agent"))),
        "{out}"
    );
    let execution = server.executions().remove(0);
    assert!(execution.name.len() <= 80, "{}", execution.name);
    let event: delivery::Event = serde_json::from_value(execution.input).unwrap();
    assert_eq!(event.detail.replay.unwrap().requested_by, "ana");
    assert_eq!(event.account.as_deref(), Some("123456789012"));
    assert_eq!(event.region.as_deref(), Some("eu-central-1"));
}

#[tokio::test]
async fn a_withdrawal_is_started_with_who_and_why() {
    let server = Server::start().await;
    let window = ["--window", "2026-06-01/2026-06-03"];
    let why = ["--reason", "two days in one", "--requested-by", "ana"];
    let out = done(
        &server,
        &[&["withdraw", REPORT, "--yes"], &window[..], &why].concat(),
    )
    .await;
    let name = arn("withdraw-daily-agent");
    assert!(out.starts_with(&format!("started {name}")), "{out}");
    let execution = server.executions().remove(0);
    let event: delivery::Event = serde_json::from_value(execution.input).unwrap();
    assert_eq!(event.detail.withdraw.unwrap().reason, "two days in one");
    assert_eq!((event.detail.replay, event.detail.restate), (None, None));
}

/// What an execution says at once is said to whoever started it.
#[tokio::test]
async fn the_first_answer_of_an_execution_is_told() {
    let server = Server::start().await;
    let args = ["run", REPORT, "--window", "2026-06-01"];
    let started = done(&server, &args).await;
    let name = server.executions().remove(0).name;
    let shown = format!("started {}\nsee cxr show {name}\n", arn(&name));
    assert_eq!(started, shown, "it says nothing yet");

    let server = Server::start().await;
    server.answer(&name, [Ok(delivered())]);
    let out = done(&server, &args).await;
    let line = "nothing to do: delivered before as version 3, 5 rows; the definition differs\n";
    assert!(out.ends_with(line), "{out}");

    let server = Server::start().await;
    let answer = json!({"v": 1, "next": "delivered", "version": 0, "rows": 0, "note": "it was never asked for"});
    server.answer(&name, [Ok(answer)]);
    let (ended, out) = cxr(&server, &args).await;
    assert_eq!(ended.unwrap(), 2, "a mistyped window is an error");
    assert!(
        out.ends_with("\nnothing to do; it was never asked for\n"),
        "{out}"
    );

    let server = Server::start().await;
    server.answer(&name, [Err(("Cxone.Config", AUTH))]);
    let (result, out) = cxr(&server, &args).await;
    assert_eq!(result.unwrap(), 1);
    assert!(
        out.contains("\nfailed: Cxone.Config: the token endpoint"),
        "{out}"
    );
}

/// A window that the schedule never asks for is started only if it was said twice.
#[tokio::test]
async fn a_window_off_the_grid_is_not_started() {
    let server = Server::start().await;
    let run = ["run", REPORT, "--window", "2026-06-01/2026-06-03"];
    let replay = [&["replay"], &run[1..], &["--reason", "late"]].concat();
    for args in [&run[..], &replay] {
        let error = cxr(&server, args).await.0.unwrap_err();
        assert_eq!(error.code(), "CXO016", "{error}");
        assert_eq!(server.executions(), []);
        done(&Server::start().await, &[args, &["--off-grid"]].concat()).await;
    }
}

/// Now it is the tenth at noon, and a day is final at 05:00 on the next.
#[tokio::test]
async fn a_window_that_is_not_final_is_waited_for_only_if_that_was_said() {
    for (day, told, starts_with_wait) in [
        ("2026-06-09", None, true),
        (
            "2026-06-16",
            Some("final only at 2026-06-17T05:00:00Z; add --wait"),
            true,
        ),
        ("2026-06-17", Some("seven days"), false),
    ] {
        let server = Server::start().await;
        let run = ["run", REPORT, "--window", day];
        match (cxr(&server, &run).await.0, told) {
            (Ok(code), None) => assert_eq!(code, 0),
            (Err(error), Some(told)) => {
                assert_eq!((error.code(), error.exit_code()), ("CXO030", 2));
                assert!(error.to_string().contains(told), "{error}");
                assert_eq!(server.executions(), []);
            }
            (ended, told) => panic!("{day}: {ended:?}, {told:?}"),
        }
        let (ended, _) = cxr(&server, &[&run[..], &["--wait"]].concat()).await;
        assert_eq!(ended.is_ok(), starts_with_wait, "{day}: {ended:?}");
    }
    let server = Server::start().await;
    done(&server, &["run", REPORT, "--window", "yesterday"]).await;
    assert!(server.executions()[0].name.contains("-20260609T000000Z-"));
}

#[tokio::test]
async fn an_aws_that_is_not_there_is_unavailable() {
    let server = busy().await;
    let config = server.config().into_builder();
    let config = config.endpoint_url("http://127.0.0.1:1").build();
    let mut out = Vec::new();
    let context = make_context(&mut out, async || config);
    let error = run_on_machine(&["list"], context).await.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO012", 4));
}
