//! The pipeline from outside. The tests are in the folders and files beside this one.

pub mod harness;
