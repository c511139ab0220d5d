//! The command line `cxr`.

use std::io::Write as _;
use std::process::ExitCode;

use aws_sdk_sfn::config::retry::RetryConfig;
use clap::Parser as _;
use operator::args::Cli;
use operator::{Surroundings, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let around = Surroundings {
        out: &mut std::io::stdout().lock(),
        now: jiff::Timestamp::now(),
        aws,
    };
    match run(Cli::parse(), around).await {
        Ok(code) => code.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", error.code());
            error.exit_code().into()
        }
    }
}

/// `ListExecutions` allows five calls a second: the SDK waits longer and longer, and tries often.
async fn aws() -> aws_sdk_sfn::Config {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    aws_sdk_sfn::config::Builder::from(&config)
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .build()
}
