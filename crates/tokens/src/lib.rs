#![doc = include_str!("../README.md")]

pub mod decide;
mod error;
pub mod life;
mod secrets;
mod stored;
mod tokens;

pub use error::{AuthError, ConfigError, Error, Problem, SecretsError, UnavailableError};
pub use tokens::{Config, Tokens};
