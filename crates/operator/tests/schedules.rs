//! `cxr schedules`: what the SAM template says of the definitions.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::fs;
use std::path::PathBuf;

use clap::Parser as _;
use operator::{Cli, CommandError, Context, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const INFRA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra");
const SHIPPED: &str = "daily-agent-performance.json";

async fn cxr(args: &[&str]) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = Context {
        out: &mut out,
        now: "2026-06-10T12:00:00Z".parse().unwrap(),
        aws: async || panic!("no network"),
    };
    let cli = Cli::try_parse_from([&["cxr", "schedules"], args].concat()).unwrap();
    let result = run(cli, context).await;
    (result, String::from_utf8(out).unwrap())
}

/// A copy of the shipped template and definition.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        fs::create_dir(copy.reports()).unwrap();
        fs::copy(format!("{INFRA}/template.yaml"), copy.template()).unwrap();
        fs::copy(
            format!("{INFRA}/reports/{SHIPPED}"),
            copy.reports().join(SHIPPED),
        )
        .unwrap();
        copy
    }

    fn reports(&self) -> PathBuf {
        self.0.path().join("reports")
    }

    fn template(&self) -> PathBuf {
        self.0.path().join("template.yaml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.template()).unwrap()
    }

    /// The shipped definition under another file name, changed.
    fn add(&self, file: &str, changes: &[(&str, Value)]) -> Value {
        let shipped = fs::read(format!("{INFRA}/reports/{SHIPPED}")).unwrap();
        let mut definition: Value = serde_json::from_slice(&shipped).unwrap();
        for (pointer, value) in changes {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            definition.pointer_mut(parent).unwrap()[field] = value.clone();
        }
        let text = serde_json::to_string_pretty(&definition).unwrap();
        fs::write(self.reports().join(file), text).unwrap();
        definition
    }

    async fn cxr(&self, more: &[&str]) -> (Result<u8, CommandError>, String) {
        let (reports, template) = (self.reports(), self.template());
        let paths = [reports.to_str().unwrap(), template.to_str().unwrap()];
        cxr(&[&paths, more].concat()).await
    }

    async fn written(&self) -> String {
        let (result, out) = self.cxr(&[]).await;
        assert_eq!(result.unwrap(), 0, "{out}");
        self.text()
    }

    /// The inputs of all schedules, as `CloudFormation` makes them.
    async fn inputs(&self) -> Vec<Value> {
        let text = self.written().await;
        let inputs = text.split("Input: !Sub |-\n").skip(1).map(|rest| {
            let lines = rest
                .lines()
                .take_while(|line| line.is_empty() || line.starts_with("          "));
            let json = lines.collect::<Vec<_>>().join("\n");
            let made = json
                .replace("${AWS::AccountId}", "123456789012")
                .replace("${AWS::Region}", "eu-central-1")
                .replace("${!", "${");
            serde_json::from_str(&made).unwrap()
        });
        inputs.collect()
    }
}

#[tokio::test]
async fn the_committed_template_has_every_report() {
    let (reports, template) = (format!("{INFRA}/reports"), format!("{INFRA}/template.yaml"));
    let (result, out) = cxr(&[&reports, &template, "--check"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
}

#[tokio::test]
async fn a_second_file_is_a_second_schedule_and_a_second_alarm() {
    let copy = Copy::new();
    let before = copy.text();
    copy.add(
        "weekly.json",
        &[
            ("/name", json!("Weekly")),
            ("/schedule/type", json!("weekly")),
            ("/schedule/time", json!("06:00")),
            ("/report/dateRange/value", json!("previousWeek")),
        ],
    );
    let (result, out) = copy.cxr(&["--check"]).await;
    assert_eq!(result.unwrap(), 1);
    let said = "is out of date: WeeklyNotDeliveredAlarm, WeeklySchedule; run: cxr schedules";
    assert!(out.contains(said), "{out}");
    assert_eq!(copy.text(), before, "--check writes nothing");
    let after = copy.written().await;
    for line in [
        "  WeeklySchedule:",
        "      ScheduleExpression: cron(0 6 ? * MON *)",
        "  WeeklyNotDeliveredAlarm:",
        "      EvaluationPeriods: 168",
        "      ScheduleExpression: cron(30 5 * * ? *)",
    ] {
        assert!(after.lines().any(|it| it == line), "{line}");
    }
    fs::remove_file(copy.reports().join("weekly.json")).unwrap();
    assert_eq!(copy.written().await, before);
}

#[tokio::test]
async fn a_typo_in_a_metric_is_told_by_code_and_file_and_nothing_is_written() {
    let copy = Copy::new();
    let before = copy.text();
    copy.add(
        "typo.json",
        &[
            ("/name", json!("Typo")),
            ("/report/metrics", json!(["handelTime"])),
        ],
    );
    for more in [["--check"].as_slice(), &[]] {
        let (result, out) = copy.cxr(more).await;
        assert_eq!(result.unwrap(), 1);
        let finding = out.lines().next().unwrap();
        assert!(finding.contains("typo.json: error CXD"), "{finding}");
        assert!(finding.contains("/report/metrics/0"), "{finding}");
    }
    assert_eq!(copy.text(), before);
}

#[tokio::test]
async fn an_input_is_the_scheduled_event_with_the_definition_as_it_was_written() {
    let copy = Copy::new();
    let hostile = copy.add(
        "hostile.json",
        &[
            (
                "/name",
                json!("Zo\u{eb} \u{2028} ${AWS::StackName} \"a: b\" # c"),
            ),
            (
                "/report/filters/0/values",
                json!([
                    "${!x}",
                    "\u{0}\n{% $x %}",
                    "<aws.scheduler.attempt-number>",
                    "\"account\": \"\""
                ]),
            ),
        ],
    );
    let inputs = copy.inputs().await;
    assert_eq!(inputs.len(), 2);
    let expected = json!({
        "version": "0",
        "id": "<aws.scheduler.execution-id>",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "<aws.scheduler.scheduled-time>",
        "region": "eu-central-1",
        "resources": ["<aws.scheduler.schedule-arn>"],
        "detail": { "definition": hostile },
    });
    assert_eq!(inputs[1], expected);
}

#[tokio::test]
async fn months_and_single_windows_have_schedules_and_say_that_nothing_watches_them() {
    let copy = Copy::new();
    copy.add(
        "monthly.json",
        &[
            ("/name", json!("Monthly")),
            ("/schedule/type", json!("monthly")),
            ("/report/dateRange/value", json!("previousMonth")),
        ],
    );
    copy.add("once.json", &[
        ("/name", json!("Once")),
        ("/schedule/type", json!("once")),
        ("/report/dateRange", json!({"type": "absolute", "start": "2026-06-01T00:00:00Z", "end": "2026-06-03T00:00:00Z"})),
    ]);
    let text = copy.written().await;
    assert!(text.contains("cron(30 5 1 * ? *)"));
    assert!(
        text.contains("at(2026-06-03T05:30:00)"),
        "the first time after the window is final"
    );
    assert!(text.contains("# monthly: monthly. CloudWatch looks back 7 days at most"));
    assert!(!text.contains("OnceNotDeliveredAlarm"));
}

#[tokio::test]
async fn what_can_not_be_a_schedule_is_told() {
    let copy = Copy::new();
    copy.add("a b.json", &[("/name", json!("Other"))]);
    assert_eq!(copy.cxr(&[]).await.0.unwrap_err().code(), "CXO015");
    fs::remove_file(copy.reports().join("a b.json")).unwrap();

    copy.add("daily_agent_performance.json", &[("/name", json!("Other"))]);
    let error = copy.cxr(&[]).await.0.unwrap_err();
    assert!(error.to_string().contains("rename one"), "{error}");
    fs::remove_file(copy.reports().join("daily_agent_performance.json")).unwrap();

    fs::write(copy.template(), "Resources: {}\n").unwrap();
    assert_eq!(copy.cxr(&[]).await.0.unwrap_err().code(), "CXO014");
}
