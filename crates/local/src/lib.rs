#![doc = include_str!("../README.md")]

pub mod aws;
mod http;
pub mod lambda;
