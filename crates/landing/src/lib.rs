#![doc = include_str!("../README.md")]

mod compare;
mod merge;
mod part;
mod store;

pub use compare::compare;
pub use merge::merge;
pub use part::{Limits, PartSet, PartSpec, rewrite};
pub use store::{Config, ListedObject, Store};
