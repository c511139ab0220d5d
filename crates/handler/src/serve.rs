//! Serves a handler's invocations.

use std::fmt;
use std::future::Future;

use definition::text::clean_detail;
use delivery::{Failure, FailureName};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::log::Log;
use crate::subject::Subject;

/// Serves invocations until Lambda ends the process.
///
/// A handler that could not be built answers each invocation with its failure: a wrong environment reaches the
/// state machine under a name of ours, where a crash at the start would be `Runtime.ExitError`.
///
/// # Errors
/// When the Runtime API can't be reached.
pub async fn serve<H, I, O, F>(
    log: Log,
    handler: Result<H, Failure>,
    handle: impl Fn(&'static H, LambdaEvent<I>) -> F,
) -> Result<(), Error>
where
    H: 'static,
    I: DeserializeOwned,
    O: Serialize,
    F: Future<Output = Result<O, Failure>>,
{
    // The process serves until it ends, so that the handler lives as long as it.
    let handler: Result<&'static H, Failure> =
        handler.map(|handler| &*Box::leak(Box::new(handler)));
    let answer = async |event: LambdaEvent<Value>| {
        log.set_subject(Subject::new(&event.payload, &event.context.request_id));
        handle(handler.clone()?, read_message(event)?).await
    };
    let service = async |event| Box::pin(answer(event)).await.map_err(Told);
    run(service_fn(service)).await
}

/// A failure on its way to the runtime, which writes it to the log as `Debug` shows it.
struct Told(Failure);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.name, self.0.message)
    }
}

/// Reads a handler's message. One that can't be read fails under a name of ours, where the runtime would give the
/// name of a Rust type.
fn read_message<T: DeserializeOwned>(event: LambdaEvent<Value>) -> Result<LambdaEvent<T>, Failure> {
    let payload = serde_path_to_error::deserialize(event.payload).map_err(|error| {
        let message = format!("the message can't be read: {error}");
        Failure::new(FailureName::Config, clean_detail(&message))
    })?;
    Ok(LambdaEvent::new(payload, event.context))
}

/// What the state machine matches (`errorType`) and what the operator reads.
impl From<Told> for Diagnostic {
    fn from(Told(failure): Told) -> Self {
        Self {
            error_type: failure.name.as_str().to_owned(),
            error_message: failure.message,
        }
    }
}
