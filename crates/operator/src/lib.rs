#![doc = include_str!("../README.md")]

pub mod advice;
pub mod args;
pub mod check;
pub mod definition_file;
mod error;
pub mod input;
pub mod list;
pub mod machine;
pub mod machine_arn;
pub mod plan;
pub mod redrive;
pub mod request;
mod run;
pub mod schedules;
pub mod show;
pub mod story;
pub mod time;

pub use error::Error;
pub use run::{Surroundings, run};
