//! One process of a function.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};

use super::{Function, FunctionError, Logs};

/// What Lambda sets in every environment, beside the function's own variables.
const REGION: &str = "us-east-1";

/// An invocation on its way to a process.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) arn: String,
    pub(super) timeout: Duration,
    /// Gets a message when the process takes the invocation, so that its start does not count against the limit.
    pub(super) taken: oneshot::Sender<()>,
}

/// A running process, and the channels to it.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) number: u64,
    process: Option<u32>,
    mailbox: mpsc::Sender<Invocation>,
    pub(super) next: Mutex<mpsc::Receiver<Invocation>>,
    /// The answer that the invocation under way waits for, by its request id.
    answer: std::sync::Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    kill: Arc<Notify>,
    exited: watch::Receiver<Option<String>>,
}

/// How an invocation ended.
pub(super) type Answer = Result<Bytes, FunctionError>;

impl Instance {
    /// Starts a process of the function, whose Runtime API is at `api`.
    pub(super) fn spawn(
        function: &Function,
        number: u64,
        api: &str,
        logs: &Arc<Logs>,
    ) -> io::Result<Arc<Self>> {
        let mut child = command(function, number, api).spawn()?;
        let process = child.id();
        if let Some(pipe) = child.stdout.take() {
            follow(logs, function, number, pipe);
        }
        if let Some(pipe) = child.stderr.take() {
            follow(logs, function, number, pipe);
        }
        let (mailbox, next) = mpsc::channel(1);
        let (alive, exited) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        let instance = Arc::new(Self {
            number,
            process,
            mailbox,
            next: Mutex::new(next),
            answer: std::sync::Mutex::new(None),
            kill: Arc::clone(&kill),
            exited,
        });
        tokio::spawn(watch_over(child, kill, alive));
        Ok(instance)
    }

    /// Hands the invocation to the process; the receiver gets its answer.
    pub(super) fn send(&self, invocation: Invocation) -> oneshot::Receiver<Answer> {
        let (tell, answer) = oneshot::channel();
        *self.slot() = Some((invocation.request_id.clone(), tell));
        if self.mailbox.try_send(invocation).is_err() {
            // Only a process that has ended can't take it; the caller is told of the exit.
            *self.slot() = None;
        }
        answer
    }

    /// Passes the process's answer on; false when nobody waits for one with this id.
    pub(super) fn answer(&self, request_id: &str, answer: Answer) -> bool {
        let waiting = self.slot().take_if(|(id, _)| id == request_id);
        waiting.is_some_and(|(_, tell)| tell.send(answer).is_ok())
    }

    /// Passes an error on that is no answer to an invocation, such as a failed start.
    pub(super) fn fail(&self, error: FunctionError) {
        if let Some((_, tell)) = self.slot().take() {
            let _ = tell.send(Err(error));
        }
    }

    /// Kills the process, whatever it is doing.
    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Whether it can take another invocation: it lives and its last one was answered.
    pub(super) fn is_free(&self) -> bool {
        self.is_alive() && self.slot().is_none()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.exited.borrow().is_none()
    }

    /// How the process ended, once it has.
    pub(super) async fn exited(&self) -> String {
        let mut exited = self.exited.clone();
        let status = exited.wait_for(Option::is_some).await;
        status
            .ok()
            .and_then(|status| status.clone())
            .unwrap_or_else(|| "stopped".to_owned())
    }

    /// The most memory that the process has held so far, in bytes, while it lives.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process?)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    }

    /// The CPU time that the process has used so far, while it lives.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process?)).ok()?;
        // The name of the executable stands in parentheses and may have spaces. Behind it the 12th and 13th field are times of
        // the process itself, in hundredths of a second on every Linux.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<(String, oneshot::Sender<Answer>)>> {
        self.answer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill.notify_one();
    }
}

fn follow(
    logs: &Arc<Logs>,
    function: &Function,
    number: u64,
    pipe: impl AsyncRead + Unpin + Send + 'static,
) {
    let (logs, name) = (Arc::clone(logs), function.name.clone());
    tokio::spawn(async move { logs.follow(&name, number, pipe).await });
}

/// Waits until the process has ended, and kills it when asked to.
async fn watch_over(mut child: Child, kill: Arc<Notify>, alive: watch::Sender<Option<String>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            let _ = child.start_kill();
            child.wait().await
        }
    };
    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    alive.send_replace(Some(status));
}

/// What the names of everything begin with, as those of a stack do.
pub const STACK: &str = "report";

fn command(function: &Function, number: u64, api: &str) -> Command {
    let mut command = Command::new(&function.executable);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env(
            "AWS_LAMBDA_FUNCTION_NAME",
            format!("{STACK}-{}", function.name),
        )
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env(
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory_mb.to_string(),
        )
        .env(
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{STACK}-{}", function.name),
        )
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/{number}"))
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", function.access_key(number))
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("TZ", ":UTC")
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
