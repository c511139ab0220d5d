#![doc = include_str!("../README.md")]

pub mod alarm;
mod event;
pub mod handlers;
mod tasks;
pub mod world;

pub use event::{replay, scheduled_event};
pub use handlers::{Handlers, HandlersError};
pub use world::{Options, World, WorldError};
