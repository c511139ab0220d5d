//! The Lambda bootstrap.
#![recursion_limit = "256"] // the SDK nests its futures deeply

use lambda_runtime::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let aws = aws_config::load_from_env().await;
    let handler = cancel::CancelHandler::new(&handler::process_environment(), &aws);
    handler::serve(handler, cancel::CancelHandler::handle).await
}
