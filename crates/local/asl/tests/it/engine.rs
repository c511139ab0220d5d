//! Executions on the engine: virtual time, names, stopping, redriving, watching.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asl::{Clock, Engine, RedriveError, StartError, StateMachine, Status, TaskCall, TaskFailure};
use jiff::Timestamp;
use serde_json::{Value, json};

const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:Reports";
const ROLE: &str = "arn:aws:iam::123456789012:role/reports";

fn start_of_time() -> Timestamp {
    "2025-01-01T00:00:00Z".parse().unwrap()
}

/// Polls until the task says `done`, waiting an hour between the polls.
fn polling() -> StateMachine {
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Poll",
        "States": {
            "Poll": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "poll", "Payload": {"at": "{% $now() %}"}},
                "Assign": {"done": "{% $states.result.done %}"},
                "Next": "Done?"
            },
            "Done?": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $done %}", "Next": "Done"}],
                "Default": "Wait"
            },
            "Wait": {"Type": "Wait", "Seconds": 3600, "Next": "Poll"},
            "Done": {"Type": "Succeed"}
        }
    });
    StateMachine::parse(&definition.to_string()).unwrap()
}

fn engine<R, F>(runner: R) -> Engine
where
    R: Fn(TaskCall) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, TaskFailure>> + Send + 'static,
{
    let engine = Engine::new(Clock::virtual_at(start_of_time()), runner);
    engine.register(MACHINE, ROLE, polling()).unwrap();
    engine
}

fn start(engine: &Engine) -> Arc<str> {
    let started = engine.start(MACHINE, None, json!({})).unwrap();
    started.execution_arn
}

/// A runner whose tasks say `done` at the `n`th call.
fn done_at(n: usize) -> impl Fn(TaskCall) -> std::future::Ready<Result<Value, TaskFailure>> {
    let calls = AtomicUsize::new(0);
    move |_| {
        let calls = calls.fetch_add(1, Ordering::SeqCst) + 1;
        std::future::ready(Ok(json!({"done": calls >= n})))
    }
}

#[tokio::test]
async fn virtual_time_jumps_over_the_waits() {
    let engine = engine(done_at(25));
    let started = engine.start(MACHINE, Some("daily"), json!({})).unwrap();
    let end = engine.wait(&started.execution_arn).await.unwrap();
    assert_eq!(end.status, Status::Succeeded);
    assert_eq!(engine.clock().now().to_string(), "2025-01-02T00:00:00Z");
    assert_eq!(
        &*started.execution_arn,
        "arn:aws:states:eu-west-1:123456789012:execution:Reports:daily"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_executions_share_one_virtual_clock() {
    let engine = engine(|call: TaskCall| async move {
        tokio::task::yield_now().await;
        let at = call.arguments["Payload"]["at"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(json!({"done": at.as_str() >= "2025-01-01T05:00:00.000Z"}))
    });
    let hold = engine.clock().busy();
    let arns: Vec<_> = (0..200)
        .map(|n| {
            engine
                .start(MACHINE, Some(&format!("n{n}")), json!({}))
                .unwrap()
                .execution_arn
        })
        .collect();
    drop(hold);
    for arn in arns {
        assert_eq!(engine.wait(&arn).await.unwrap().status, Status::Succeeded);
        assert_eq!(engine.history(&arn).unwrap().len(), 1 + 6 * 7 + 5 * 2 + 3);
    }
    assert_eq!(engine.clock().now().to_string(), "2025-01-01T05:00:00Z");
}

#[tokio::test]
async fn a_host_that_is_busy_holds_the_time() {
    let engine = engine(done_at(2));
    let hold = engine.clock().busy();
    let started = engine.start(MACHINE, None, json!({})).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(engine.clock().now(), start_of_time());
    assert_eq!(
        engine.describe(&started.execution_arn).unwrap().state,
        "Wait"
    );
    drop(hold);
    engine.wait(&started.execution_arn).await.unwrap();
    assert_eq!(engine.clock().now().to_string(), "2025-01-01T01:00:00Z");
}

#[tokio::test]
async fn a_host_can_sleep_on_the_clock() {
    let clock = Clock::virtual_at(start_of_time());
    let now = clock.now_fn();
    let sleep = |time: &str| clock.sleep_until(time.parse().unwrap());
    let hold = clock.busy();
    let (late, early) = (sleep("2025-01-03T00:00:00Z"), sleep("2025-01-02T00:00:00Z"));
    let dropped = sleep("2025-01-01T12:00:00Z");
    drop(dropped);
    drop(hold);
    let guard = early.await;
    assert_eq!(now().to_string(), "2025-01-02T00:00:00Z");
    drop(guard);
    drop(late.await);
    assert_eq!(now().to_string(), "2025-01-03T00:00:00Z");
}

#[tokio::test]
async fn a_name_starts_one_execution() {
    let engine = engine(|_| async { std::future::pending().await });
    let input = json!({"day": 1});
    let first = engine.start(MACHINE, Some("daily"), input.clone()).unwrap();
    assert_eq!(
        engine.start(MACHINE, Some("daily"), input.clone()).unwrap(),
        first
    );
    let other = engine.start(MACHINE, Some("daily"), json!({"day": 2}));
    assert_eq!(
        other,
        Err(StartError::ExecutionAlreadyExists("daily".into()))
    );
    engine.stop(&first.execution_arn, None, None).unwrap();
    let again = engine.start(MACHINE, Some("daily"), input);
    assert_eq!(
        again,
        Err(StartError::ExecutionAlreadyExists("daily".into()))
    );
    assert_eq!(engine.list(MACHINE, None).len(), 1);
}

#[tokio::test]
async fn names_follow_the_rules() {
    let engine = engine(done_at(1));
    for bad in ["", "a b", "a:b", "a/b", "a\u{7f}", "a\"", &"x".repeat(81)] {
        let refused = engine.start(MACHINE, Some(bad), json!({}));
        assert_eq!(refused, Err(StartError::InvalidName(bad.into())), "{bad:?}");
    }
    for good in ["a", "2025-01-01T00_00_00Z", "é.(x)+=!@'", &"x".repeat(80)] {
        engine.start(MACHINE, Some(good), json!({})).unwrap();
    }
    let unknown = "arn:aws:states:eu-west-1:123456789012:stateMachine:Other";
    let refused = engine.start(unknown, None, json!({}));
    assert_eq!(
        refused,
        Err(StartError::StateMachineDoesNotExist(unknown.into()))
    );
    let large = engine.start(MACHINE, None, "x".repeat(262_143).into());
    assert!(matches!(large, Err(StartError::InvalidExecutionInput(_))));
    for bad in [
        "Reports",
        "arn:aws:states:eu-west-1:1:execution:Reports",
        "",
    ] {
        assert!(engine.register(bad, ROLE, polling()).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_stopped_execution_can_be_redriven_and_runs_its_task_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let engine = engine(move |_| {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if call == 0 {
                std::future::pending::<()>().await;
            }
            Ok(json!({"done": true}))
        }
    });
    let arn = engine
        .start(MACHINE, Some("daily"), json!({}))
        .unwrap()
        .execution_arn;
    while calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        engine.redrive(&arn),
        Err(RedriveError::ExecutionNotRedrivable(_))
    ));
    engine
        .stop(&arn, Some("Operator".into()), Some("not today".into()))
        .unwrap();
    let stopped = engine.wait(&arn).await.unwrap();
    assert_eq!(
        (stopped.status, stopped.error.as_deref()),
        (Status::Aborted, Some("Operator"))
    );
    engine.redrive(&arn).unwrap();
    let end = engine.wait(&arn).await.unwrap();
    assert_eq!((end.status, end.redrive_count), (Status::Succeeded, 1));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert_eq!(
        engine.redrive("arn:nothing").unwrap_err().to_string(),
        "there is no execution arn:nothing"
    );
}

#[tokio::test]
async fn a_stop_reaches_a_wait() {
    let engine = engine(done_at(usize::MAX));
    let hold = engine.clock().busy();
    let arn = start(&engine);
    while engine.describe(&arn).unwrap().state != "Wait" {
        tokio::task::yield_now().await;
    }
    engine.stop(&arn, None, None).unwrap();
    assert_eq!(engine.wait(&arn).await.unwrap().status, Status::Aborted);
    assert_eq!(engine.clock().now(), start_of_time());
    drop(hold);
}

#[tokio::test]
async fn a_task_that_hangs_is_timed_out_in_real_time() {
    let clock = Clock::virtual_at(start_of_time());
    let hang = |_| async { std::future::pending().await };
    let engine = Engine::with_task_limit(clock, hang, Some(Duration::from_millis(5)), 0);
    engine.register(MACHINE, ROLE, polling()).unwrap();
    let arn = start(&engine);
    let end = engine.wait(&arn).await.unwrap();
    assert_eq!(
        (end.status, end.error.as_deref()),
        (Status::Failed, Some("States.Timeout"))
    );
    assert_eq!(engine.clock().now(), start_of_time());
}

#[tokio::test]
async fn a_runner_that_panics_fails_the_execution() {
    let engine = engine(|_| async { panic!("no handler") });
    let arn = start(&engine);
    let end = engine.wait(&arn).await.unwrap();
    assert_eq!(
        (end.status, end.error.as_deref()),
        (Status::Failed, Some("States.Runtime"))
    );
}

#[tokio::test]
async fn subscribers_see_every_event() {
    let engine = engine(done_at(2));
    let mut events = engine.subscribe();
    let arn = start(&engine);
    engine.wait(&arn).await.unwrap();
    let mut seen = Vec::new();
    while let Ok(progress) = events.try_recv() {
        assert_eq!(progress.execution_arn, arn);
        seen.push(progress.event);
    }
    assert_eq!(seen, engine.history(&arn).unwrap());
}

#[tokio::test]
async fn scaled_time_runs_ahead_of_real_time() {
    let clock = Clock::scaled(1_000_000.0, start_of_time());
    let engine = Engine::new(clock, done_at(3));
    engine.register(MACHINE, ROLE, polling()).unwrap();
    let arn = start(&engine);
    let end = engine.wait(&arn).await.unwrap();
    assert_eq!(end.status, Status::Succeeded);
    let took = end.stopped.unwrap().duration_since(end.started);
    assert!(took.as_hours() >= 2, "{took}");
}

#[tokio::test]
async fn executions_are_listed_newest_first_and_by_status() {
    let engine = engine(done_at(1));
    let first = engine
        .start(MACHINE, Some("a"), json!({}))
        .unwrap()
        .execution_arn;
    let second = engine
        .start(MACHINE, Some("b"), json!({}))
        .unwrap()
        .execution_arn;
    engine.wait(&first).await.unwrap();
    engine.wait(&second).await.unwrap();
    let names = |status| -> Vec<String> {
        engine
            .list(MACHINE, status)
            .into_iter()
            .map(|execution| execution.name)
            .collect()
    };
    assert_eq!(names(None), ["b", "a"]);
    assert_eq!(names(Some(Status::Succeeded)), ["b", "a"]);
    assert!(names(Some(Status::Failed)).is_empty());
}
