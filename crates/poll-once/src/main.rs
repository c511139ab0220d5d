//! The executable that Lambda starts.
#![recursion_limit = "256"] // the SDK nests its futures deeply

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = handler::process_environment();
    let log = handler::Log::start(&env, env!("CARGO_PKG_NAME"));
    let aws = aws_config::load_from_env().await;
    let handler = poll_once::PollOnceHandler::new(&env, &aws);
    handler::serve(log, handler, poll_once::PollOnceHandler::handle).await
}
