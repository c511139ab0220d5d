//! A day that the command line delivers, with the handlers as they are built.

use std::process::Command;

#[test]
fn a_day_is_shown_with_what_is_not_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let deliver = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
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
