#![doc = include_str!("../README.md")]

mod aws_error;
mod commands;
mod definition_check;
mod definition_file;
mod digest;
mod error;
mod execution_input;
mod grid;
mod history;
mod output;
mod request;
mod secrets_manager;
mod step_functions;
mod target;
mod template;
mod time;

pub use commands::{Cli, Context, run};
pub use error::CommandError;
