//! What the real client does when a tenant does what it should not: the failure catalogue, a table a group.
//!
//! `tests/README.md` says for each failure which test shows it; `catalogue` holds that table against the tests.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![recursion_limit = "256"] // the SDK nests its futures deeply

mod auth;
mod cases;
mod catalogue;
mod child;
mod harness;
mod hostile;
mod log;
mod pages;
mod raw;
mod runs;
mod secrets;
mod tls;
mod transport;
