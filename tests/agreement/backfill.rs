//! The state machine of a backfill, with a machine in the pipeline's place that takes a minute or fails: how many windows it
//! asks for at once, when, in which order, and when it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use asl::{Clock, Description, Engine, StateMachine, Status, TaskCall};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local_aws::tasks;
use serde_json::{Value, json};

use crate::{read, retries};

const DEFINITION: &str = "infra/backfill.asl.json";
const PIPELINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:pipeline";
const BACKFILL: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:backfill";
const ID: &str = "bf-20261129-120000";

/// What stands in the pipeline's place. The definition in the event says how long it takes, which windows are so long that their
/// execution hands over as the pipeline does, and for which it fails.
const STAND_IN: &str = r#"{
  "QueryLanguage": "JSONata",
  "StartAt": "Work",
  "States": {
    "Work": {"Type": "Wait", "Seconds": "{% $states.input.detail.definition.seconds %}", "Next": "Long?"},
    "Long?": {"Type": "Choice", "Choices": [{
      "Condition": "{% $states.input.detail.window.start in $states.input.detail.definition.long and $substringBefore($states.context.Execution.Name, '-') != 'continues' %}", "Next": "Continue"
    }], "Default": "Good?"},
    "Continue": CONTINUE,
    "Continued": {"Type": "Succeed"},
    "Good?": {"Type": "Choice", "Choices": [{
      "Condition": "{% $states.input.detail.window.start in $states.input.detail.definition.fails %}", "Next": "Bad"
    }], "Default": "Done"},
    "Bad": {"Type": "Fail", "Error": "Cxone.RunsExhausted"},
    "Done": {"Type": "Succeed"}
  }
}"#;

/// Both machines on one virtual clock, and what was told.
struct TwoMachines {
    engine: Engine,
    told: Arc<Mutex<Vec<Value>>>,
}

impl TwoMachines {
    fn open(now: &str) -> Self {
        Self::open_with(now, &fill_in())
    }

    fn open_with(now: &str, backfill: &str) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let itself: Arc<OnceLock<Engine>> = Arc::default();
        let (topic, executions) = (Arc::clone(&told), Arc::clone(&itself));
        let run_task = move |call: TaskCall| {
            let (topic, executions) = (Arc::clone(&topic), Arc::clone(&executions));
            async move {
                let engine = executions.get().unwrap();
                match &*call.resource {
                    "arn:aws:states:::aws-sdk:sfn:startExecution" => {
                        tasks::start_execution(engine, &call.arguments)
                    }
                    "arn:aws:states:::aws-sdk:sfn:describeExecution" => {
                        tasks::describe_execution(engine, &call.arguments)
                    }
                    _ => {
                        topic.lock().unwrap().push((*call.arguments).clone());
                        Ok(json!({"MessageId": "1"}))
                    }
                }
            }
        };
        let engine = Engine::new(Clock::virtual_at(now.parse().unwrap()), run_task);
        itself.set(engine.clone()).unwrap();
        for (arn, definition) in [(PIPELINE, stand_in()), (BACKFILL, backfill.to_owned())] {
            let machine = StateMachine::parse(&definition).unwrap();
            let role = "arn:aws:iam::123456789012:role/r";
            engine.register(arn, role, machine).unwrap();
        }
        Self { engine, told }
    }

    /// Runs a backfill over all its executions, and gives the last one.
    async fn run(&self, input: Value) -> Description {
        let mut started = self.engine.start(BACKFILL, Some(ID), input).unwrap();
        loop {
            let ended = self.engine.wait(&started.execution_arn).await.unwrap();
            let history = self.engine.history(&ended.execution_arn).unwrap().len();
            assert!(history < 20_000, "{history} events are too close to 25,000");
            let next = ended.output.as_ref().map(|it| it["continuedBy"].clone());
            match next.as_ref().and_then(Value::as_str) {
                Some(next) => started.execution_arn = next.into(),
                None => return ended,
            }
        }
    }

    /// What the pipeline was asked for, the first first.
    fn asked(&self) -> Vec<Description> {
        let mut asked = self.engine.list(PIPELINE, None);
        asked.reverse();
        asked
    }

    /// How many executions of the pipeline ran at the same time at most.
    fn count_at_once(&self) -> usize {
        let asked = self.asked();
        let at_once = asked.iter().map(|one| {
            let began = one.started;
            let runs = |other: &&Description| {
                other.started <= began && other.stopped.is_none_or(|stopped| stopped > began)
            };
            asked.iter().filter(runs).count()
        });
        at_once.max().unwrap_or(0)
    }
}

/// It hands over as the pipeline does.
fn stand_in() -> String {
    let text = read("infra/report-pipeline.asl.json").replace("${Partition}", "aws");
    let pipeline: Value = serde_json::from_str(&text).unwrap();
    STAND_IN.replace("CONTINUE", &pipeline["States"]["Continue"].to_string())
}

fn fill_in() -> String {
    let values = [
        ("Partition", "aws"),
        ("PipelineArn", PIPELINE),
        (
            "NoticeTopicArn",
            "arn:aws:sns:eu-west-1:123456789012:notices",
        ),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    asl::substitute(&read(DEFINITION), &BTreeMap::from(values)).unwrap()
}

/// So many days before 2026-11-28, the newest first, as `cxr` writes them.
fn days(count: i64) -> Vec<String> {
    let newest: Timestamp = "2026-11-28T00:00:00Z".parse().unwrap();
    let hours = SignedDuration::from_hours;
    (0..count)
        .map(|back| {
            let start = newest - hours(24 * back);
            let (end, at) = (start + hours(24), start + hours(29));
            format!("{start}/{end}/{at}")
        })
        .collect()
}

fn input(windows: &[String], definition: &Value, pause: (&str, &str)) -> Value {
    json!({
        "v": 1, "id": ID, "part": 1, "tenant": "acme", "report": "Agents", "atOnce": 2, "maxFailures": 5,
        "pause": {"from": pause.0, "to": pause.1},
        "event": {"version": "0", "id": "", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "123456789012",
            "time": "", "region": "eu-west-1", "resources": [], "detail": {"definition": definition}},
        "windows": windows,
        "came": {"next": 0, "running": [], "failed": []},
    })
}

const NO_PAUSE: (&str, &str) = ("00:00", "00:00");

fn window_of(execution: &Description) -> &str {
    execution.input["detail"]["window"]["start"]
        .as_str()
        .unwrap()
}

#[test]
fn its_tasks_have_limits_and_are_tried_again() {
    let definition: Value = serde_json::from_str(&read(DEFINITION)).unwrap();
    assert_eq!(retries::careless(&definition), [""; 0]);
    let placeholders: BTreeSet<String> = read(DEFINITION)
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap().to_owned())
        .collect();
    let known = ["NoticeTopicArn", "Partition", "PipelineArn"].map(str::to_owned);
    assert_eq!(placeholders, BTreeSet::from(known));
}

#[tokio::test]
async fn two_thousand_windows_are_asked_for_once_each_newest_first_and_two_at_once() {
    let account = TwoMachines::open("2026-11-29T12:00:00Z");
    let windows = days(2_000);
    let definition = json!({"seconds": 60, "long": [], "fails": []});
    let ended = account.run(input(&windows, &definition, NO_PAUSE)).await;
    assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    let parts = account.engine.list(BACKFILL, None);
    assert!(parts.len() > 1, "the history of one was long enough");
    let last = format!("{ID}-{}", parts.len());
    assert_eq!(ended.name, last, "the executions are numbered");
    let asked = account.asked();
    let starts: Vec<&str> = asked.iter().map(window_of).collect();
    let expected: Vec<&str> = windows.iter().map(|it| &it[..20]).collect();
    assert_eq!(starts, expected);
    assert_eq!(account.count_at_once(), 2);
    let one = &asked[7];
    assert_eq!(one.name, format!("{ID}-20261121T000000Z"));
    let detail = json!({"definition": definition, "window": {"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z"}});
    assert_eq!(one.input["detail"], detail);
    assert_eq!(one.input["time"], "2026-11-22T05:00:00Z");
    assert_eq!(one.input["detail-type"], "Scheduled Event");
    let told = account.told.lock().unwrap();
    let message = told[0]["Message"].as_str().unwrap();
    assert!(
        told.len() == 1 && message.contains("2000 of 2000 windows succeeded"),
        "{told:?}"
    );
}

/// A window that takes five minutes, for a year: what the pause and the bound cost, and that the daily runs meet nobody.
#[tokio::test]
async fn a_year_begins_nothing_while_the_daily_runs_have_their_turn() {
    for (pause, from, to) in [(("05:00", "07:00"), 5, 7), (("23:00", "01:00"), 23, 1)] {
        let account = TwoMachines::open("2026-11-29T04:50:00Z");
        let definition = json!({"seconds": 290, "long": [], "fails": []});
        let ended = account.run(input(&days(365), &definition, pause)).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        let asked = account.asked();
        assert_eq!(asked.len(), 365);
        for one in &asked {
            let hour = one.started.to_zoned(TimeZone::UTC).hour();
            let is_in_pause = if from < to {
                (from..to).contains(&hour)
            } else {
                hour >= from || hour < to
            };
            assert!(!is_in_pause, "{} began at {}", one.name, one.started);
        }
        let days = ended.stopped.unwrap().duration_since(asked[0].started);
        assert!(days < SignedDuration::from_hours(24), "{days}");
    }
}

#[tokio::test]
async fn after_so_many_failures_it_lets_those_end_that_run_and_begins_no_more() {
    let account = TwoMachines::open("2026-11-29T12:00:00Z");
    let windows = days(365);
    let fails: Vec<&str> = windows[10..]
        .iter()
        .step_by(2)
        .map(|it| &it[..20])
        .collect();
    let definition = json!({"seconds": 60, "long": [], "fails": fails});
    let ended = account.run(input(&windows, &definition, NO_PAUSE)).await;
    assert_eq!(
        (ended.status, ended.error.as_deref()),
        (Status::Failed, Some("Backfill.Failed"))
    );
    let asked = account.asked();
    let failed = asked
        .iter()
        .filter(|it| it.status == Status::Failed)
        .count();
    assert_eq!(failed, 5);
    assert!(asked.iter().all(|it| it.status != Status::Running));
    assert_eq!(asked.len(), 20);
    let cause = "5 windows failed, and 345 were not asked for";
    assert_eq!(ended.cause.as_deref(), Some(cause));
    let told = account.told.lock().unwrap();
    assert!(
        told[0]["Message"]
            .as_str()
            .unwrap()
            .contains("15 of 365 windows succeeded, 5 failed, 345 were not asked for"),
        "{told:?}"
    );
}

/// Of ten windows the newest two are so long that their executions hand over, and the second of these fails in the end.
#[tokio::test]
async fn an_execution_that_hands_over_is_followed_to_its_end() {
    let account = TwoMachines::open("2026-11-29T12:00:00Z");
    let windows = days(10);
    let long = [&windows[0][..20], &windows[1][..20]];
    let definition = json!({"seconds": 600, "long": long, "fails": [long[1]]});
    let ended = account.run(input(&windows, &definition, NO_PAUSE)).await;
    let cause = "1 window failed, and 0 were not asked for";
    assert_eq!(ended.cause.as_deref(), Some(cause));
    let asked = account.asked();
    assert_eq!(asked.len(), 12, "each of ten windows, and two that go on");
    assert_eq!(account.count_at_once(), 2, "those that go on count");
    let told = account.told.lock().unwrap();
    let message = told[0]["Message"].as_str().unwrap();
    assert!(message.contains("9 of 10 windows succeeded, 1 failed"));
}

/// Whether there is a pause is asked a moment before it is waited for, and it may end in between.
#[tokio::test]
async fn a_pause_that_has_just_ended_is_not_waited_for_until_the_next_day() {
    let mut backfill: Value = serde_json::from_str(&fill_in()).unwrap();
    backfill["States"]["Begin"]["Next"] = "Pause".into();
    for (pause, now) in [
        (("05:00", "07:00"), "2026-11-29T07:00:00Z"),
        (("23:00", "01:00"), "2026-11-29T01:00:00Z"),
    ] {
        let account = TwoMachines::open_with(now, &backfill.to_string());
        let definition = json!({"seconds": 60, "long": [], "fails": []});
        account.run(input(&days(1), &definition, pause)).await;
        assert_eq!(account.asked()[0].started, now.parse().unwrap());
    }
}

/// A start whose answer was lost, tried again when the window's execution had ended.
#[tokio::test]
async fn a_window_that_was_asked_for_before_under_the_same_name_is_looked_at() {
    let account = TwoMachines::open("2026-11-29T12:00:00Z");
    let first = json!({"detail": {"window": {"start": "x"}, "definition": {"seconds": 1, "long": [], "fails": ["x"]}}});
    let name = format!("{ID}-20261127T000000Z");
    let started = account.engine.start(PIPELINE, Some(&name), first).unwrap();
    account.engine.wait(&started.execution_arn).await.unwrap();
    let definition = json!({"seconds": 60, "long": [], "fails": []});
    let ended = account.run(input(&days(3), &definition, NO_PAUSE)).await;
    assert_eq!(
        ended.cause.as_deref(),
        Some("1 window failed, and 0 were not asked for")
    );
    assert_eq!(account.asked().len(), 3);
}

/// As much as `cxr` puts into one backfill: it is continued, with all of it in an argument, within what Step Functions takes.
#[tokio::test]
async fn the_largest_backfill_is_continued() {
    let account = TwoMachines::open("2026-11-29T12:00:00Z");
    let windows = days(2_600);
    let definition =
        json!({"seconds": 60, "long": [], "fails": [], "description": "x".repeat(62_000)});
    let input = input(&windows, &definition, NO_PAUSE);
    let quoted = Value::from(input.to_string()).to_string().len();
    assert!((235_000..240_000).contains(&quoted), "{quoted} bytes");
    let started = account.engine.start(BACKFILL, Some(ID), input).unwrap();
    let ended = account.engine.wait(&started.execution_arn).await.unwrap();
    let why = (ended.error, ended.cause);
    assert_eq!(ended.state, "Continued", "{why:?}");
}
