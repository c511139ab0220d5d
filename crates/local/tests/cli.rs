//! The command line, as far as it goes without building the handlers.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

fn local(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(arguments).env("LOCAL_HANDLERS", "/nowhere");
    for name in [
        "CXONE_TOKEN_URL",
        "CXONE_ALLOWED_HOSTS",
        "CXONE_CLIENT_ID",
        "CXONE_CLIENT_SECRET",
    ] {
        command.env_remove(name);
    }
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
        &["--tenant", "https://api.example.com"],
        &[
            "CXL005",
            "CXONE_TOKEN_URL, CXONE_ALLOWED_HOSTS, CXONE_CLIENT_ID, CXONE_CLIENT_SECRET",
        ],
    );
    check(
        &["serve", "--listen", "0.0.0.0:0"],
        &["CXL006", "0.0.0.0:0"],
    );
    // One day is a window, so the handlers are what is missing.
    check(&["--window", "2026-11-20"], &["CXL103"]);
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
