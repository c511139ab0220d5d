#![doc = include_str!("../README.md")]

pub mod ask;
pub mod docs;
mod environment;
pub mod flow;
pub mod keys;
mod merge;
mod part;
mod store;

pub use merge::merge;
pub use part::{Limits, PartSet, PartSpec, rewrite};
pub use store::{Config, Store};
