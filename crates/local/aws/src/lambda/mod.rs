//! Lambda on one machine: starts the handlers' own binaries and serves the Runtime API to them.

mod error;
mod function;
mod instance;
mod logs;
mod runtime_api;
mod usage;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use error::{FunctionError, InvokeError};
pub use function::Function;
pub use instance::STACK;
pub use logs::{LogLine, Logs};
pub use usage::Usage;

use crate::http::Server;
use instance::{Instance, Invocation};

/// The payload that a synchronous invocation may have, in and out.
pub const PAYLOAD_LIMIT: usize = 6 << 20;
/// The time that a process has to ask for its first invocation.
const INIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs functions as processes: one for each invocation under way, kept warm for the next.
#[derive(Debug, Clone)]
pub struct LambdaHost(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Server,
    registry: Arc<Registry>,
}

/// The functions and their processes.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    functions: Mutex<BTreeMap<String, Slot>>,
    logs: Arc<Logs>,
    requests: AtomicU64,
}

#[derive(Debug)]
struct Slot {
    function: Function,
    started: u64,
    running: Vec<Arc<Instance>>,
    idle: Vec<u64>,
    usage: Usage,
}

impl LambdaHost {
    /// Opens the Runtime API on a free loopback port; there are no functions yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let registry = Arc::new(Registry::default());
        let server = Server::start(listener, runtime_api::service(Arc::clone(&registry)))?;
        Ok(Self(Arc::new(Inner { server, registry })))
    }

    /// Adds a function, or replaces it: its processes end and the next invocation starts a new one.
    pub fn register(&self, function: Function) {
        let mut functions = self.0.registry.lock();
        let before = functions.get(&function.name);
        let slot = Slot {
            started: before.map_or(0, |slot| slot.started),
            usage: Usage::default(),
            running: Vec::new(),
            idle: Vec::new(),
            function,
        };
        functions.insert(slot.function.name.clone(), slot);
    }

    /// Changes a function and ends its idle processes, so that the next invocation starts with the change.
    pub fn configure(&self, name: &str, change: impl FnOnce(&mut Function)) {
        if let Some(slot) = self.0.registry.lock().get_mut(name) {
            change(&mut slot.function);
            slot.end_idle();
        }
    }

    /// Ends the idle processes of all functions: the next invocations start cold.
    pub fn cool_down(&self) {
        self.0.registry.lock().values_mut().for_each(Slot::end_idle);
    }

    #[must_use]
    pub fn arn(name: &str) -> String {
        format!("arn:aws:lambda:us-east-1:000000000000:function:{name}")
    }

    /// Invokes the function and waits for its answer.
    ///
    /// # Errors
    /// What the handler reported, or what Lambda reports when it could not answer.
    pub async fn invoke(&self, name: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        if payload.len() > PAYLOAD_LIMIT {
            return Err(InvokeError::TooLarge(payload.len()));
        }
        let registry = &self.0.registry;
        let (instance, limit) = registry.take(name, self.0.server.address())?;
        let lease = Lease {
            registry,
            name,
            instance: &instance,
            begun: Instant::now(),
        };
        let (taken_by, taken) = oneshot::channel();
        let request_id = registry.request_id();
        let answer = instance.send(Invocation {
            request_id: request_id.clone(),
            payload,
            arn: Self::arn(name),
            timeout: limit,
            taken: taken_by,
        });
        let ended = wait(&instance, &request_id, limit, taken, answer).await;
        drop(lease);
        ended.map_err(InvokeError::Function)
    }

    /// Kills all processes of a function at once; what they were doing ends with `Runtime.ExitError`.
    pub fn kill(&self, name: &str) {
        if let Some(slot) = self.0.registry.lock().get_mut(name) {
            // Their invocations remove the running ones when they end.
            slot.end_idle();
            for instance in &slot.running {
                instance.kill();
            }
        }
    }

    /// Kills the one process that has this access key, as [`crate::Call`] names it.
    pub(crate) async fn kill_caller(&self, caller: &Caller) {
        let instance = {
            let functions = self.0.registry.lock();
            functions
                .get(&caller.function)
                .and_then(|slot| slot.find(caller.instance))
        };
        if let Some(instance) = instance {
            instance.kill();
            instance.exited().await;
        }
    }

    /// Whether there is a function of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.registry.lock().contains_key(name)
    }

    /// What the handlers wrote.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.0.registry.logs
    }

    /// The most memory that a process of the function has held, in bytes, measured after each invocation.
    #[must_use]
    pub fn peak_memory(&self, name: &str) -> Option<u64> {
        self.usage(name).map(|usage| usage.peak_memory)
    }

    /// What the processes of the function used so far; nothing where the system does not tell, or none has ended an invocation.
    #[must_use]
    pub fn usage(&self, name: &str) -> Option<Usage> {
        let functions = self.0.registry.lock();
        let usage = &functions.get(name)?.usage;
        (usage.peak_memory > 0).then(|| usage.clone())
    }

    /// How many processes of the function were started so far.
    #[must_use]
    pub fn started(&self, name: &str) -> u64 {
        self.0
            .registry
            .lock()
            .get(name)
            .map_or(0, |slot| slot.started)
    }
}

/// The process that calls, as its access key names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub function: String,
    /// Which of its processes, counted from 1.
    pub instance: u64,
}

impl Caller {
    /// Reads an access key of [`Function::access_key`].
    pub(crate) fn parse(access_key: &str) -> Option<Self> {
        let (function, instance) = access_key.strip_prefix("LOCAL.")?.rsplit_once('.')?;
        Some(Self {
            function: function.to_owned(),
            instance: instance.parse().ok()?,
        })
    }
}

/// Waits for the first of: the answer, the end of the process, the time limit.
async fn wait(
    instance: &Instance,
    request_id: &str,
    limit: Duration,
    taken: oneshot::Receiver<()>,
    mut answer: oneshot::Receiver<instance::Answer>,
) -> instance::Answer {
    let timed = async {
        let init = timeout(INIT_TIMEOUT, taken).await;
        let limit = if init.is_ok() { limit } else { Duration::ZERO };
        let _ = timeout(limit, std::future::pending::<()>()).await;
    };
    let answered = tokio::select! {
        biased;
        answer = &mut answer => answer.ok(),
        status = instance.exited() => {
            // The answer may have come in just before the end.
            return answer.try_recv().unwrap_or_else(|_| Err(exit_error(request_id, &status)));
        }
        () = timed => {
            instance.kill();
            instance.exited().await;
            let seconds = limit.as_secs_f64();
            let message = format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
            return Err(FunctionError::sandbox("Sandbox.Timedout", message));
        }
    };
    match answered {
        Some(Ok(body)) if body.len() > PAYLOAD_LIMIT => Err(FunctionError::sandbox(
            "Function.ResponseSizeTooLarge",
            format!(
                "Response payload size ({} bytes) exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).",
                body.len()
            ),
        )),
        Some(answer) => answer,
        None => Err(exit_error(request_id, &instance.exited().await)),
    }
}

fn exit_error(request_id: &str, status: &str) -> FunctionError {
    // Lambda writes "exit status 1" and "signal: killed" where Rust writes "exit status: 1" and "signal: 9 (SIGKILL)".
    let reason = match status {
        status if status.starts_with("signal: 9") => "signal: killed".to_owned(),
        status => status.replace("exit status: ", "exit status "),
    };
    let message = format!("RequestId: {request_id} Error: Runtime exited with error: {reason}");
    FunctionError::sandbox("Runtime.ExitError", message)
}

/// Frees the process when the invocation is over, however it ended, also when nobody waits for it any more.
struct Lease<'a> {
    registry: &'a Registry,
    name: &'a str,
    instance: &'a Arc<Instance>,
    begun: Instant,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let mut functions = self.registry.lock();
        let Some(slot) = functions.get_mut(self.name) else {
            return;
        };
        slot.usage.add(self.instance, took);
        if self.instance.is_free() {
            slot.idle.push(self.instance.number);
        } else {
            self.instance.kill();
            slot.running
                .retain(|running| running.number != self.instance.number);
        }
    }
}

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Slot>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle process of the function, or a new one.
    fn take(&self, name: &str, api: SocketAddr) -> Result<(Arc<Instance>, Duration), InvokeError> {
        let mut functions = self.lock();
        let slot = functions
            .get_mut(name)
            .ok_or_else(|| InvokeError::NotFound(LambdaHost::arn(name)))?;
        let limit = slot.function.timeout;
        slot.running.retain(|instance| instance.is_alive());
        while let Some(number) = slot.idle.pop() {
            if let Some(instance) = slot.find(number) {
                return Ok((instance, limit));
            }
        }
        if slot.running.len() >= slot.function.max_instances {
            return Err(InvokeError::TooManyRequests(slot.running.len()));
        }
        let number = slot.started + 1;
        let api = format!("http://{api}/{name}/{number}");
        let instance =
            Instance::spawn(&slot.function, number, &api, &self.logs).map_err(|error| {
                InvokeError::Service(format!("{}: {error}", slot.function.executable.display()))
            })?;
        slot.started = number;
        slot.running.push(Arc::clone(&instance));
        Ok((instance, limit))
    }

    /// The process behind a path of the Runtime API.
    fn instance(&self, name: &str, number: u64) -> Option<Arc<Instance>> {
        self.lock().get(name)?.find(number)
    }

    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        format!("00000000-0000-4000-8000-{number:012x}")
    }
}

impl Slot {
    fn find(&self, number: u64) -> Option<Arc<Instance>> {
        let mut running = self.running.iter();
        running.find(|instance| instance.number == number).cloned()
    }

    fn end_idle(&mut self) {
        for number in std::mem::take(&mut self.idle) {
            if let Some(instance) = self.find(number) {
                instance.kill();
            }
            self.running.retain(|instance| instance.number != number);
        }
    }
}
