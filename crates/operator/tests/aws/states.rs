//! The deployed state machine on the local engine. The tests say what its functions answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asl::{Clock, Description, Engine, StateMachine};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;
use local_aws::lambda::{Function, LambdaHost};
use local_aws::{Action, Call, Gateway, S3, Schedules, Secrets, Service, Services, Stack};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::answers::{Answers, read_definition};

pub(crate) use crate::answers::Answer;

pub(crate) const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:reports";

/// The one that asks that one for many windows.
pub(crate) const BACKFILL: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:backfill";

/// Where the state machine's tags say that the rows are.
pub(crate) const BUCKET: &str = "landing";
pub(crate) const PREFIX: &str = "reports";

/// Those whose logs there are.
pub(crate) const HANDLERS: [&str; 6] = [
    "trigger",
    "poll-once",
    "fetch-page",
    "cancel",
    "finalize",
    "publish",
];

/// The ARN of an execution.
pub(crate) fn arn(name: &str) -> String {
    format!("{}:{name}", MACHINE.replace("stateMachine", "execution"))
}

/// Step Functions on a loopback port.
pub(crate) struct Server {
    answers: Answers,
    engine: Engine,
    secrets: Secrets,
    schedules: Schedules,
    lambda: LambdaHost,
    gateway: Gateway,
    s3: S3,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let tag = ("cxone-reports:backfill", BACKFILL);
        Self::start_with(&[tag]).await
    }

    /// As a version before them deployed it.
    pub(crate) async fn start_without_backfills() -> Self {
        Self::start_with(&[]).await
    }

    /// With the tag that says after how many days rows expire.
    pub(crate) async fn start_keeping(days: Option<&str>) -> Self {
        let tag = days.map(|days| ("cxone-reports:data-retention-days", days));
        let tags = [("cxone-reports:backfill", BACKFILL)];
        let tags: Vec<(&str, &str)> = tags.into_iter().chain(tag).collect();
        Self::start_with(&tags).await
    }

    /// Denies an object, and not that its folder is listed.
    pub(crate) fn deny_object(&self, key: &str) {
        let key = key.to_owned();
        self.gateway.set_hook(move |call: &Call| {
            if !call.resource.ends_with(&key) {
                return Action::Pass;
            }
            Action::Refuse {
                status: 403,
                code: "AccessDenied".to_owned(),
                message: "because".to_owned(),
            }
        });
    }

    async fn start_with(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lambda = LambdaHost::start().await.unwrap();
        for name in HANDLERS {
            lambda.register(Function::new(name, "/nowhere"));
        }
        let services = Services::open(folder.path(), lambda.clone()).unwrap();
        let answers = Answers::default();
        let runner = answers.clone();
        let clock = Clock::virtual_at("2026-05-01T05:30:00Z".parse().unwrap());
        let engine = Engine::new(clock, move |call| runner.clone().run_task(call));
        answers.attach(engine.clone());
        let tags = [
            ("cxone-reports:bucket", BUCKET),
            ("cxone-reports:prefix", PREFIX),
            ("cxone-reports:logs", "/aws/lambda/report-"),
            ("aws:cloudformation:stack-name", "reports-stack"),
        ];
        let tags = [&tags[..], more].concat();
        for (arn, file, tags) in [
            (MACHINE, "report-pipeline", &tags[..]),
            (BACKFILL, "backfill", &[]),
        ] {
            let definition = read_definition(file);
            let machine = StateMachine::parse(&definition).unwrap();
            let role = "arn:aws:iam::123456789012:role/reports";
            engine.register(arn, role, machine).unwrap();
            let states = &services.states;
            states.attach(engine.clone(), arn, definition, tags);
        }
        let s3 = services.s3.clone();
        s3.store().create_bucket(BUCKET).unwrap();
        let secrets = services.secrets.clone();
        let schedules = services.schedules.clone();
        let gateway = Gateway::start("127.0.0.1:0".parse().unwrap(), services).await;
        Self {
            answers,
            engine,
            secrets,
            schedules,
            lambda,
            gateway: gateway.unwrap(),
            s3,
            _folder: folder,
        }
    }

    /// What a handler writes at a time.
    pub(crate) fn log(&self, handler: &str, at: &str, line: &Value) {
        let at: Timestamp = at.parse().unwrap();
        let logs = self.lambda.logs();
        logs.set_clock(Arc::new(move || at));
        logs.write(handler, 1, line.to_string());
    }

    /// What the functions answer in an execution, one after another.
    pub(crate) fn answer(&self, execution: &str, answers: impl IntoIterator<Item = Answer>) {
        self.answers.extend(execution, answers);
    }

    /// Runs an execution from a time on until it ends.
    pub(crate) async fn run(&self, name: &str, at: &str, input: &Value, answers: Vec<Answer>) {
        let at: Timestamp = at.parse().unwrap();
        drop(self.engine.clock().sleep_until(at).await);
        self.answer(name, answers);
        let started = self
            .engine
            .start(MACHINE, Some(name), input.clone())
            .unwrap();
        self.engine.wait(&started.execution_arn).await.unwrap();
    }

    /// Starts an execution and lets it run.
    pub(crate) fn begin(&self, name: &str, input: &Value) {
        let input = input.clone();
        self.engine.start(MACHINE, Some(name), input).unwrap();
    }

    /// How many calls of AWS there were.
    pub(crate) fn count_calls(&self) -> usize {
        self.gateway.calls().len()
    }

    /// The objects that were read, in the order of the calls.
    pub(crate) fn objects_read(&self) -> Vec<String> {
        let calls = self.gateway.calls().into_iter();
        let reads = calls.filter(|call| call.operation == "GetObject");
        reads.map(|call| call.resource).collect()
    }

    /// Every object, and how every execution is.
    pub(crate) fn snapshot(&self) -> (Vec<(String, Vec<u8>)>, Vec<Description>) {
        let keys = self.s3.store().keys(BUCKET, "").into_iter();
        let objects = keys.map(|key| {
            let body = self.s3.store().read(BUCKET, &key).unwrap();
            (key, body)
        });
        (objects.collect(), self.executions())
    }

    /// What was called after the first calls.
    pub(crate) fn operations_since(&self, calls: usize) -> BTreeSet<String> {
        let calls = self.gateway.calls().into_iter().skip(calls);
        calls.map(|call| call.operation).collect()
    }

    /// Closes the connection at each call from this number on, and says when the first comes.
    pub(crate) fn cut_from_call(&self, number: usize) -> Arc<Notify> {
        let (notify, before) = (Arc::new(Notify::new()), self.count_calls());
        let told = notify.clone();
        self.gateway.set_hook(move |call: &Call| {
            if call.number < (before + number) as u64 {
                return Action::Pass;
            }
            told.notify_one();
            Action::Cut
        });
        notify
    }

    /// How often an operation was called.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let calls = self.gateway.calls();
        calls.iter().filter(|it| it.operation == operation).count()
    }

    /// Lets time pass until `at`.
    pub(crate) async fn wait_until(&self, at: &str) {
        drop(self.engine.clock().sleep_until(at.parse().unwrap()).await);
    }

    /// Executions, newest first.
    pub(crate) fn executions(&self) -> Vec<Description> {
        self.engine.list(MACHINE, None)
    }

    /// The names of the backfills' executions.
    pub(crate) fn backfills(&self) -> Vec<String> {
        let listed = self.engine.list(BACKFILL, None).into_iter();
        listed.map(|execution| execution.name).collect()
    }

    /// Waits until there are so many executions of the pipeline.
    pub(crate) async fn wait_for_executions(&self, count: usize) {
        while self.executions().len() < count {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn execution(&self, name: &str) -> Description {
        self.engine.describe(&arn(name)).unwrap()
    }

    pub(crate) fn stop_all(&self) {
        for execution in self.executions() {
            self.engine
                .stop(&execution.execution_arn, None, None)
                .unwrap();
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Makes a schedule in the group of the state machine.
    pub(crate) fn put_schedule(&self, name: &str, state: &str) {
        let schedule = json!({"GroupName": "reports", "Name": name, "State": state, "Target": {"Arn": MACHINE}});
        self.schedules
            .put(schedule, "2026-05-01T00:00:00Z".parse().unwrap());
    }

    /// Makes the schedules of a template, as the stack of the state machine does.
    pub(crate) fn deploy_schedules(&self, template: &Value) {
        let values = [
            ("Name", "reports"),
            ("GroupName", "reports"),
            ("State", "ENABLED"),
            ("StateMachineArn", MACHINE),
        ];
        let at = "2026-05-01T00:00:00Z".parse().unwrap();
        self.schedules.deploy(template, &Stack::new(&values), at);
    }

    /// The operations of Secrets Manager that were called.
    pub(crate) fn secret_calls(&self) -> Vec<String> {
        let calls = self.gateway.calls().into_iter();
        let ours = calls.filter(|call| call.service == Service::Secrets);
        ours.map(|call| call.operation).collect()
    }

    /// Refuses one operation with an error of AWS whose text quotes what was sent.
    pub(crate) fn refuse_operation(&self, operation: &'static str, code: &'static str) {
        self.gateway.set_hook(move |call: &Call| {
            if call.operation != operation {
                return Action::Pass;
            }
            Action::Refuse {
                status: 400,
                code: code.to_owned(),
                message: "Value 'CANARY' at 'secretString' failed".to_owned(),
            }
        });
    }

    /// Refuses every call about an object whose key has this in it.
    pub(crate) fn refuse_below(&self, folder: &'static str, code: &'static str) {
        self.gateway.set_hook(move |call: &Call| {
            let target = format!("{}?{}", call.resource, call.query);
            if !target.replace("%2F", "/").contains(folder) {
                return Action::Pass;
            }
            Action::Refuse {
                status: 403,
                code: code.to_owned(),
                message: "because".to_owned(),
            }
        });
    }

    /// Refuses the next calls with an error of AWS.
    pub(crate) fn refuse(&self, calls: u64, code: &'static str) {
        let before = self.gateway.calls().len() as u64;
        self.gateway.set_hook(move |call: &Call| {
            if call.number > before + calls {
                return Action::Pass;
            }
            Action::Refuse {
                status: 400,
                code: code.to_owned(),
                message: "because".to_owned(),
            }
        });
    }

    /// Refuses so many of the next calls of some operations.
    pub(crate) fn refuse_times(&self, times: &[(&'static str, u32)], code: &'static str) {
        let left: Mutex<HashMap<_, _>> = Mutex::new(times.iter().copied().collect());
        self.gateway.set_hook(move |call: &Call| {
            let mut left = left.lock().unwrap();
            match left.get_mut(call.operation.as_str()) {
                Some(count) if *count > 0 => *count -= 1,
                _ => return Action::Pass,
            }
            Action::Refuse {
                status: 400,
                code: code.to_owned(),
                message: "because".to_owned(),
            }
        });
    }

    pub(crate) fn config(&self) -> SdkConfig {
        let retry = RetryConfig::standard()
            .with_max_attempts(8)
            .with_initial_backoff(Duration::from_millis(1));
        let credentials = Credentials::new("local", "local", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.gateway.url())
            .retry_config(retry)
            .build()
    }
}
