#![doc = include_str!("../README.md")]

mod environment;
pub mod metrics;
mod serve;

pub use environment::process_environment;
pub use serve::serve;
