//! The command line: everything on one machine, in one command.

mod arguments;
mod clock;
mod demo;
mod failure;
mod faults;
mod progress;
mod serve;
mod setting;
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
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let terminal = Terminal::of_process();
    let ended = match arguments.command {
        None => demo::run(&arguments.run, &terminal).await,
        Some(Command::Serve(serve)) => serve::run(&serve, &terminal).await,
        Some(Command::Faults) => {
            faults::list(&terminal);
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
