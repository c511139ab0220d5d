//! What programs read: with `--json` each command prints one document, which its schema describes in full.

use clap::Parser as _;
use operator::{Cli, describe_error, describe_usage};
use serde_json::{Value, json};

use crate::cxr;
use crate::scene::{Report, definition};
use crate::states::Server;
use crate::status::NAME;

/// Checks a value against a schema. A field that the schema does not name is an error.
pub(crate) fn check(schema: &Value, root: &Value, value: &Value, at: &str) {
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

pub(crate) async fn schema_of(server: &Server, kind: &str) -> Value {
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
