//! An operator at night: what is typed, and what it says.

use std::fmt::{Arguments, Write as _};
use std::time::Duration;

use asl::Status;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use clap::Parser as _;
use definition::Window;
use delivery::Expectation;
use jiff::{SignedDuration, Timestamp};
use local::world::{BUCKET, STATE_MACHINE_ARN, TENANT};
use operator::{Cli, Context};
use pipeline_tests::harness::{Pipeline, delivered, time, while_it_moves};
use regex::Regex;
use serde_json::{Value, json};

use crate::mail::{self, Mailbox, Sender, find_commands, split_words};

/// At most so many commands lead from the failure to a report that is complete.
const COMMANDS_MAX: usize = 3;

/// What the bucket's folder is called while it is gone.
const GONE: &str = ".gone";

/// A failure of one day.
pub(crate) struct Failure {
    pub(crate) title: &'static str,
    pub(crate) faults: &'static [&'static str],
    /// A client secret that CXone refuses.
    pub(crate) secret: Option<&'static str>,
    /// What somebody does about the cause; nothing, where what is printed does.
    pub(crate) put_right: &'static str,
    pub(crate) error: &'static str,
    pub(crate) told_by: Sender,
}

/// A report that is delivered each day, until something fails.
pub(crate) struct Shift<'p> {
    pipeline: &'p Pipeline,
    /// When the next event of the schedule comes.
    next: Timestamp,
    transcript: String,
    mailbox: Mailbox,
}

impl<'p> Shift<'p> {
    /// Delivers the first day. The transcript goes on behind what is written already.
    pub(crate) async fn begin(pipeline: &'p Pipeline, transcript: String) -> Self {
        pipeline.deliver().await;
        Self {
            pipeline,
            next: time("2026-11-11T05:30:00Z"),
            transcript,
            mailbox: Mailbox::open(&pipeline.world),
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

    /// The schedule does not fire for some days. On each its other event asks whether the window is there.
    pub(crate) async fn skip_days(&mut self, days: i64) {
        for _ in 0..days {
            self.next += SignedDuration::from_hours(24);
            self.expect().await;
        }
    }

    /// Asks whether the window is there of which the schedule fired last.
    async fn expect(&mut self) {
        let at = self.next - SignedDuration::from_hours(21);
        self.wait_until(at).await;
        let event = local::scheduled_event(self.pipeline.definition.clone(), at);
        let event = event.with_expectation(Expectation::Delivered);
        let ended = self.pipeline.play(event.to_json()).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Overdue"), "{ended:?}");
    }

    /// The schedule fires, and what is delivered is not as usual.
    pub(crate) async fn drift(&mut self, faults: &[&str]) {
        self.pipeline.set_faults(faults);
        let arn = self.fire(self.pipeline.definition.clone()).await;
        delivered(self.pipeline.finish(&arn).await);
    }

    /// The bucket is gone when the schedule fires. It is back once somebody has put that right.
    pub(crate) async fn lose_bucket(&mut self) {
        let path = self.pipeline.world.store().bucket_path(BUCKET);
        std::fs::rename(&path, path.with_file_name(GONE)).unwrap();
        let arn = self.fire(self.pipeline.definition.clone()).await;
        let ended = self.pipeline.finish(&arn).await;
        assert_eq!(ended.status, Status::Failed, "{ended:?}");
    }

    /// Somebody deletes a part of what was delivered last.
    pub(crate) async fn lose_part(&mut self) {
        let arn = self.fire(self.pipeline.definition.clone()).await;
        delivered(self.pipeline.finish(&arn).await);
        let world = &self.pipeline.world;
        let last = world.log().unwrap().pop().unwrap();
        let path = world.store().object_path(BUCKET, &last.parts[0].key);
        std::fs::remove_file(path).unwrap();
        self.expect().await;
    }

    /// For some days nothing fired. Somebody asks for all of them at once, while nothing has room for a function.
    pub(crate) async fn crowd(&mut self, days: i64) {
        let lambda = self.pipeline.world.lambda();
        // Their windows are begun, so that none is committed beside one that nobody asked for.
        lambda.configure("poll-once", |function| function.max_instances = 0);
        let day = SignedDuration::from_hours(24);
        let first = self.next - SignedDuration::from_mins(330) - day;
        self.next += day * i32::try_from(days).unwrap();
        self.wait_until(self.next - day).await;
        let engine = self.pipeline.world.engine();
        let mut started = Vec::new();
        for number in 0..days {
            let start = first + day * i32::try_from(number).unwrap();
            let window = Window::new(start, start + day).unwrap();
            let event = self.pipeline.event().with_window(window);
            let name = format!("crowd-{}", start.strftime("%F"));
            let execution = engine.start(STATE_MACHINE_ARN, Some(&name), event.to_json());
            started.push(execution.unwrap().execution_arn);
        }
        for arn in started {
            let ended = self.pipeline.finish(&arn).await;
            let error = ended.error.as_deref();
            assert_eq!(error, Some("Lambda.TooManyRequestsException"), "{ended:?}");
        }
    }

    /// What somebody does about a cause, whatever it is.
    fn put_right(&self) {
        self.pipeline.set_faults(&[]);
        let world = &self.pipeline.world;
        world
            .lambda()
            .configure("poll-once", |function| function.max_instances = 10);
        let path = world.store().bucket_path(BUCKET);
        let gone = path.with_file_name(GONE);
        if gone.exists() {
            std::fs::rename(gone, path).unwrap();
        }
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

    /// Reads the mail, and types what it and the commands say until the report is complete.
    pub(crate) async fn mend(&mut self, title: &str, told_by: Sender, put_right: &str) {
        println!("{title}");
        let mail = self.mailbox.take(&self.pipeline.world, told_by);
        let shown = hide_what_differs(&mail::show(&mail));
        self.note(format_args!(
            "\n## {title}\n\n```text\n{shown}```\n\n```console\n"
        ));
        let commands = find_commands(&mail);
        let mut line = commands.last().unwrap().clone();
        let mut typed = 1;
        if told_by == Sender::Alarm {
            let (code, said) = self.type_line(&commands[0]).await;
            let helps = |line: &&str| {
                ["retry", "replay", "backfill"]
                    .iter()
                    .any(|it| line.starts_with(&format!("cxr {it} ")))
            };
            let printed = said.lines().map(str::trim).find(helps);
            // Where nothing can be read, the mail's own line is left.
            let of_mail = commands
                .iter()
                .map(String::as_str)
                .find(helps)
                .filter(|_| code > 0);
            line = printed
                .or(of_mail)
                .unwrap_or_else(|| panic!("{title}: nothing to type: {said}"))
                .to_owned();
            typed += 1;
        }
        if !put_right.is_empty() {
            self.note(format_args!("# {put_right}\n"));
            self.put_right();
        }
        let line = line.replace("TEXT", "corrected");
        let (code, said) = self.type_line(&line).await;
        assert_eq!(code, 0, "{title}: {line}: {said}");
        let (code, said) = self.type_line("cxr status --check").await;
        typed += 1;
        assert!(
            code == 0 && typed <= COMMANDS_MAX,
            "{title}: not in {COMMANDS_MAX} commands: {said}"
        );
        self.put_right();
        self.transcript.push_str("```\n");
    }

    /// Never more than so many of the retried windows ran at once.
    pub(crate) fn check_bound(&mut self, windows: usize, at_once: usize) {
        let counted = self.mailbox.count_redriven();
        assert_eq!(counted, (windows, at_once));
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
        let words = split_words(line).into_iter();
        let words = words.chain(machine.map(str::to_owned));
        let cli = Cli::try_parse_from(words).unwrap();
        let ended =
            while_it_moves(&self.pipeline.world, Box::pin(operator::run(cli, context))).await;
        let out = String::from_utf8(out).unwrap();
        let (code, out) = match ended {
            Ok(code) => (code, out),
            Err(error) => (
                error.exit_code(),
                format!("{out}error[{}]: {error}\n", error.code()),
            ),
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
    let mut has_seen = false;
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
        } else {
            has_seen = true;
        }
    }
    // Of several that run at once, any may be the first.
    let is_last = |line: &String| line.contains("delivered as");
    let (mut delivered, mut before): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(is_last);
    delivered.sort();
    if has_seen {
        before.push("…".to_owned());
    }
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
