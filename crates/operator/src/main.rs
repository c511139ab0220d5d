//! The command line `cxr`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_sfn::config::retry::RetryConfig;
use clap::Parser as _;
use operator::{Cli, Context, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let context = Context {
        out: &mut std::io::stdout().lock(),
        now: jiff::Timestamp::now(),
        pause: Duration::from_secs(1),
        aws: load_aws_config,
    };
    match run(Cli::parse(), context).await {
        Ok(code) => code.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", error.code());
            error.exit_code().into()
        }
    }
}

/// `ListExecutions` allows five calls a second, so the SDK retries more often than by default.
async fn load_aws_config() -> aws_sdk_sfn::Config {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    aws_sdk_sfn::config::Builder::from(&config)
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .build()
}
