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
    cxr_at("2026-06-10T12:00:00Z", args).await
}

async fn cxr_at(now: &str, args: &[&str]) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = Context {
        out: &mut out,
        now: now.parse().unwrap(),
        pause: std::time::Duration::ZERO,
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
        ("/report/dateRange", json!({"type": "absolute", "start": "2026-06-11T00:00:00Z", "end": "2026-06-13T00:00:00Z"})),
    ]);
    let text = copy.written().await;
    assert!(text.contains("cron(30 5 1 * ? *)"));
    assert!(
        text.contains("at(2026-06-13T05:30:00)"),
        "the first time after the window is final"
    );
    assert!(text.contains("# monthly: monthly. CloudWatch looks back 7 days at most"));
    assert!(!text.contains("OnceNotDeliveredAlarm"));
}

#[tokio::test]
async fn each_distance_of_restate_is_a_schedule_that_comes_so_much_later() {
    let copy = Copy::new();
    let restate = |distances: Value| ("/pipeline/restate", distances);
    copy.add(
        "day.json",
        &[("/name", json!("Day")), restate(json!(["P1D", "P7D"]))],
    );
    copy.add(
        "week.json",
        &[
            ("/name", json!("Week")),
            ("/schedule/type", json!("weekly")),
            ("/report/dateRange/value", json!("previousWeek")),
            restate(json!(["P1D", "P13D"])),
        ],
    );
    copy.add(
        "month.json",
        &[
            ("/name", json!("Month")),
            ("/schedule/type", json!("monthly")),
            ("/report/dateRange/value", json!("previousMonth")),
            restate(json!(["P7D"])),
        ],
    );
    copy.add(
        "hours.json",
        &[
            ("/name", json!("Hours")),
            ("/schedule/type", json!("hourly")),
            ("/schedule/time", json!("01:15")),
            ("/schedule/everyHours", json!(6)),
            ("/report/dateRange/value", json!("previousHours")),
            ("/pipeline/settledAfter", json!("PT45M")),
            ("/pipeline/settledAt", Value::Null),
            restate(json!(["P1D"])),
        ],
    );
    let text = copy.written().await;
    let schedules: Vec<_> = text
        .split("    Type: AWS::Scheduler::Schedule\n")
        .skip(1)
        .map(|it| {
            let value = |name: &str| {
                it.lines()
                    .find_map(|line| line.trim().strip_prefix(name))
                    .unwrap()
            };
            format!("{} {}", value("Name: "), value("ScheduleExpression: "))
        })
        .collect();
    assert_eq!(
        schedules,
        [
            r#""daily-agent-performance" cron(30 5 * * ? *)"#,
            r#""day" cron(30 5 * * ? *)"#,
            r#""day-restate-P1D" cron(30 5 * * ? *)"#,
            r#""day-restate-P7D" cron(30 5 * * ? *)"#,
            r#""hours" cron(15 1,7,13,19 * * ? *)"#,
            r#""hours-restate-P1D" cron(15 1,7,13,19 * * ? *)"#,
            r#""month" cron(30 5 1 * ? *)"#,
            r#""month-restate-P7D" cron(30 5 8 * ? *)"#,
            r#""week" cron(30 5 ? * MON *)"#,
            r#""week-restate-P1D" cron(30 5 ? * TUE *)"#,
            r#""week-restate-P13D" cron(30 5 ? * SUN *)"#,
        ]
    );
    let inputs = copy.inputs().await;
    let asked: Vec<_> = inputs
        .iter()
        .map(|it| it["detail"]["restate"].as_str())
        .collect();
    assert_eq!(asked[..4], [None, None, Some("P1D"), Some("P7D")]);
    assert_eq!(
        inputs[2]["detail"]["definition"],
        inputs[1]["detail"]["definition"]
    );
}

/// `at(…)` of a time that has passed is refused when a stack is created, and with it the whole stack.
#[tokio::test]
async fn a_report_whose_only_time_has_passed_gets_no_schedule_and_a_warning() {
    let copy = Copy::new();
    let once = |start: &str, end: &str| {
        [
            ("/name", json!("Once")),
            ("/schedule/type", json!("once")),
            (
                "/report/dateRange",
                json!({"type": "absolute", "start": start, "end": end}),
            ),
        ]
    };
    copy.add(
        "once.json",
        &once("2024-06-01T00:00:00Z", "2024-06-03T00:00:00Z"),
    );
    let (result, out) = copy.cxr(&[]).await;
    assert_eq!(result.unwrap(), 0);
    assert!(out.starts_with(
        "warning: once.json: 2024-06-03T05:30:00Z has passed, so it gets no schedule; ask for its window by: cxr run once.json --at 2024-06-03T05:30:00Z\n"
    ), "{out}");
    assert!(!copy.text().contains("at(2024"));
    assert_eq!(copy.cxr(&["--check"]).await.0.unwrap(), 0);

    // What was written before its time stays right when the time has passed; writing anew takes it out.
    copy.add(
        "once.json",
        &once("2026-06-10T00:00:00Z", "2026-06-11T00:00:00Z"),
    );
    let later = async |more: &[&str]| {
        let (reports, template) = (copy.reports(), copy.template());
        let paths = [reports.to_str().unwrap(), template.to_str().unwrap()];
        cxr_at("2026-06-12T00:00:00Z", &[&paths, more].concat()).await
    };
    assert!(copy.written().await.contains("at(2026-06-11T05:30:00)"));
    let (result, out) = later(&["--check"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    assert!(
        out.contains("has passed") && out.contains("is up to date"),
        "{out}"
    );
    assert_eq!(later(&[]).await.0.unwrap(), 0);
    assert!(!copy.text().contains("at(2026"));
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

    // A schedule that states windows anew has a name of its own, too.
    copy.add(
        "day.json",
        &[
            ("/name", json!("Day")),
            ("/pipeline/restate", json!(["P1D"])),
        ],
    );
    copy.add("day-restate-P1D.json", &[("/name", json!("Other"))]);
    let error = copy.cxr(&[]).await.0.unwrap_err();
    assert!(error.to_string().contains("rename one"), "{error}");
    fs::remove_file(copy.reports().join("day-restate-P1D.json")).unwrap();
    let long = "x".repeat(60);
    fs::rename(
        copy.reports().join("day.json"),
        copy.reports().join(format!("{long}.json")),
    )
    .unwrap();
    let error = copy.cxr(&[]).await.0.unwrap_err();
    assert!(error.to_string().contains("shorter name"), "{error}");
    fs::remove_file(copy.reports().join(format!("{long}.json"))).unwrap();

    fs::write(copy.template(), "Resources: {}\n").unwrap();
    assert_eq!(copy.cxr(&[]).await.0.unwrap_err().code(), "CXO014");
}
