//! `cxr schedules`: the template of the schedules that follow from the definitions.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod offline;

use std::fs;
use std::path::PathBuf;

use operator::CommandError;
use serde_json::{Value, json};
use tempfile::TempDir;

const INFRA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra");
const SHIPPED: &str = "daily-agent-performance.json";
const TEMPLATE: &str = "reports.template.json";

async fn cxr(args: &[&str]) -> (Result<u8, CommandError>, String) {
    cxr_at("2026-06-10T12:00:00Z", args).await
}

async fn cxr_at(now: &str, args: &[&str]) -> (Result<u8, CommandError>, String) {
    offline::cxr_at(now, &[&["schedules"], args].concat()).await
}

/// A copy of the shipped template and definition.
struct Copy(TempDir);

/// What a template says of a schedule.
type Schedule = (String, String, Value);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        fs::create_dir(copy.reports()).unwrap();
        fs::copy(format!("{INFRA}/{TEMPLATE}"), copy.template()).unwrap();
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
        self.0.path().join(TEMPLATE)
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

    /// Name, times and input of each schedule, as `CloudFormation` makes them in the stack `s`, in the order of their names.
    async fn schedules(&self) -> Vec<Schedule> {
        let text = self.written().await;
        assert!(text.is_ascii(), "CloudFormation keeps ASCII everywhere");
        let template: Value = serde_json::from_str(&text).unwrap();
        let resources = template["Resources"].as_object().unwrap().values();
        let schedules = resources.filter(|it| it["Type"] == "AWS::Scheduler::Schedule");
        let mut found: Vec<Schedule> = schedules
            .map(|it| {
                let properties = &it["Properties"];
                let filled = |value: &Value| {
                    let text = value["Fn::Sub"].as_str().unwrap();
                    text.replace("${AWS::AccountId}", "123456789012")
                        .replace("${AWS::Region}", "eu-central-1")
                        .replace("${Name}", "s")
                        .replace("${!", "${")
                };
                (
                    filled(&properties["Name"]),
                    properties["ScheduleExpression"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                    serde_json::from_str(&filled(&properties["Target"]["Input"])).unwrap(),
                )
            })
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found
    }

    async fn times(&self) -> Vec<String> {
        let schedules = self.schedules().await.into_iter();
        schedules
            .map(|(name, times, _)| format!("{name} {times}"))
            .collect()
    }
}

#[tokio::test]
async fn the_committed_template_has_every_report() {
    let (reports, template) = (format!("{INFRA}/reports"), format!("{INFRA}/{TEMPLATE}"));
    let (result, out) = cxr(&[&reports, &template, "--check"]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
}

#[tokio::test]
async fn a_second_file_is_two_schedules_more() {
    let copy = Copy::new();
    let before = copy.text();
    copy.add(
        "weekly.json",
        &[
            ("/name", json!("Weekly")),
            ("/schedule/type", json!("weekly")),
            ("/schedule/time", json!("22:30")),
            ("/report/dateRange/value", json!("previousWeek")),
        ],
    );
    let (result, out) = copy.cxr(&["--check"]).await;
    assert_eq!(result.unwrap(), 1);
    let said = "is out of date: WeeklyExpectSchedule, WeeklySchedule; run: cxr schedules";
    assert!(out.contains(said), "{out}");
    assert_eq!(copy.text(), before, "--check writes nothing");
    assert_eq!(
        copy.times().await,
        [
            "s-daily-agent-performance cron(30 5 * * ? *)",
            "s-daily-agent-performance-expect cron(30 8 * * ? *)",
            "s-weekly cron(30 22 ? * MON *)",
            "s-weekly-expect cron(30 1 ? * TUE *)",
        ]
    );
    fs::remove_file(copy.reports().join("weekly.json")).unwrap();
    assert_eq!(copy.written().await, before);
}

/// A stack may have no reports, if somebody else makes the schedules; its template is one that `CloudFormation` takes.
#[tokio::test]
async fn an_empty_folder_is_a_template_without_schedules() {
    let copy = Copy::new();
    fs::remove_file(copy.reports().join(SHIPPED)).unwrap();
    let written: Value = serde_json::from_str(&copy.written().await).unwrap();
    let only = json!({"NoSchedules": {"Type": "AWS::CloudFormation::WaitConditionHandle"}});
    assert_eq!(written["Resources"], only);
}

/// Whoever sorts reports by tenant into folders would otherwise get none of them, and no word about it.
#[tokio::test]
async fn definitions_in_a_folder_inside_are_refused_and_other_folders_are_not() {
    let copy = Copy::new();
    let before = copy.text();
    let inside = copy.reports().join("globex");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("notes.txt"), "nothing to schedule").unwrap();
    assert_eq!(copy.cxr(&[]).await.0.unwrap(), 0);
    fs::copy(copy.reports().join(SHIPPED), inside.join("daily.json")).unwrap();
    let told = copy.cxr(&[]).await.0.unwrap_err().to_string();
    assert!(told.contains("globex"), "{told}");
    assert!(told.contains("move its .json files up"), "{told}");
    assert_eq!(copy.text(), before);
}

#[tokio::test]
async fn without_a_file_the_template_is_printed() {
    let (result, out) = cxr(&[&format!("{INFRA}/reports")]).await;
    assert_eq!(result.unwrap(), 0);
    let shipped = fs::read_to_string(format!("{INFRA}/{TEMPLATE}")).unwrap();
    assert_eq!(out, shipped);
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
    let schedules = copy.schedules().await;
    let input = |name: &str| &schedules.iter().find(|it| it.0 == name).unwrap().2;
    let mut expected = json!({
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
    assert_eq!(*input("s-hostile"), expected);
    expected["detail"]["expect"] = json!("delivered");
    assert_eq!(*input("s-hostile-expect"), expected);
}

#[tokio::test]
async fn months_and_single_windows_are_expected_too() {
    let copy = Copy::new();
    fs::remove_file(copy.reports().join(SHIPPED)).unwrap();
    copy.add(
        "monthly.json",
        &[
            ("/name", json!("Monthly")),
            ("/schedule/type", json!("monthly")),
            ("/report/dateRange/value", json!("previousMonth")),
            ("/pipeline/expectedBy", json!("P2DT1H30M")),
        ],
    );
    copy.add("once.json", &[
        ("/name", json!("Once")),
        ("/schedule/type", json!("once")),
        ("/report/dateRange", json!({"type": "absolute", "start": "2026-06-11T00:00:00Z", "end": "2026-06-13T00:00:00Z"})),
    ]);
    assert_eq!(
        copy.times().await,
        [
            "s-monthly cron(30 5 1 * ? *)",
            "s-monthly-expect cron(0 7 3 * ? *)",
            // The first time after the window is final.
            "s-once at(2026-06-13T05:30:00)",
            "s-once-expect at(2026-06-13T08:30:00)",
        ]
    );
}

/// A team names its files as it speaks. A schedule's name has 64 characters of ASCII, of which the deployment's name takes some.
#[tokio::test]
async fn any_name_of_a_file_is_the_name_of_a_schedule() {
    let copy = Copy::new();
    fs::remove_file(copy.reports().join(SHIPPED)).unwrap();
    for (index, stem) in [
        "täglich",
        "日報",
        "отчёт",
        "تقرير",
        "a b",
        "..",
        &"long-".repeat(40),
    ]
    .into_iter()
    .enumerate()
    {
        copy.add(
            &format!("{stem}.json"),
            &[
                ("/name", json!(format!("{index} täglich 日報 отчёт تقرير"))),
                ("/pipeline/restate", json!(["P1D"])),
            ],
        );
    }
    let schedules = copy.schedules().await;
    assert_eq!(schedules.len(), 7 * 3);
    for (name, _, input) in &schedules {
        let rest = name.strip_prefix("s-").unwrap();
        assert!((1..=38).contains(&rest.len()), "{name}");
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        assert!(rest.chars().all(allowed), "{name}");
        let report = input["detail"]["definition"]["name"].as_str().unwrap();
        assert!(report.ends_with("täglich 日報 отчёт تقرير"), "{report}");
    }
    let names: Vec<&str> = schedules.iter().map(|it| it.0.as_str()).collect();
    assert!(
        names.iter().any(|name| name.starts_with("s-tglich-")),
        "{names:?}"
    );
    assert!(
        names.iter().any(|name| name.starts_with("s-report-")),
        "{names:?}"
    );
}

/// 200 reports fit; what `CloudFormation` would refuse is refused here, and says what to do.
#[tokio::test]
async fn more_than_a_template_takes_is_told_before_anything_is_deployed() {
    let copy = Copy::new();
    let add = |from: usize, to: usize| {
        for index in from..to {
            let name = ("/name", json!(format!("Report {index}")));
            copy.add(&format!("report-{index}.json"), &[name]);
        }
    };
    add(0, 200);
    let before = copy.written().await;
    assert_eq!(copy.schedules().await.len(), 402);
    add(200, 260);
    let error = copy.cxr(&[]).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO014");
    assert!(error.to_string().contains("a second stack"), "{error}");
    assert_eq!(copy.text(), before);
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
    assert_eq!(
        copy.times().await,
        [
            "s-daily-agent-performance cron(30 5 * * ? *)",
            "s-daily-agent-performance-expect cron(30 8 * * ? *)",
            "s-day cron(30 5 * * ? *)",
            "s-day-expect cron(30 8 * * ? *)",
            "s-day-restate-P1D cron(30 5 * * ? *)",
            "s-day-restate-P7D cron(30 5 * * ? *)",
            "s-hours cron(15 1,7,13,19 * * ? *)",
            "s-hours-expect cron(15 4,10,16,22 * * ? *)",
            "s-hours-restate-P1D cron(15 1,7,13,19 * * ? *)",
            "s-month cron(30 5 1 * ? *)",
            "s-month-expect cron(30 8 1 * ? *)",
            "s-month-restate-P7D cron(30 5 8 * ? *)",
            "s-week cron(30 5 ? * MON *)",
            "s-week-expect cron(30 8 ? * MON *)",
            "s-week-restate-P13D cron(30 5 ? * SUN *)",
            "s-week-restate-P1D cron(30 5 ? * TUE *)",
        ]
    );
    let schedules = copy.schedules().await;
    let asked = schedules.iter().map(|it| &it.2["detail"]["restate"]);
    let asked: Vec<_> = asked.map(Value::as_str).collect();
    assert_eq!(asked[2..6], [None, None, Some("P1D"), Some("P7D")]);
    let definition = |at: usize| &schedules[at].2["detail"]["definition"];
    assert_eq!(definition(2), definition(5));
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
    assert_eq!(out.matches("has passed").count(), 1, "{out}");
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

/// A report's own time passes first, then that at which it is expected, then those of its restatements.
#[tokio::test]
async fn a_template_stays_right_while_one_time_after_another_passes() {
    let copy = Copy::new();
    copy.add(
        "once.json",
        &[
            ("/schedule/type", json!("once")),
            ("/name", json!("Once")),
            (
                "/report/dateRange",
                json!({"type": "absolute", "start": "2026-06-10T00:00:00Z", "end": "2026-06-11T00:00:00Z"}),
            ),
            ("/pipeline/restate", json!(["P1D", "P7D"])),
        ],
    );
    let (reports, template) = (copy.reports(), copy.template());
    let paths = [reports.to_str().unwrap(), template.to_str().unwrap()];
    let check = [paths[0], paths[1], "--check"];
    let times = [
        ("2026-06-11T05:00:00Z", 0),
        ("2026-06-11T06:00:00Z", 1),
        ("2026-06-11T09:00:00Z", 1),
        ("2026-06-12T06:00:00Z", 2),
        ("2026-06-18T06:00:00Z", 3),
    ];
    for (at, (written, _)) in times.iter().enumerate() {
        assert_eq!(cxr_at(written, &paths).await.0.unwrap(), 0);
        for (now, warnings) in &times[at..] {
            let (result, out) = cxr_at(now, &check).await;
            assert_eq!(result.unwrap(), 0, "written {written}, now {now}: {out}");
            assert_eq!(out.matches("warning: ").count(), *warnings, "{now}: {out}");
        }
    }
    let out = cxr_at("2026-06-18T06:00:00Z", &check).await.1;
    assert!(out.contains("cxr replay once.json"), "{out}");
}

#[tokio::test]
async fn what_can_not_be_a_schedule_is_told() {
    let copy = Copy::new();
    copy.add("daily_agent_performance.json", &[("/name", json!("Other"))]);
    let error = copy.cxr(&[]).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO015");
    assert!(error.to_string().contains("rename one"), "{error}");
    fs::remove_file(copy.reports().join("daily_agent_performance.json")).unwrap();

    // Schedules beside the report's own have names, too.
    copy.add(
        "day.json",
        &[
            ("/name", json!("Day")),
            ("/pipeline/restate", json!(["P1D"])),
        ],
    );
    for other in ["day-restate-P1D.json", "day-expect.json"] {
        copy.add(other, &[("/name", json!("Other"))]);
        let error = copy.cxr(&[]).await.0.unwrap_err();
        assert!(error.to_string().contains("rename one"), "{error}");
        fs::remove_file(copy.reports().join(other)).unwrap();
    }

    for another in ["Resources: {}\n", "{\"Resources\": {}}\n"] {
        fs::write(copy.template(), another).unwrap();
        assert_eq!(copy.cxr(&[]).await.0.unwrap_err().code(), "CXO014");
        assert_eq!(copy.text(), another, "it is left alone");
    }
}
