//! The connection to CXone: one request, one answer, and what either may hold.

mod access_token;
mod body;
mod call;
mod client;
mod config;
mod explanation;
mod file_link;
mod host_guard;
mod raw_answer;
mod raw_body;
mod redact;
mod refusal;
mod retry_after;

pub use access_token::AccessToken;
pub(crate) use body::{Body, GZIP_MAGIC};
pub(crate) use call::{Call, Repetition, check_content_type, content_type};
pub use client::Client;
pub use config::{ClientConfig, Limits};
pub(crate) use explanation::explain_answer;
pub(crate) use file_link::FileLink;
pub use raw_answer::RawAnswer;
pub(crate) use redact::redact_secrets;
pub(crate) use retry_after::response_date;
