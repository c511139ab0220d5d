//! An operator at night: what is typed, and what it says.

use std::fmt::{Arguments, Write as _};
use std::time::Duration;

use asl::Status;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};
use local::world::{STATE_MACHINE_ARN, TENANT};
use operator::{Cli, Context};
use pipeline_tests::harness::{Pipeline, time, while_it_moves};
use regex::Regex;
use serde_json::{Value, json};

/// At most so many commands lead from the failure to a report that is complete.
const COMMANDS_MAX: usize = 3;

const HEADER: &str = "# What to type after a failure

From what `cxr status` says to a report that is complete: only what is printed is typed, with words in place of TEXT, and the AWS CLI
is not needed. The test `tests/operators` plays these with the deployed executables and state machine, and writes this file; what
differs from one time to the next is left out.
";

/// A failure of one day.
pub(crate) struct Failure {
    pub(crate) title: &'static str,
    pub(crate) faults: &'static [&'static str],
    /// A client secret that CXone refuses.
    pub(crate) secret: Option<&'static str>,
    /// What somebody does about the cause; nothing, where what is printed does.
    pub(crate) put_right: &'static str,
    pub(crate) error: &'static str,
}

/// A report that is delivered each day, until something fails.
pub(crate) struct Shift<'p> {
    pipeline: &'p Pipeline,
    /// When the next event of the schedule comes.
    next: Timestamp,
    transcript: String,
}

impl<'p> Shift<'p> {
    pub(crate) async fn begin(pipeline: &'p Pipeline) -> Self {
        pipeline.deliver().await;
        Self {
            pipeline,
            next: time("2026-11-11T05:30:00Z"),
            transcript: HEADER.to_owned(),
        }
    }

    pub(crate) fn transcript(self) -> String {
        self.transcript
    }

    /// The schedule fires, and its execution fails.
    pub(crate) async fn fail(&mut self, failure: &Failure) {
        self.pipeline.set_faults(failure.faults);
        if let Some(secret) = failure.secret {
            let world = &self.pipeline.world;
            let wrong = world.tenant_secret_with(&json!({"client_secret": secret}));
            let right = world.tenant_secret_with(&json!({}));
            world.put_tenant(TENANT, &wrong);
            // Tokens are as old as the processes that hold them, whose time does not pass.
            world.lambda().cool_down();
            self.fail_with(failure.error, self.pipeline.definition.clone())
                .await;
            world.put_tenant(TENANT, &right);
        } else {
            self.fail_with(failure.error, self.pipeline.definition.clone())
                .await;
        }
    }

    /// The same, with a definition of its own.
    pub(crate) async fn fail_with(&mut self, error: &str, definition: Value) {
        let arn = self.fire(definition).await;
        let ended = self.pipeline.finish(&arn).await;
        assert_eq!(ended.status, Status::Failed, "{error}: {ended:?}");
        assert_eq!(ended.error.as_deref(), Some(error), "{:?}", ended.cause);
    }

    /// Somebody stops the execution while it works.
    pub(crate) async fn stop(&mut self) {
        self.wait_until(self.next).await;
        let _still = self.pipeline.world.clock().busy();
        let before = self.pipeline.tenant().runs().len();
        let definition = self.pipeline.definition.clone();
        let arn = self.start(definition);
        while self.pipeline.tenant().runs().len() == before {
            tokio::task::yield_now().await;
        }
        let engine = self.pipeline.world.engine();
        engine.stop(&arn, None, None).unwrap();
    }

    /// Nothing fires for some days.
    pub(crate) async fn skip_days(&mut self, days: i64) {
        self.next += SignedDuration::from_hours(24 * days);
        // Until the last of them is due.
        self.wait_until(self.next - SignedDuration::from_hours(20))
            .await;
    }

    async fn fire(&mut self, definition: Value) -> std::sync::Arc<str> {
        self.wait_until(self.next).await;
        self.start(definition)
    }

    fn start(&mut self, definition: Value) -> std::sync::Arc<str> {
        let event = local::scheduled_event(definition, self.next);
        let name = format!("scheduled-{}", self.next.strftime("%F"));
        self.next += SignedDuration::from_hours(24);
        let engine = self.pipeline.world.engine();
        let started = engine.start(STATE_MACHINE_ARN, Some(&name), event.to_json());
        started.unwrap().execution_arn
    }

    async fn wait_until(&self, at: Timestamp) {
        drop(self.pipeline.world.clock().sleep_until(at).await);
    }

    /// Types what is printed until the report is complete.
    pub(crate) async fn mend(&mut self, title: &str, put_right: &str) {
        println!("{title}");
        self.note(format_args!("\n## {title}\n\n```console\n"));
        let (_, said) = self.type_line("cxr status").await;
        let mut lines = said.lines().map(str::trim);
        let line =
            lines.find(|line| line.starts_with("cxr retry") || line.starts_with("cxr replay"));
        let line = line.unwrap_or_else(|| panic!("{title}: nothing to type: {said}"));
        if !put_right.is_empty() {
            self.note(format_args!("# {put_right}\n"));
            self.pipeline.set_faults(&[]);
        }
        let typed = line.replace("TEXT", "corrected");
        let (code, said) = self.type_line(&typed).await;
        assert_eq!(code, 0, "{title}: {typed}: {said}");
        let (code, said) = self.type_line("cxr status --check").await;
        assert_eq!(code, 0, "{title}: not in {COMMANDS_MAX} commands: {said}");
        self.pipeline.set_faults(&[]);
        self.transcript.push_str("```\n");
    }

    /// Never more than so many of the retried windows run at once.
    pub(crate) async fn check_bound(&mut self, at_once: usize) {
        let kept = self.transcript.clone();
        let line = format!("cxr retry --all --at-once {at_once} --yes --watch");
        let (code, said) = self.type_line(&line).await;
        assert_eq!(code, 0, "{said}");
        let executions = self.pipeline.world.engine().list(STATE_MACHINE_ARN, None);
        let missing = executions.iter().take(6);
        let spans: Vec<(Timestamp, Timestamp)> = missing
            .map(|it| (it.started, it.stopped.unwrap()))
            .collect();
        let most = spans.iter().map(|(at, _)| {
            let running = spans.iter().filter(|(from, to)| from <= at && at < to);
            running.count()
        });
        assert_eq!(most.max(), Some(at_once), "{spans:?}");
        let (_, said) = self.type_line("cxr retry --all").await;
        assert_eq!(said, "nothing to do\n");
        self.transcript = kept;
    }

    fn note(&mut self, text: Arguments) {
        self.transcript.write_fmt(text).unwrap();
    }

    /// Runs a command and notes it.
    async fn type_line(&mut self, line: &str) -> (u8, String) {
        let mut out = Vec::new();
        let context = Context {
            out: &mut out,
            now: self.pipeline.world.clock().now(),
            // Time passes only while nobody asks.
            pause: Duration::from_millis(10),
            width: None,
            cache: None,
            answer: Some(|| Ok("y".to_owned())),
            aws: async || config(self.pipeline),
        };
        let machine = ["--state-machine", STATE_MACHINE_ARN];
        let words = line.split(' ').chain(machine);
        let cli = Cli::try_parse_from(words).unwrap();
        let ended =
            while_it_moves(&self.pipeline.world, Box::pin(operator::run(cli, context))).await;
        let out = String::from_utf8(out).unwrap();
        let code = match ended {
            Ok(code) => code,
            Err(error) => panic!("{line}: {}: {error}\n{out}", error.code()),
        };
        self.note(format_args!("$ {line}\n"));
        self.transcript.push_str(&hide_what_differs(&out));
        (code, out)
    }
}

/// The output without what differs from one time to the next: times of the day, because pauses are random, names made of digests,
/// and what was seen on the way, because that depends on when it was looked.
fn hide_what_differs(out: &str) -> String {
    let times = Regex::new(r"\b\d\d:\d\d(:\d\d)?\b( UTC)?").unwrap();
    let names =
        Regex::new(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{12,}\b").unwrap();
    let seen = Regex::new(r"^\d\d-\d\d --:--  ").unwrap();
    let versions = Regex::new(r"version \d+").unwrap();
    let mut lines: Vec<String> = Vec::new();
    for line in out.lines() {
        // The schedule's own time stays.
        let line = line.replace("daily 05:30", "daily @");
        let line = times
            .replace_all(&line, "--:--")
            .replace("daily @", "daily 05:30");
        let line = names.replace_all(&line, "…").trim_end().to_owned();
        if !seen.is_match(&line) {
            lines.push(line);
        } else if line.contains("delivered as") {
            lines.push(versions.replace(&line, "version …").into_owned());
        } else if lines.last().is_none_or(|last| last != "…") {
            lines.push("…".to_owned());
        }
    }
    // Of several that run at once, any may be the first.
    let is_last = |line: &String| line.contains("delivered as");
    let (mut delivered, mut before): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(is_last);
    delivered.sort();
    before.extend(delivered);
    before.dedup();
    before
        .iter()
        .fold(String::new(), |told, line| told + line + "\n")
}

fn config(pipeline: &Pipeline) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(pipeline.world.gateway().url())
        .build()
}
