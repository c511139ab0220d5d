#![doc = include_str!("../README.md")]

mod client;
mod error;
#[cfg(test)]
mod fuzz;
mod page;
mod redact;
mod state;

pub use client::{
    AccessKey, AccessToken, Cancelled, Client, ClientCredentials, Config, Grant, Issuer, Limits,
    PageOf, RefreshGrant, RefreshToken, SignIn, Site,
};
pub use error::Error;
pub use page::{Page, PageEnd, RowChunk, RowDigest};
