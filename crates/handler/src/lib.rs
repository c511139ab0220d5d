#![doc = include_str!("../README.md")]

mod environment;
mod log;
pub mod metrics;
mod serve;
mod subject;

pub use environment::process_environment;
pub use log::{Log, state_of};
pub use serve::serve;
