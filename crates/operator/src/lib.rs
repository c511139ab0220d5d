#![doc = include_str!("../README.md")]

mod address;
mod attempts;
mod aws_error;
mod backfill;
mod bucket;
mod change;
mod cloudwatch_logs;
mod commands;
mod confirm;
mod definition_check;
mod definition_file;
mod digest;
mod error;
mod error_name;
mod execution_input;
mod follow;
mod grid;
mod history;
mod layout;
mod output;
mod place;
mod purposes;
mod request;
mod scheduler;
mod secrets_manager;
mod state;
mod step_functions;
mod survey;
mod target;
mod template;
mod time;
mod work;

pub use commands::{Cli, Context, run};
pub use confirm::ReadAnswer;
pub use error::CommandError;
