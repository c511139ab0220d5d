//! Four hundred executions at once, and ten instances for all functions: what a new account has.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use asl::{Execution, ExecutionSpec, StateMachine, Status, Step, TaskCall};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{DEFINITION, PLACEHOLDERS, read};

const EXECUTIONS: usize = 400;
const INSTANCES: usize = 10;
const TOO_MANY: &str = "Lambda.TooManyRequestsException";

/// What happens to an execution at its time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Step,
    /// The function that it has invoked answers.
    Answer,
}

/// Executions of one machine on one clock, and the instances that they share.
struct Crowd {
    executions: Vec<Execution>,
    /// The answer of the function under way, for each execution.
    answers: Vec<Value>,
    due: BinaryHeap<Reverse<(Timestamp, usize, Happening)>>,
    busy: usize,
    refused: usize,
}

impl Crowd {
    fn start(machine: &Arc<StateMachine>, now: Timestamp) -> Self {
        let executions: Vec<Execution> = (0..EXECUTIONS)
            .map(|number| {
                let spec = ExecutionSpec {
                    arn: format!("arn:aws:states:eu-west-1:123456789012:execution:M:{number}"),
                    name: number.to_string(),
                    state_machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:M"
                        .into(),
                    state_machine_name: "M".into(),
                    role_arn: "arn:aws:iam::123456789012:role/r".into(),
                };
                let seed = u64::try_from(number).unwrap();
                Execution::start(Arc::clone(machine), spec, json!({}), now, seed).unwrap()
            })
            .collect();
        Self {
            answers: vec![Value::Null; executions.len()],
            due: (0..executions.len())
                .map(|number| Reverse((now, number, Happening::Step)))
                .collect(),
            executions,
            busy: 0,
            refused: 0,
        }
    }

    /// Goes on until every execution has ended, and says when that was.
    fn finish(&mut self) -> Timestamp {
        let mut end = Timestamp::MIN;
        while let Some(Reverse((now, number, happening))) = self.due.pop() {
            end = now;
            if happening == Happening::Answer {
                self.busy -= 1;
                let answer = json!({"Payload": self.answers[number].take()});
                self.executions[number].succeed_task(now, answer).unwrap();
            }
            self.step(number, now);
        }
        end
    }

    fn step(&mut self, number: usize, now: Timestamp) {
        loop {
            match self.executions[number].step(now) {
                Step::Done => return,
                Step::WaitUntil(until) => {
                    return self.due.push(Reverse((until, number, Happening::Step)));
                }
                Step::Task(_) if self.busy == INSTANCES => {
                    self.refused += 1;
                    let cause = Some("Rate Exceeded.".to_owned());
                    self.executions[number]
                        .fail_task(now, TOO_MANY, cause)
                        .unwrap();
                }
                Step::Task(call) => {
                    self.busy += 1;
                    let (answer, seconds) = answer(&call, now);
                    self.answers[number] = answer;
                    let at = now + SignedDuration::from_secs(seconds);
                    return self.due.push(Reverse((at, number, Happening::Answer)));
                }
            }
        }
    }
}

/// What a good day's function answers, and how many seconds it takes for it. A page takes nine.
fn answer(call: &TaskCall, now: Timestamp) -> (Value, i64) {
    let deadline = now + SignedDuration::from_mins(45);
    let work = json!({"deadlineAt": deadline, "direct": false, "tenant": "t", "report": "r"});
    let payload = &call.arguments["Payload"];
    match call.arguments["FunctionName"].as_str().unwrap() {
        "TriggerArn" if payload["generation"].is_null() => {
            (json!({"next": "run", "generation": 1, "work": work}), 2)
        }
        "TriggerArn" => (json!({"next": "ready", "generation": 1, "work": work}), 2),
        "PollOnceArn" | "CancelArn" => (json!({"saw": "completed", "waitSeconds": 0}), 1),
        "FetchPageArn" => (json!({"pages": "done", "batches": 1, "waitSeconds": 0}), 9),
        "FinalizeArn" => (json!({"outcome": "committed", "warnings": []}), 5),
        other => panic!("{other} is not invoked on a good day"),
    }
}

/// Runs the crowd through this definition: the errors of the executions that failed, how often there was no instance, and how
/// long it took.
fn run_crowd(definition: &str) -> (Vec<String>, usize, SignedDuration) {
    let names = PLACEHOLDERS.map(|name| (name.to_owned(), name.to_owned()));
    let whole = asl::substitute(definition, &BTreeMap::from(names)).unwrap();
    let machine = Arc::new(StateMachine::parse(&whole).unwrap());
    let now: Timestamp = "2026-11-22T05:30:00Z".parse().unwrap();
    let mut crowd = Crowd::start(&machine, now);
    let end = crowd.finish();
    let failed = crowd.executions.iter();
    let failed = failed.filter(|execution| execution.status() != Status::Succeeded);
    let errors = failed.map(|execution| execution.error().unwrap_or_default().to_owned());
    (errors.collect(), crowd.refused, end.duration_since(now))
}

#[test]
fn four_hundred_executions_at_once_on_ten_instances_all_end() {
    let (failed, refused, took) = run_crowd(&read(DEFINITION));
    println!(
        "{refused} times there was no instance; all ended after {} min",
        took.as_mins()
    );
    assert_eq!(failed, [""; 0]);
    assert!(refused > EXECUTIONS, "there was room for all: {refused}");
    // Nobody waits for no reason: the instances' work alone takes a quarter of an hour.
    assert!(took < SignedDuration::from_hours(1), "{took}");
}

#[test]
fn with_the_patience_for_other_errors_some_would_fail() {
    let definition = read(DEFINITION).replace("\"MaxAttempts\": 30", "\"MaxAttempts\": 6");
    let (failed, ..) = run_crowd(&definition);
    assert!(failed.iter().any(|error| error == TOO_MANY), "{failed:?}");
}
