//! The command line, as far as it goes without building the handlers.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

fn local(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(arguments).env("LOCAL_HANDLERS", "/nowhere");
    command.output().unwrap()
}

fn check(arguments: &[&str], expected: &[&str]) {
    let output = local(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for expected in expected {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
}

#[test]
fn what_is_wrong_with_the_arguments_is_said_first() {
    check(
        &["--definition", "/nowhere.json"],
        &["CXL001", "/nowhere.json", "--definition"],
    );
    check(
        &["--window", "2026-11-20T00:00:00Z/"],
        &["CXL003", "--window 2026-11-20T00:00:00Z/", "START/END"],
    );
    check(
        &["--window", "last week"],
        &["CXL003", "--window last week", "START/END"],
    );
    check(
        &["--window", "2026-11-20/2026-11-19"],
        &["CXL003", "start is not before its end"],
    );
    check(
        &["--fault", "throtled"],
        &["CXL004", "did you mean \"throttled\"?", "local faults"],
    );
    check(
        &["--fault", "throttled:secs=1"],
        &["CXL004", "secs", "it knows"],
    );
    check(
        &["--tenant", "/nowhere.json"],
        &["CXL005", "/nowhere.json", "--tenant"],
    );
    check(
        &["serve", "--listen", "0.0.0.0:0"],
        &["CXL006", "0.0.0.0:0"],
    );
    // One day is a window, so the handlers are what is missing.
    check(&["--window", "2026-11-20"], &["CXL103"]);
    check(
        &["--restate", "--api", "report-jobs"],
        &["CXL009", "--restate", "report-jobs.json", "--api"],
    );
    check(&["--api", "reports"], &["data-extraction", "contacts"]);
    check(
        &["--api", "contacts", "--definition", "x.json"],
        &["cannot be used with"],
    );
    check(&["--api", "contacts"], &["CXL103", "LOCAL_HANDLERS"]);
    check(&[], &["CXL103", "LOCAL_HANDLERS"]);
}

#[test]
fn a_definition_is_refused_with_all_its_findings() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        &file,
        r#"{"name":"x","report":{"type":"ic","metrics":["talkTime"]}}"#,
    )
    .unwrap();
    let path = file.path().to_str().unwrap();
    check(
        &["--definition", path],
        &[
            "CXL002",
            path,
            "CXD030 /report/metrics/0",
            "CXD010 /pipeline",
        ],
    );
}

#[test]
fn a_tenant_is_a_file_for_every_way_to_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = r#""base_url":"https://api.example.com","token_url":"https://token.example.com/t""#;
    let found = r#""issuer":"https://issuer.example.com","tenant_id":"11eb-t1""#;
    let client = r#""client_id":"c","client_secret":"CANARY""#;
    let key = r#""access_key_id":"k","access_key_secret":"CANARY""#;
    let tenant = |name: &str, fields: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{{{}}}", fields.join(","))).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for fields in [
        &[at, client][..],
        &[at, key],
        &[found, client, key],
        &[at, client, r#""client_auth":"post""#],
    ] {
        // It is read and found right, so that the handlers are what is missing.
        let path = tenant("acme.json", fields);
        check(&["--tenant", &path], &["CXL103", "LOCAL_HANDLERS"]);
        check(&["serve", "--tenant", &path], &["CXL103"]);
    }
    for (fields, said) in [
        (&[at, client, r#""base_ulr":"CANARY""#][..], "base_ulr"),
        (&[at, r#""client_id":"c""#], "client_secret"),
        (&[client], "token_url"),
        (&[found, key], "/authentication/v1/token/access-key"),
        (
            &[at, client, r#""client_secret":"CANARY2""#],
            "client_secret occurs twice",
        ),
        (
            &[at, r#""client_id":"c","client_secret":"CANARY\n""#],
            "client_secret",
        ),
    ] {
        let path = tenant("wrong.json", fields);
        let output = local(&["--tenant", &path]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            ["CXL007", &path, said].iter().all(|it| error.contains(it)),
            "{error}"
        );
        assert!(!error.contains("CANARY"), "{error}");
    }
    let path = tenant("My Tenant.json", &[at, client]);
    check(&["serve", "--tenant", &path], &["CXL008", "My Tenant.json"]);
}

#[test]
fn the_faults_are_listed() {
    let output = local(&["faults"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "all APIs:",
        "\n  token-expires",
        "data-extraction:",
        "\n  link-expired",
    ] {
        assert!(said.contains(expected), "{expected}");
    }
    for entry in cxone_sim::Fault::catalogue()
        .iter()
        .chain(cxone_sim::Fault::published())
    {
        let line = format!("\n  {:<22} {}\n", entry.name, entry.about);
        assert_eq!(said.matches(&line).count(), 1, "{}", entry.name);
    }
}
