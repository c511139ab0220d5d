//! What holds for every command: its document, its lines, its output that nobody reads, its refusals. A new command without a
//! case here fails.

use std::collections::BTreeSet;
use std::io;

use clap::{CommandFactory as _, Parser as _};
use operator::{Cli, CommandError, Context, describe_error, describe_usage};
use serde_json::{Value, json};

use crate::documents::{check, check_document, schema_of};
use crate::scene::{Report, day, definition};
use crate::states::Server;
use crate::status::scene;
use crate::{REPORT, cxr, make_context, run_on_machine};

/// Commands that print no document of their own: JSON that belongs to others, rows, or a script. And the probe, which needs a
/// tenant (`tests/aws/probe.rs`), and `cxr load`, which needs a database.
const WITHOUT_DOCUMENT: [&str; 9] = [
    "schema",
    "schema output",
    "event",
    "rows",
    "completions",
    "man",
    "probe",
    "load",
    "help",
];

/// A kind of document, and a command line that prints one.
type Case = (&'static str, Vec<String>);

/// At least one of each command, in an order in which each has something to do.
fn cases(folder: &std::path::Path) -> Vec<Case> {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (template, tenant) = (path("t.json"), path("acme.json"));
    let secret = json!({
        "base_url": "https://api.example", "token_url": "https://api.example/token",
        "client_id": "id", "client_secret": "secret",
    });
    std::fs::write(&tenant, secret.to_string()).unwrap();
    let file = format!("{REPORT} --window 2026-06-01");
    [
        ("status", "status".to_owned()),
        ("verify", "verify".to_owned()),
        ("doctor", "doctor".to_owned()),
        ("drift", "drift ../../infra/reports".to_owned()),
        ("calendar", "calendar".to_owned()),
        ("list", "list".to_owned()),
        ("list", "list --failed".to_owned()),
        ("windows", "show daily 2026-06-01".to_owned()),
        ("windows", "show daily 2026-06-05..2026-06-08".to_owned()),
        ("windows", "show daily failed".to_owned()),
        ("execution", "show bad".to_owned()),
        ("logs", "logs daily 2026-06-01".to_owned()),
        ("check", format!("check {REPORT}")),
        ("check", format!("check {tenant}")),
        ("plan", format!("plan {file}")),
        ("new", "new X --api contacts".to_owned()),
        ("ddl", format!("ddl --for postgres {REPORT}")),
        ("sql", format!("sql postgres {REPORT}")),
        ("dbt", format!("dbt --for duckdb {REPORT}")),
        ("explanation", "explain Auth".to_owned()),
        ("explanations", "explain".to_owned()),
        (
            "schedules",
            format!("schedules ../../infra/reports {template}"),
        ),
        ("redrive", "redrive bad --dry-run".to_owned()),
        ("retry", "retry --all --dry-run".to_owned()),
        ("watch", "watch daily 2026-06-01".to_owned()),
        ("run", format!("run {file}")),
        ("running", format!("run {file}")),
        ("replay", format!("replay {file} --reason why")),
        (
            "replays",
            "replay daily 2026-06-06..2026-06-07 --reason why --yes".to_owned(),
        ),
        ("cancel", "cancel daily 2026-06-01 --reason why".to_owned()),
        (
            "backfill",
            "backfill daily 2026-05-20..2026-06-09 --dry-run".to_owned(),
        ),
        (
            "backfill",
            "backfill daily 2026-05-20..2026-06-09 --yes".to_owned(),
        ),
        ("backfill-list", "backfill list".to_owned()),
        (
            "backfill-show",
            "backfill show bf-20260610-120000".to_owned(),
        ),
        (
            "backfill-cancel",
            "backfill cancel bf-20260610-120000".to_owned(),
        ),
        (
            "backfill-watch",
            "backfill watch bf-20260610-120000".to_owned(),
        ),
        ("withdraw", format!("withdraw {file} --reason why --yes")),
        ("tenant-set", format!("tenant set acme {tenant}")),
        ("tenant-list", "tenant list".to_owned()),
        ("tenant-show", "tenant show acme".to_owned()),
    ]
    .map(|(kind, line)| (kind, line.split(' ').map(str::to_owned).collect()))
    .to_vec()
}

fn as_args(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
}

/// The words of every command, such as `tenant set`.
fn commands() -> BTreeSet<String> {
    fn add(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
        let below = command
            .get_subcommands()
            .filter(|it| it.get_name() != "help");
        for one in below {
            let path = format!("{path} {}", one.get_name());
            // A command that has others may do something itself.
            if one.get_subcommands().next().is_none() || !one.is_subcommand_required_set() {
                found.insert(path.trim().to_owned());
            }
            add(one, &path, found);
        }
    }
    let mut found = BTreeSet::new();
    add(&Cli::command(), "", &mut found);
    found
}

#[tokio::test]
async fn every_command_prints_one_document_as_its_schema_says() {
    let (server, folder) = (scene().await, tempfile::tempdir().unwrap());
    let cases = cases(folder.path());
    let tried: BTreeSet<String> = cases
        .iter()
        .flat_map(|(_, line)| {
            [
                line[0].clone(),
                format!("{} {}", line[0], line.get(1).map_or("", |it| it)),
            ]
        })
        .collect();
    let untried: Vec<String> = commands()
        .into_iter()
        .filter(|path| !tried.contains(path) && !WITHOUT_DOCUMENT.contains(&path.as_str()))
        .collect();
    assert_eq!(untried, [""; 0], "commands without a case here");
    let kinds = cxr(&server, &["schema", "output"]).await.1;
    let kinds: Value = serde_json::from_str(&kinds).unwrap();
    let told: BTreeSet<&str> = cases.iter().map(|(kind, _)| *kind).collect();
    let kinds = kinds.as_object().unwrap().keys().map(String::as_str);
    for kind in kinds.filter(|kind| !["error", "load", "probe"].contains(kind)) {
        assert!(told.contains(kind), "no case prints a {kind}");
    }
    for (kind, line) in &cases {
        check_document(&server, kind, &as_args(line)).await;
    }
}

/// Where AWS refuses everything, a command tells that in one document and prints nothing, or its document says so.
#[tokio::test]
async fn every_command_that_fails_says_so_in_one_document() {
    let (server, folder) = (scene().await, tempfile::tempdir().unwrap());
    server.refuse(u64::MAX / 2, "AccessDeniedException");
    let schema = schema_of(&server, "error").await;
    let mut refused = 0;
    for (kind, line) in cases(folder.path()) {
        let args = [&as_args(&line)[..], &["--json"]].concat();
        let (ended, out) = cxr(&server, &args).await;
        let Err(error) = ended else {
            let schema = schema_of(&server, kind).await;
            check(&schema, &schema, &serde_json::from_str(&out).unwrap(), kind);
            continue;
        };
        assert_eq!(out, "", "{args:?}");
        let told: Value = serde_json::from_str(&describe_error(&error, true)).unwrap();
        check(&schema, &schema, &told, "error");
        assert_eq!(error.exit_code(), 3, "{args:?}: {error}");
        refused += 1;
    }
    assert!(refused > 20, "{refused}");
    for path in commands() {
        let words = path.split(' ');
        let args = ["cxr"]
            .into_iter()
            .chain(words)
            .chain(["--nothing", "--json"]);
        let error = Cli::try_parse_from(args).unwrap_err();
        let told: Value = serde_json::from_str(&describe_usage(&error)).unwrap();
        check(&schema, &schema, &told, "error");
    }
}

/// A pipe whose reader is gone.
struct Closed;

impl io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn run_to(
    server: &Server,
    out: &mut dyn io::Write,
    width: Option<usize>,
    args: &[&str],
) -> Result<u8, CommandError> {
    let context = Context {
        width,
        ..make_context(out, async || server.config())
    };
    run_on_machine(args, context).await
}

/// As in `cxr status | head -1`: nobody is there to be told, and nothing is told.
#[tokio::test]
async fn a_reader_that_is_gone_is_told_apart_from_a_disk_that_is_full() {
    let (server, folder) = (scene().await, tempfile::tempdir().unwrap());
    let report = Report::new(&server, &definition("acme", "Rows"));
    let rows = [r#"{"agentId":"a","queueId":"q"}"#.to_owned()];
    report.open(day("2026-06-01"), 1, json!({})).await;
    report
        .commit_rows(day("2026-06-01"), 1, &rows, json!({}))
        .await;
    let rows = ["rows", "rows", "2026-06-01"].map(str::to_owned).to_vec();
    for (_, line) in cases(folder.path()).into_iter().chain([("", rows)]) {
        for format in ["text", "json"] {
            let args = [&as_args(&line)[..], &["--format", format]].concat();
            match run_to(&server, &mut Closed, None, &args).await {
                Err(error) => assert!(error.is_closed_pipe(), "{args:?}: {error}"),
                Ok(code) => panic!("{args:?} wrote nothing, and ended with {code}"),
            }
        }
    }
    let full = CommandError::Output(io::ErrorKind::StorageFull.into());
    assert!(!full.is_closed_pipe());
}

/// Also those of commands that print no table.
#[tokio::test]
async fn lines_fit_the_terminal() {
    let mut too_long = Vec::new();
    for width in [60, 80, 200] {
        let (server, folder) = (scene().await, tempfile::tempdir().unwrap());
        for (kind, line) in cases(folder.path()) {
            if ["new", "dbt", "ddl", "sql"].contains(&kind) {
                // What is JSON or SQL is to be copied.
                continue;
            }
            let args = as_args(&line);
            let mut out = Vec::new();
            let ended = run_to(&server, &mut out, Some(width), &args).await;
            assert!(ended.is_ok(), "{args:?}: {ended:?}");
            let out = String::from_utf8(out).unwrap();
            let lines = out.lines().filter(|line| !fits(line, width));
            too_long.extend(lines.map(|line| format!("{width} {args:?}: {line}")));
        }
    }
    assert_eq!(too_long, [""; 0]);
}

/// What is to be copied is never cut, and no word is.
fn fits(line: &str, width: usize) -> bool {
    let is_to_copy = ["cxr ", "aws "].iter().any(|it| line.contains(it));
    let has_long_word = line.split(' ').any(|word| word.len() > width - 20);
    is_to_copy || has_long_word || line.chars().count() <= width
}

/// Nobody is there to be asked, and so nothing is done.
#[tokio::test]
async fn without_a_terminal_nothing_is_asked() {
    let server = scene().await;
    let before = server.executions().len();
    for line in [
        "retry --all",
        "replay daily 2026-06-06..2026-06-07 --reason why",
        "withdraw daily 2026-06-06 --reason why",
        "backfill daily 2026-05-20..2026-06-09",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        for args in [args.clone(), [&args[..], &["--json"]].concat()] {
            let error = cxr(&server, &args).await.0.unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("CXO031", 2), "{line}");
            assert!(error.to_string().ends_with("needs --yes"), "{error}");
        }
    }
    assert_eq!(server.executions().len(), before);
}
