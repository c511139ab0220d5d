#![doc = include_str!("../README.md")]

mod cached_token;
mod call_permit;
mod credentials;
mod error;
pub mod expiry;
mod lookup;
pub mod retry_policy;
mod secrets;
mod session;
mod shared;
mod stored;
mod tenants;
pub mod token_state;
mod tokens;

pub use call_permit::{CallPermit, Permitted};
pub use definition::tenant::SecretNames;
pub use error::{
    AuthError, ConfigError, Error, Problem, SecretsError, UnavailableError, failure_of_call,
    fault_of_call,
};
pub use session::Session;
pub use tenants::Tenants;
pub use tokens::Tokens;
