#![doc = include_str!("../README.md")]

mod address;
mod attempts;
mod aws_error;
mod bucket;
mod commands;
mod definition_check;
mod definition_file;
mod digest;
mod error;
mod execution_input;
mod grid;
mod history;
mod layout;
mod output;
mod place;
mod request;
mod secrets_manager;
mod state;
mod step_functions;
mod survey;
mod target;
mod template;
mod time;

pub use commands::{Cli, Context, run};
pub use error::CommandError;
