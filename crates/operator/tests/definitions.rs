//! The commands that need no network, from the command line to what they print.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod offline;

use std::path::{Path, PathBuf};

use clap::Parser as _;
use operator::{Cli, CommandError};
use serde_json::{Value, json};

use offline::cxr_at;

const REPORT: &str = "../../infra/reports/daily-agent-performance.json";

async fn cxr(args: &[&str]) -> (Result<u8, CommandError>, String) {
    cxr_at("2026-06-10T12:00:00.5Z", args).await
}

async fn done(args: &[&str]) -> String {
    let (result, out) = cxr(args).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    out
}

/// A folder with the shipped definition, changed.
fn changed(folder: &Path, name: &str, pointer: &str, value: Value) -> PathBuf {
    let mut definition: Value = serde_json::from_slice(&std::fs::read(REPORT).unwrap()).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap()[field] = value;
    let file = folder.join(name);
    std::fs::write(&file, definition.to_string()).unwrap();
    file
}

#[tokio::test]
async fn the_shipped_definition_is_without_findings() {
    let out = done(&["check", "--deny-warnings", REPORT]).await;
    assert_eq!(out, "1 definition checked: 0 errors, 0 warnings\n");
}

#[tokio::test]
async fn a_wrong_definition_is_told_by_file_code_pointer_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let file = changed(
        folder.path(),
        "a.json",
        "/schedule/timezone",
        json!("America/New_York"),
    );
    let (result, out) = cxr(&["check", file.to_str().unwrap()]).await;
    assert_eq!(result.unwrap(), 1);
    let expected = format!("{}: error CXD020 at /schedule/timezone: ", file.display());
    assert!(out.starts_with(&expected), "{out}");
}

#[tokio::test]
async fn warnings_fail_only_when_they_are_denied() {
    let folder = tempfile::tempdir().unwrap();
    let file = changed(folder.path(), "a.json", "/schedule/time", json!("02:00"));
    let file = file.to_str().unwrap();
    let (result, out) = cxr(&["check", file]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    assert!(out.contains("warning CXD021 at /schedule/time"), "{out}");
    assert_eq!(cxr(&["check", "--deny-warnings", file]).await.0.unwrap(), 1);
}

#[tokio::test]
async fn a_folder_is_checked_as_a_whole_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path(), "a.json", "/pipeline/maxRuns", json!(2));
    changed(folder.path(), "b.json", "/pipeline/maxRuns", json!(4));
    changed(folder.path(), "c.json", "/pipeline/tenant", json!("other"));
    let (result, out) = cxr(&["check", "--format", "json", folder.path().to_str().unwrap()]).await;
    assert_eq!(result.unwrap(), 1);
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(verdict["files"], 3);
    assert_eq!(verdict["remarks"].as_array().unwrap().len(), 1);
    assert_eq!(verdict["remarks"][0]["code"], "CXO020");
    assert_eq!(verdict["remarks"][0]["pointer"], "/name");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let error = cxr(&["check", "no-such-file.json"]).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO001", 2));
    assert!(error.to_string().contains("no-such-file.json"), "{error}");
}

#[tokio::test]
async fn the_schema_is_json() {
    let schema: Value = serde_json::from_str(&done(&["schema"]).await).unwrap();
    assert!(schema["properties"]["pipeline"].is_object(), "{schema}");
}

#[tokio::test]
async fn a_plan_says_the_window_of_a_scheduled_time() {
    let out = done(&["plan", REPORT, "--at", "2026-06-02T05:30:00Z"]).await;
    for line in [
        "report      Daily Agent Performance Aggregation (tenant acme)\n",
        "window      2026-06-01T00:00:00Z/2026-06-02T00:00:00Z (24 h)\n",
        "final       2026-06-02T05:00:00Z\n",
        "schedule    daily at 05:30 UTC\n",
        "key         agentId, queueId\n",
        "registered  {\"name\":\"Daily Agent",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
}

#[tokio::test]
async fn a_plan_registers_nothing_where_the_api_has_no_schedules() {
    let contacts = "../local/definitions/contacts.json";
    let out = done(&["plan", contacts, "--at", "2026-06-02T05:30:00Z"]).await;
    assert!(!out.contains("registered"), "{out}");
    assert!(!out.contains("columns     \n"), "{out}");
}

#[tokio::test]
async fn a_plan_says_how_long_an_early_execution_waits() {
    let out = done(&["plan", REPORT, "--at", "2026-06-02T03:15:00Z"]).await;
    let line = "final       2026-06-02T05:00:00Z, so that the execution waits 105 min\n";
    assert!(out.contains(line), "{out}");
}

/// Two days, or half a day, would overlap the days that the schedule delivers.
#[tokio::test]
async fn a_window_that_is_none_of_the_reports_own_has_to_be_said_twice() {
    let first = "2026-06-01T00:00:00Z/2026-06-02T00:00:00Z";
    let second = "2026-06-02T00:00:00Z/2026-06-03T00:00:00Z";
    for (window, nearest) in [
        ("2026-06-01/2026-06-03", format!("{first} and {second}")),
        (
            "2026-06-01/2026-06-02T01:00:00Z",
            format!("{first} and {second}"),
        ),
        ("2026-06-01T12:00:00Z/2026-06-02", first.to_owned()),
        (
            "2026-06-01T23:00:00Z/2026-06-02T01:00:00Z",
            format!("{first} and {second}"),
        ),
    ] {
        let args = ["event", REPORT, "--window", window];
        for args in [&args[..], &[&args[..], &["--replay", "late data"]].concat()] {
            let error = cxr(args).await.0.unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("CXO016", 2));
            let said = error.to_string();
            assert!(
                said.contains(&format!("nearest to it are {nearest};")),
                "{said}"
            );
            done(&[args, &["--off-grid"]].concat()).await;
        }
        // Only a window that was delivered as it is can be taken back.
        done(&[&args[..], &["--withdraw", "two days in one"]].concat()).await;
        let plan = done(&["plan", REPORT, "--window", window]).await;
        let line = format!("            none of the report's own: nearest are {nearest}\n");
        assert!(plan.contains(&line), "{plan}");
    }
    let folder = tempfile::tempdir().unwrap();
    let weekly = json!({"type": "weekly", "time": "06:00", "timezone": "UTC"});
    let file = changed(folder.path(), "weekly.json", "/schedule", weekly);
    let mut definition: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    definition["report"]["dateRange"]["value"] = json!("previousWeek");
    std::fs::write(&file, definition.to_string()).unwrap();
    let file = file.to_str().unwrap();
    done(&["event", file, "--window", "2026-06-01/2026-06-08"]).await;
    let error = cxr(&["event", file, "--window", "2026-06-01"])
        .await
        .0
        .unwrap_err();
    let week = "are 2026-06-01T00:00:00Z/2026-06-08T00:00:00Z;";
    assert!(error.to_string().contains(week), "{error}");
}

/// A day is typed as the author means it: one of the report's own zone, which has 25 hours when clocks are set back.
#[tokio::test]
async fn a_day_is_one_of_the_reports_zone() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string("../local/definitions/contacts.json").unwrap();
    let mut definition: Value = serde_json::from_str(&text).unwrap();
    definition["pipeline"]["windowZone"] = json!("America/New_York");
    definition["schedule"]["time"] = json!("06:00");
    let file = folder.path().join("contacts.json");
    std::fs::write(&file, definition.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let window = json!({"start": "2026-11-01T04:00:00Z", "end": "2026-11-02T05:00:00Z"});
    for typed in [
        "2026-11-01",
        "2026-11-01/2026-11-02",
        "2026-11-01T04:00:00Z/2026-11-02",
    ] {
        for what in [&[][..], &["--replay", "late"], &["--withdraw", "mistake"]] {
            let args = [&["event", file, "--window", typed], what].concat();
            let event: Value = serde_json::from_str(&done(&args).await).unwrap();
            assert_eq!(event["detail"]["window"], window, "{args:?}");
        }
    }
}

#[tokio::test]
async fn an_event_is_one_that_the_handlers_take() {
    let out = done(&["event", REPORT, "--window", "2026-06-01"]).await;
    let event: delivery::Event = serde_json::from_str(&out).unwrap();
    assert_eq!(event.source, "aws.scheduler");
    assert_eq!(
        event.time.unwrap().to_rfc3339(),
        "2026-06-02T05:00:00+00:00"
    );
    assert_eq!(
        event.detail.window.unwrap().key(),
        "20260601T000000Z-20260602T000000Z"
    );
    assert_eq!(event.detail.replay, None);
    assert_eq!(
        event.detail.definition["name"],
        "Daily Agent Performance Aggregation"
    );
}

#[tokio::test]
async fn a_replay_event_says_who_and_why() {
    let args = [
        "event",
        REPORT,
        "--at",
        "2026-06-02T05:30:00Z",
        "--replay",
        "late data",
        "--requested-by",
        "ana",
    ];
    let event: delivery::Event = serde_json::from_str(&done(&args).await).unwrap();
    let replay = event.detail.replay.unwrap();
    assert_eq!(
        (replay.reason.as_str(), replay.requested_by.as_str()),
        ("late data", "ana")
    );
    assert_eq!(
        event.detail.window.unwrap().key(),
        "20260601T000000Z-20260602T000000Z"
    );
    assert_eq!(
        event.time.unwrap().to_rfc3339(),
        "2026-06-10T12:00:00+00:00"
    );
}

#[tokio::test]
async fn an_event_for_the_scheduler_has_its_placeholders() {
    let event: Value =
        serde_json::from_str(&done(&["event", REPORT, "--scheduler"]).await).unwrap();
    assert_eq!(event["time"], "<aws.scheduler.scheduled-time>");
    assert_eq!(event["id"], "<aws.scheduler.execution-id>");
}

#[tokio::test]
async fn commands_that_need_a_state_machine_say_so() {
    let error = cxr(&["list", "--state-machine", ""]).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO006");
    let wrong = ["--state-machine", "reports"];
    for command in [
        &["list"][..],
        &["status"],
        &["event", REPORT, "--scheduler"],
    ] {
        let error = cxr(&[command, &wrong].concat()).await.0.unwrap_err();
        assert_eq!(error.code(), "CXO006");
        let told = "\"reports\" is not the ARN of a state machine: set STATE_MACHINE_ARN";
        assert!(error.to_string().starts_with(told), "{error}");
    }
    // Those that need none don't mind.
    done(&["check", REPORT, "--state-machine", "reports"]).await;
}

#[test]
fn the_command_line_is_sound() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
    for args in [
        &["cxr", "plan", "a.json"][..],
        &["cxr", "run", "a.json", "--at", "x", "--window", "y"],
        &["cxr", "redrive"],
        &["cxr", "redrive", "bad", "--since", "1d"],
        &["cxr", "retry"],
        &["cxr", "retry", "daily", "--all"],
        &["cxr", "retry", "--all", "--at-once", "0"],
        &["cxr", "replay", "daily", "--reason", "x"],
        &["cxr", "replay", "a.json", "--window", "x"],
        &["cxr", "withdraw", "a.json", "--window", "x"],
        &[
            "cxr",
            "event",
            "a.json",
            "--window",
            "x",
            "--replay",
            "y",
            "--withdraw",
            "z",
        ],
    ] {
        assert!(Cli::try_parse_from(args).is_err(), "{args:?}");
    }
}

#[tokio::test]
async fn a_table_is_printed_for_the_warehouse_that_is_named() {
    let sql = done(&[
        "ddl",
        "--for",
        "postgres",
        "--table",
        "reports.daily",
        REPORT,
    ])
    .await;
    for line in [
        "create table if not exists \"reports\".\"daily\" (",
        "    \"agentid\" text,",
        "    \"handletime\" double precision,",
        "    \"_version\" bigint not null,",
        "comment on column \"reports\".\"daily\".\"agentid\" is 'Id of the agent. Field: agentId.';",
    ] {
        assert!(sql.lines().any(|it| it == line), "{line}\n{sql}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = changed(
        folder.path(),
        "a.json",
        "/pipeline/target",
        json!("snowflake"),
    );
    let out = done(&["ddl", "--json", file.to_str().unwrap()]).await;
    let made: Value = serde_json::from_str(&out).unwrap();
    let first = json!({
        "name": "AGENTID", "field": "agentId", "sqlType": "varchar", "nullable": true, "unit": null,
        "description": "Id of the agent.", "basis": "assumed"
    });
    assert_eq!(
        (&made["kind"], &made["columns"][0]),
        (&json!("ddl"), &first)
    );
    let declared = json!({ "dimensions": { "_version": { "type": "long" } } });
    let twins = changed(folder.path(), "b.json", "/pipeline/declare", declared);
    let mut twins: Value = serde_json::from_slice(&std::fs::read(twins).unwrap()).unwrap();
    twins["report"]["dimensions"]
        .as_array_mut()
        .unwrap()
        .push(json!("_version"));
    std::fs::write(folder.path().join("b.json"), twins.to_string()).unwrap();
    let twins = folder.path().join("b.json");
    for (args, code, exit) in [
        (vec!["ddl", REPORT], "CXO150", 2),
        (
            vec!["ddl", "--for", "duckdb", twins.to_str().unwrap()],
            "CXO151",
            1,
        ),
        (
            vec!["ddl", "--for", "duckdb", "--table", "a..b", REPORT],
            "CXO152",
            2,
        ),
    ] {
        let error = cxr(&args).await.0.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), (code, exit), "{error}");
    }
}

#[tokio::test]
async fn a_load_says_in_its_first_line_where_it_was_run() {
    for (warehouse, first) in [
        ("postgres", "-- PostgreSQL 13 or newer"),
        ("redshift", "-- NOT RUN ON REDSHIFT."),
        ("snowflake", "-- NOT RUN ON SNOWFLAKE."),
        ("bigquery", "-- NOT RUN ON BIGQUERY."),
    ] {
        let sql = done(&["sql", warehouse, "--prefix", "reports", REPORT]).await;
        assert!(sql.starts_with(first), "{sql}");
        for part in [
            "'reports/acme/Daily_Agent_Performance_Aggregation'",
            "cxone_loaded set version = ",
            "Grant.",
        ] {
            assert!(sql.contains(part), "{part}\n{sql}");
        }
        assert!(sql.to_lowercase().contains("cxone_commits"), "{sql}");
    }
    let folder = tempfile::tempdir().unwrap();
    let csv = changed(folder.path(), "a.json", "/pipeline/format", json!("csv"));
    let zstd = changed(
        folder.path(),
        "b.json",
        "/pipeline/compression",
        json!("zstd"),
    );
    let of_csv = ["snowflake", "bigquery", "redshift"].map(|warehouse| (warehouse, &csv));
    for (warehouse, file) in of_csv.into_iter().chain([("bigquery", &zstd)]) {
        let args = ["sql", warehouse, file.to_str().unwrap()];
        let error = cxr(&args).await.0.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO156", 1), "{error}");
    }
}

#[tokio::test]
async fn the_tables_of_definitions_are_one_source_of_dbt() {
    let yaml = done(&["dbt", "--for", "snowflake", "--schema", "cxone", REPORT]).await;
    for line in [
        "    schema: \"CXONE\"",
        "      - name: \"daily_agent_performance_aggregation\"",
        "        identifier: \"DAILY_AGENT_PERFORMANCE_AGGREGATION\"",
        "          loaded_at_field: \"\\\"_LOADED_AT\\\"\"",
        "            warn_after: {count: 27, period: hour}",
        "          - name: \"AGENTID\"",
        "      - name: \"cxone_commits\"",
        "                    values: [total, consistent, second-run]",
    ] {
        assert!(yaml.lines().any(|it| it == line), "{line}\n{yaml}");
    }
    let folder = tempfile::tempdir().unwrap();
    let braces = json!([{"name": "a", "type": "string", "description": "{{ target.password }}: \"quoted\""}]);
    let mut written: Value =
        serde_json::from_slice(&std::fs::read("../local/definitions/data-download.json").unwrap())
            .unwrap();
    written["report"]["columns"] = braces;
    written["pipeline"]["key"] = json!(["a"]);
    let file = folder.path().join("a.json");
    std::fs::write(&file, written.to_string()).unwrap();
    let yaml = done(&["dbt", "--for", "postgres", file.to_str().unwrap()]).await;
    assert!(
        yaml.contains(r#"description: "{ { target.password }}: \"quoted\"""#),
        "{yaml}"
    );
    // Without a schema it is that of dbt's target, and no other text has braces.
    assert_eq!(yaml.matches("{{").count(), 1, "{yaml}");
    let args = ["dbt", "--for", "duckdb", "--table", "daily", REPORT, REPORT];
    let error = cxr(&args).await.0.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO158", 2), "{error}");
}
