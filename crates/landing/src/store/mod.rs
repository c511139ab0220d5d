//! The bucket: the only code that calls S3.
//!
//! Every write is a create: `PutObject` and `CompleteMultipartUpload` carry `If-None-Match: *`, so
//! a bucket policy may demand it. The one exception is [`compare_and_swap`], which replaces the object
//! that it names, and only with `If-Match`. Nothing here deletes an object.

mod check;
mod checksum;
mod claim;
mod client;
mod compare_and_swap;
mod error;
mod execute;
mod object;
mod owner;
mod presence;
mod range;

pub(crate) use checksum::{Checksum, Sha256};
pub use claim::ListedObject;
pub use client::{Config, Store};
pub(crate) use object::{DataMark, Lifetime};
pub use presence::PartPresence;
pub(crate) use range::RangeReader;
