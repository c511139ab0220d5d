//! The client against a server that sends whatever bytes a test wants.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up should panic"
)]

mod calls;
mod contacts;
mod data_download;
mod data_extraction;
mod pages;
mod report_jobs;
mod server;
