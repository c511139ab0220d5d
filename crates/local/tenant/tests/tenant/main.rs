//! The tenant from outside, over loopback, down to the bytes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where its assumptions do"
)]

mod acd;
mod api;
mod client;
mod contacts;
mod contents;
mod data_download;
mod extraction;
mod reach;
mod refusals;
mod report_jobs;
mod runs;
mod sign_in;
mod transport;

use cxone_sim::Fault;

#[test]
fn every_fault_has_a_test_that_shows_it() {
    let tests = [
        include_str!("contacts.rs"),
        include_str!("contents.rs"),
        include_str!("data_download.rs"),
        include_str!("extraction.rs"),
        include_str!("report_jobs.rs"),
        include_str!("runs.rs"),
        include_str!("sign_in.rs"),
        include_str!("transport.rs"),
    ]
    .concat();
    let untested: Vec<&str> = Fault::catalogue()
        .iter()
        .chain(Fault::published())
        .map(|entry| entry.name)
        .filter(|name| !tests.contains(&format!("\"{name}")))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn the_readme_holds_the_table_of_faults() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&cxone_sim::fault_table()),
        "put this into README.md:\n{}",
        cxone_sim::fault_table()
    );
}
