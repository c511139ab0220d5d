//! What programs read: with `--json` each command prints one document, which its schema describes in full.

use clap::Parser as _;
use operator::{Cli, CommandError, Context, describe_error, describe_usage, run};
use serde_json::{Value, json};

use crate::scene::{Report, definition};
use crate::states::{MACHINE, Server};
use crate::status::{NAME, scene};
use crate::{REPORT, cxr};

/// Checks a value against a schema. A field that the schema does not name is an error.
fn check(schema: &Value, root: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = root.pointer(&name[1..]).unwrap();
        return check(schema, root, value, at);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            let fits = |schema: &&Value| {
                let checked = std::panic::catch_unwind(|| check(schema, root, value, at));
                checked.is_ok()
            };
            assert!(
                schemas.iter().any(|it| fits(&it)),
                "{at}: {value} fits none of {schema}"
            );
        }
    }
    if let Some(wanted) = schema.get("const") {
        assert_eq!(value, wanted, "{at}");
    }
    if let Some(wanted) = schema["enum"].as_array() {
        assert!(
            wanted.contains(value),
            "{at}: {value} is none of {wanted:?}"
        );
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => return,
    };
    assert!(
        kinds.contains(&kind_of(value)),
        "{at}: {value} is none of {kinds:?}"
    );
    if let Some(fields) = value.as_object() {
        check_object(schema, root, fields, at);
    }
    if let (Some(entries), Some(items)) = (value.as_array(), schema.get("items")) {
        for entry in entries {
            check(items, root, entry, &format!("{at}[]"));
        }
    }
}

fn check_object(schema: &Value, root: &Value, fields: &serde_json::Map<String, Value>, at: &str) {
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(required.as_str().unwrap()),
            "{at} has no {required}"
        );
    }
    for (name, value) in fields {
        let at = format!("{at}/{name}");
        let others = schema.get("additionalProperties");
        let of_others = others.filter(|it| it.is_object());
        if let Some(schema) = schema["properties"].get(name).or(of_others) {
            check(schema, root, value, &at);
        } else if others != Some(&Value::Bool(true)) {
            let patterns = schema["patternProperties"].as_object();
            assert!(
                patterns.is_some_and(|it| !it.is_empty()),
                "{at} is in no schema"
            );
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

async fn schema_of(server: &Server, kind: &str) -> Value {
    let out = cxr(server, &["schema", "output", kind]).await.1;
    serde_json::from_str(&out).unwrap()
}

/// Runs a command with `--json`, and checks what it prints against the schema of its kind.
pub(crate) async fn check_document(server: &Server, kind: &str, args: &[&str]) {
    let (ended, out) = cxr(server, &[args, &["--json"]].concat()).await;
    assert!(ended.is_ok(), "{args:?}: {ended:?}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&document["v"], &document["kind"]),
        (&json!(1), &json!(kind)),
        "{args:?}"
    );
    let schema = schema_of(server, kind).await;
    check(&schema, &schema, &document, kind);
}

#[tokio::test]
async fn every_document_is_as_its_schema_says() {
    let server = scene().await;
    let window = ["--window", "2026-06-01"];
    let reason = [&window[..], &["--reason", "why"]].concat();
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("t.json");
    let template = template.to_str().unwrap();
    let tenant = folder.path().join("acme.json");
    let secret = json!({
        "base_url": "https://api.example", "token_url": "https://api.example/token",
        "client_id": "id", "client_secret": "secret",
    });
    std::fs::write(&tenant, secret.to_string()).unwrap();
    let tenant = tenant.to_str().unwrap();
    for (kind, args) in [
        ("status", &["status"][..]),
        ("verify", &["verify"]),
        ("doctor", &["doctor"]),
        ("drift", &["drift", "../../infra/reports"]),
        ("calendar", &["calendar"]),
        ("list", &["list"]),
        ("list", &["list", "--failed"]),
        ("windows", &["show", "daily", "2026-06-01"]),
        ("windows", &["show", "daily", "2026-06-05..2026-06-08"]),
        ("windows", &["show", "daily", "failed"]),
        ("execution", &["show", "bad"]),
        ("check", &["check", REPORT]),
        ("check", &["check", tenant]),
        ("plan", &[&["plan", REPORT], &window[..]].concat()),
        ("new", &["new", "X", "--api", "contacts"]),
        ("explanation", &["explain", "Auth"]),
        ("explanations", &["explain"]),
        ("schedules", &["schedules", "../../infra/reports", template]),
        ("redrive", &["redrive", "bad", "--dry-run"]),
        ("retry", &["retry", "--all", "--dry-run"]),
        (
            "cancel",
            &["cancel", "daily", "2026-06-01", "--reason", "why"],
        ),
        ("watch", &["watch", "daily", "2026-06-01"]),
        ("run", &[&["run", REPORT], &window[..]].concat()),
        ("replay", &[&["replay", REPORT], &reason[..]].concat()),
        (
            "replays",
            &[
                "replay",
                "daily",
                "2026-06-06..2026-06-07",
                "--reason",
                "why",
                "--yes",
            ],
        ),
        ("backfill-list", &["backfill", "list"]),
        (
            "backfill",
            &["backfill", "daily", "2026-05-20..2026-06-09", "--dry-run"],
        ),
        (
            "withdraw",
            &[&["withdraw", REPORT, "--yes"], &reason[..]].concat(),
        ),
        ("tenant-set", &["tenant", "set", "acme", tenant]),
        ("tenant-list", &["tenant", "list"]),
        ("tenant-show", &["tenant", "show", "acme"]),
    ] {
        check_document(&server, kind, args).await;
    }
}

/// Nothing is on the standard output then, so that a program sees at once that there is nothing to read.
#[tokio::test]
async fn an_error_is_one_document_too() {
    let server = Server::start().await;
    let report = Report::new(&server, &definition("acme", NAME));
    report.deliver(crate::scene::day("2026-06-09")).await;
    let schema = schema_of(&server, "error").await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.json");
    std::fs::write(&wrong, "{}").unwrap();
    let wrong = wrong.to_str().unwrap();
    for (args, code) in [
        (&["show", "nope"][..], "CXO007"),
        (&["show", "daily", "2026-02-30"], "CXO003"),
        (&["show", "nope", "yesterday"], "CXO024"),
        (&["show", ""], "CXO027"),
        (&["status", "--since", "soon"], "CXO004"),
        (&["run", wrong, "--window", "yesterday"], "CXO002"),
        (&["check", "nowhere.json"], "CXO001"),
        (&["explain", "nothing"], "CXO047"),
        (&["schema", "output", "nothing"], "CXO047"),
        (&["tenant", "show", "globex"], "CXO019"),
    ] {
        let (ended, out) = cxr(&server, &[args, &["--json"]].concat()).await;
        assert_eq!(out, "", "{args:?}");
        let error = ended.unwrap_err();
        let document: Value = serde_json::from_str(&describe_error(&error, true)).unwrap();
        check(&schema, &schema, &document, "error");
        assert_eq!(document["code"], code, "{document}");
        assert_eq!(document["exitCode"], error.exit_code());
        assert!(describe_error(&error, false).starts_with(&format!("{code}: ")));
    }
    let error = Cli::try_parse_from(["cxr", "show", "--nothing"]).unwrap_err();
    let document: Value = serde_json::from_str(&describe_usage(&error)).unwrap();
    check(&schema, &schema, &document, "error");
    assert_eq!(document["code"], "CXO048");
}

/// A pipe whose reader is gone.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a command on a terminal of this width.
async fn cxr_on(server: &Server, width: usize, args: &[&str]) -> String {
    let mut out = Vec::new();
    let ended = run_to(server, &mut out, Some(width), args).await;
    assert!(ended.is_ok(), "{args:?}: {ended:?}");
    String::from_utf8(out).unwrap()
}

async fn run_to(
    server: &Server,
    out: &mut dyn std::io::Write,
    width: Option<usize>,
    args: &[&str],
) -> Result<u8, CommandError> {
    let context = Context {
        out,
        now: crate::NOW.parse().unwrap(),
        pause: std::time::Duration::ZERO,
        width,
        cache: None,
        answer: None,
        aws: async || server.config(),
    };
    let machine = ["--state-machine", MACHINE];
    let cli = Cli::try_parse_from([&["cxr"], args, &machine].concat()).unwrap();
    run(cli, context).await
}

#[tokio::test]
async fn a_reader_that_is_gone_is_told_apart_from_a_disk_that_is_full() {
    let server = scene().await;
    for args in [
        &["status"][..],
        &["calendar"],
        &["list"],
        &["show", "daily", "2026-06-01"],
        &["show", "bad"],
        &["tenant", "list"],
        &["redrive", "bad", "--dry-run"],
    ] {
        for format in ["text", "json"] {
            let args = [args, &["--format", format]].concat();
            let error = run_to(&server, &mut Closed, None, &args).await.unwrap_err();
            assert!(error.is_closed_pipe(), "{args:?}: {error}");
        }
    }
    let full = CommandError::Output(std::io::ErrorKind::StorageFull.into());
    assert!(!full.is_closed_pipe());
}

/// What is to be copied is never cut; everything else fits.
#[tokio::test]
async fn lines_fit_the_terminal() {
    let server = scene().await;
    for width in [60, 80, 200] {
        for args in [
            &["status"][..],
            &["calendar"],
            &["list"],
            &["list", "--failed"],
            &["explain"],
            &["explain", "Auth"],
        ] {
            for line in cxr_on(&server, width, args).await.lines() {
                let is_to_copy = line.trim_start().starts_with("cxr ");
                assert!(
                    is_to_copy || line.chars().count() <= width,
                    "{args:?} {width}: {line}"
                );
            }
        }
    }
}
