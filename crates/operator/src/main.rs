//! The command line `cxr`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
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
async fn load_aws_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .load()
        .await
}
