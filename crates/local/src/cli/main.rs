//! The command `local`: everything on one machine.

mod arguments;
mod clock;
mod failure;
mod faults;
mod mails;
mod progress;
mod restate;
mod run;
mod scenario;
mod serve;
mod summary;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Command};
use terminal::Terminal;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(log_filter())
        .with_writer(std::io::stderr)
        .init();
    let terminal = Terminal::for_process();
    let ended = match arguments.command {
        None => run::run_report(&arguments.run, &terminal).await,
        Some(Command::Serve(serve)) => serve::serve(&serve, &terminal).await,
        Some(Command::Faults) => {
            faults::print_list(&terminal);
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// What `RUST_LOG` says, or errors alone, without the protocol crate's: it logs each refusal as one, also an object that is not there.
fn log_filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error,s3s=off"))
}
