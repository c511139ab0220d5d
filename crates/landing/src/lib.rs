#![doc = include_str!("../README.md")]

mod merge;
mod part;
mod store;

pub use merge::merge;
pub use part::{Limits, PartSet, PartSpec, rewrite};
pub use store::{Config, Store};
