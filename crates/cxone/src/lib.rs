#![doc = include_str!("../README.md")]

mod api;
mod error;
mod http;
mod page;
mod sign_in;

pub use api::{CancelOutcome, PageQuery, is_known_state};
pub use error::Error;
pub use http::{AccessToken, Client, ClientConfig, Limits, RawAnswer};
pub use page::{Page, PageEnd, RowChunk, RowDigest};
pub use sign_in::{
    AccessKey, ClientAuth, ClientCredentials, Issuer, RefreshGrant, RefreshToken, SignIn,
    TenantApi, TokenGrant,
};
