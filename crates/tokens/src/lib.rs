#![doc = include_str!("../README.md")]

mod credentials;
pub mod decide;
mod error;
pub mod life;
pub mod patience;
mod secrets;
mod session;
mod stored;
mod tokens;
mod turn;

pub use error::{
    AuthError, ConfigError, Error, Problem, SecretsError, UnavailableError, failure_of_call,
    fault_of_call,
};
pub use session::Session;
pub use tokens::{Config, Tokens};
pub use turn::Turn;
