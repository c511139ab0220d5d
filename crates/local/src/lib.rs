#![doc = include_str!("../README.md")]

pub mod aws;
mod event;
pub mod handlers;
mod http;
pub mod lambda;
mod tasks;
pub mod world;

pub use event::ScheduledEvent;
pub use handlers::{Handlers, HandlersError};
pub use world::{Options, World, WorldError};
