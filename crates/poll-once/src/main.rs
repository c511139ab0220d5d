//! The Lambda bootstrap.
#![recursion_limit = "256"] // the SDK nests its futures deeply

use lambda_runtime::{Error, run, service_fn, tracing};
use workflow::Environment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::load_from_env().await;
    // A wrong environment is told to the state machine under its name, not by a crash.
    let handler = poll_once::Handler::new(&Environment::of_process(), &aws);
    let handler = handler.as_ref().map_err(Clone::clone);
    let handle = async |event| Box::pin(handler.clone()?.handle(workflow::read(event)?)).await;
    run(service_fn(handle)).await
}
