//! S3 over a folder: what the pipeline, boto3 and the AWS CLI use of it.
//!
//! The crate `s3s` speaks the protocol; [`Store`] keeps the objects. Those of a bucket are plain files in `{root}/{bucket}/{key}`; what
//! a file can't hold (content type, checksum, uploads under way) is in `{root}/.s3`. A claim (`If-None-Match: *`) is a hard link, so
//! that exactly one of many writers wins, in this process and in others that share the folder.

mod body;
mod checksum;
mod file_name;
mod listing;
mod multipart;
mod object;
mod operations;
mod protocol;
mod store;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use protocol::{Protocol, refuse};
pub use store::Store;

/// The account that owns every bucket.
pub const BUCKET_OWNER: &str = "000000000000";

#[derive(Debug, Clone)]
pub struct S3(Arc<Store>);

impl S3 {
    /// Serves the folder `root`, which is made if it does not exist.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Store::open(root)?)))
    }

    /// The folder behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0
    }
}
