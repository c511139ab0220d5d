//! The log: a JSON object on each line of standard output, and in each of them the same fields about the invocation.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delivery::Environment;
use jiff::Timestamp;
use lambda_runtime::tracing::subscriber::filter::EnvFilter;
use lambda_runtime::tracing::subscriber::layer::{Context, Layer, SubscriberExt as _};
use lambda_runtime::tracing::subscriber::registry::Registry;
use lambda_runtime::tracing::subscriber::util::SubscriberInitExt as _;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};

use crate::subject::Subject;

/// Writes every line of a handler's process. A process has one invocation at a time, so that each line is about it, whoever
/// writes the line: a handler, the SDK, or the runtime that tells of a failure.
#[derive(Clone, Debug)]
pub struct Log(Arc<State>);

#[derive(Debug)]
struct State {
    handler: &'static str,
    subject: Mutex<Subject>,
}

impl Log {
    /// Begins the log of a handler's process, at the level of the function's logging configuration.
    #[must_use]
    pub fn start(env: &Environment, handler: &'static str) -> Self {
        let log = Self::new(handler);
        let subscriber = Registry::default()
            .with(read_filter(*env))
            .with(log.clone());
        // Only a second log in one process is refused.
        let _ = subscriber.try_init();
        log
    }

    fn new(handler: &'static str) -> Self {
        Self(Arc::new(State {
            handler,
            subject: Mutex::default(),
        }))
    }

    /// From now on every line is about this.
    pub(crate) fn set_subject(&self, subject: Subject) {
        *self.subject() = subject;
    }

    fn subject(&self) -> MutexGuard<'_, Subject> {
        self.0
            .subject
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self, event: &Event<'_>, at: Timestamp) -> String {
        let metadata = event.metadata();
        let mut line = LogLine(Map::new());
        line.insert("timestamp", format!("{at:.3}"));
        line.insert("level", metadata.level().as_str());
        line.insert("message", Value::Null);
        line.insert("handler", self.0.handler);
        line.insert("state", state_of(self.0.handler));
        self.subject().write_to(&mut line.0);
        event.record(&mut line);
        Value::Object(line.0).to_string() + "\n"
    }
}

/// What is written: from the level of the function's logging configuration on, which is `INFO` where it names none.
fn read_filter(env: Environment) -> EnvFilter {
    let level: Option<Level> = env.optional("AWS_LAMBDA_LOG_LEVEL").parse().ok();
    EnvFilter::builder()
        .with_default_directive(level.unwrap_or(Level::INFO).into())
        .parse_lossy(env.optional("RUST_LOG"))
}

/// The state that invokes the handler. A test compares these names with the state machine's.
#[must_use]
pub fn state_of(handler: &str) -> String {
    let words = handler.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

impl<S: Subscriber> Layer<S> for Log {
    /// A line that can't be written is lost: an invocation never fails for its log.
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = self.render(event, Timestamp::now());
        let mut out = io::stdout().lock();
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// The members of a line. What an event says itself replaces what is known of the invocation.
struct LogLine(Map<String, Value>);

impl LogLine {
    fn insert(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tracing::level_filters::LevelFilter;
    use tracing::subscriber::with_default;

    use super::*;

    /// Keeps the lines in memory, because a test's standard output is not its own.
    #[derive(Clone)]
    struct Kept(Log, Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = self
                .0
                .render(event, "2026-11-22T05:30:00.5Z".parse().unwrap());
            self.1.lock().unwrap().push(line);
        }
    }

    fn written(log: &Log, write: impl FnOnce()) -> Value {
        let kept = Kept(log.clone(), Arc::default());
        with_default(Registry::default().with(kept.clone()), write);
        let line = kept.1.lock().unwrap().pop().unwrap();
        assert!(line.ends_with("}\n") && line.lines().count() == 1, "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn what_is_worth_knowing_is_written_unless_the_function_says_otherwise() {
        let level_in = |lookup| {
            let filter = read_filter(Environment::looked_up_by(lookup));
            filter.max_level_hint().unwrap()
        };
        assert_eq!(level_in(|_| None), LevelFilter::INFO);
        let level = level_in(|name| set(name, "AWS_LAMBDA_LOG_LEVEL", ""));
        assert_eq!(level, LevelFilter::INFO);
        let level = level_in(|name| set(name, "AWS_LAMBDA_LOG_LEVEL", "DEBUG"));
        assert_eq!(level, LevelFilter::DEBUG);
        let level = level_in(|name| set(name, "RUST_LOG", "trace"));
        assert_eq!(level, LevelFilter::TRACE);
    }

    fn set(asked: &str, name: &str, value: &str) -> Option<String> {
        (asked == name).then(|| value.to_owned())
    }

    #[test]
    fn every_line_has_the_fields_of_its_invocation() {
        let log = Log::new("fetch-page");
        let before = written(&log, || tracing::info!("begins"));
        assert_eq!(
            before,
            json!({
                "timestamp": "2026-11-22T05:30:00.500Z", "level": "INFO", "message": "begins",
                "handler": "fetch-page", "state": "FetchPage", "execution": null, "report": null, "tenant": null,
                "window": null, "run": null, "requestId": null,
            })
        );
        let message = json!({
            "execution": "arn:aws:states:x:y:execution:z:1",
            "work": {
                "tenant": "acme", "report": "Tägliche\nAuslastung", "runId": "run-7",
                "window": {"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z"},
            },
        });
        log.set_subject(Subject::new(&message, "request-1"));
        let line = written(&log, || {
            tracing::warn!(page.count = 3, run = "run-8", "taken");
        });
        for (field, value) in [
            ("level", json!("WARN")),
            ("execution", json!("arn:aws:states:x:y:execution:z:1")),
            ("report", json!("TäglicheAuslastung")),
            ("tenant", json!("acme")),
            ("window", json!("2026-11-21T00:00:00Z/2026-11-22T00:00:00Z")),
            ("run", json!("run-8")),
            ("requestId", json!("request-1")),
            ("page.count", json!(3)),
        ] {
            assert_eq!(line[field], value, "{field} of {line}");
        }
    }
}
