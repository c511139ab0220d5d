//! A day that the command line delivers, with the handlers as they are built.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;
use std::process::Command;

use local::Handlers;

/// The folder with the handlers, which are built if they have to be.
fn build_handlers() -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let handlers = runtime.unwrap().block_on(Handlers::from_env()).unwrap();
    handlers
        .path("trigger")
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}

#[test]
fn a_day_is_shown_with_what_is_not_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let handlers = build_handlers();
    let deliver = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.env("LOCAL_HANDLERS", &handlers);
        command.args(["--time-scale", "virtual", "--rows", "250", "--out"]);
        command.arg(folder.path()).args(arguments);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{error}");
        let lines = said.lines().filter(|line| line.starts_with("warning"));
        let warnings: Vec<String> = lines.map(str::to_owned).collect();
        warnings
    };
    let drift = "schema-drift:as=missing,page=0";
    let contacts = ["--api", "contacts", "--window"];
    for (day, fault, said) in [
        ("2026-11-01", "none", &[][..]),
        (
            "2026-11-02",
            drift,
            &[r#"warning       no row has "avgWaitTime""#],
        ),
        (
            "2026-11-03",
            drift,
            &[r#"warning       no row has "avgWaitTime""#],
        ),
    ] {
        let warnings = deliver(&[&contacts[..], &[day, "--fault", fault]].concat());
        assert_eq!(warnings, said, "{day}");
    }
}

/// A plain day is one of the definition's zone.
#[test]
fn a_day_of_a_definition_with_a_zone_is_its_own_day() {
    let folder = tempfile::tempdir().unwrap();
    let handlers = build_handlers();
    let contacts = std::fs::read_to_string("definitions/contacts.json").unwrap();
    let mut definition: serde_json::Value = serde_json::from_str(&contacts).unwrap();
    definition["pipeline"]["windowZone"] = "America/New_York".into();
    definition["schedule"]["time"] = "06:00".into();
    let file = folder.path().join("contacts.json");
    std::fs::write(&file, definition.to_string()).unwrap();
    let deliver = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.env("LOCAL_HANDLERS", &handlers);
        command.args(["--time-scale", "virtual", "--rows", "250"]);
        command
            .args(["--window", "2026-11-01", "--definition"])
            .arg(&file);
        command.arg("--out").arg(folder.path().join("out"));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let said = deliver();
    let window = "2026-11-01T04:00:00Z/2026-11-02T05:00:00Z";
    assert!(said.contains(window), "{said}");
    // Asked for once more with another definition, it says what differs.
    definition["pipeline"]["maxRuns"] = 5.into();
    std::fs::write(&file, definition.to_string()).unwrap();
    let said = deliver();
    let told = [
        "delivered already",
        "note ",
        "/pipeline/maxRuns",
        "cxr replay FILE",
    ];
    assert!(told.iter().all(|told| said.contains(told)), "{said}");
}

/// Whatever was delivered, and whether it was there before.
#[test]
fn how_a_table_is_read_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let handlers = build_handlers();
    let deliver = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.env("LOCAL_HANDLERS", &handlers);
        command.args(["--rows", "250", "--out"]);
        command.arg(folder.path()).args(arguments);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let daily = ["--time-scale", "virtual"];
    let table = ["--table", "delta"];
    for (arguments, report) in [
        ([&daily[..], &table].concat(), "Daily_Agent"),
        ([&daily[..], &table].concat(), "Daily_Agent"),
        ([&["--restate"], &table[..]].concat(), "Late_Rows"),
    ] {
        let said = deliver(&arguments);
        let line = said.lines().find(|line| line.contains("polars.read_delta"));
        let line = line.unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        assert!(line.contains(report) && line.contains("/table/"), "{line}");
    }
    assert!(
        !deliver(&daily).contains("polars"),
        "no table was asked for"
    );
}
