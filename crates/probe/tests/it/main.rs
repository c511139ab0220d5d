//! A simulated tenant is probed, with each of its faults.

#![expect(clippy::unwrap_used, reason = "a test ends where its assumptions do")]

mod canaries;
mod deep;
mod documents;
mod learned;
mod remedies;
mod rulings;
mod world;
