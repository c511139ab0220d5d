//! Claiming, reading and listing small objects.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use bytes::Bytes;
use delivery::effects::{Answered, Claimed, Fault};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::checksum::Checksum;
use super::client::{MAX_REQUESTS, Store};
use super::error::{ErrorKind, Operation, S3Error};

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    /// What tells it from any other object that was put in its place.
    pub etag: String,
}

impl ListedObject {
    fn from_listing(object: Object) -> Option<Self> {
        Some(Self {
            key: object.key?,
            etag: object.e_tag.unwrap_or_default(),
        })
    }
}

impl Store {
    /// Stores the bytes unless there is an object under the key, and says what is stored then. A 412
    /// alone does not decide: the SDK repeats a request whose answer was lost, and meets its own object.
    pub(super) async fn claim(&self, key: &str, body: Vec<u8>) -> Answered<Claimed> {
        let body = Bytes::from(body);
        let checksum = Checksum::of(&body);
        let put = || {
            self.client
                .put_object()
                .bucket(self.bucket())
                .key(key)
                .if_none_match("*")
                .content_type(content_type_of(key))
                .checksum_sha256(checksum.base64())
                .body(ByteStream::from(body.clone()))
                .send()
        };
        match self.with_retry(Operation::PutObject, key, put).await {
            Ok(_) => return Ok(Claimed::Ours),
            Err(S3Error {
                kind: ErrorKind::AlreadyExists,
                ..
            }) => {}
            Err(error) => return Err(error.into()),
        }
        match self.read(key).await? {
            Some(stored) if stored == body => Ok(Claimed::Ours),
            Some(stored) => Ok(Claimed::Theirs(stored)),
            None => Err(Fault::Unavailable(format!(
                "S3 said that {key} exists and then that it does not"
            ))),
        }
    }

    /// The objects under these keys, in their order; none where nothing is stored.
    pub async fn read_all(&self, keys: Vec<String>) -> Answered<Vec<Option<Vec<u8>>>> {
        futures_util::stream::iter(keys)
            .map(|key| async move { self.read(&key).await })
            .buffered(MAX_REQUESTS)
            .try_collect()
            .await
    }

    pub(super) async fn list_keys(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> Answered<Vec<String>> {
        let listed = self.list_objects(prefix, after).await?;
        Ok(listed.into_iter().map(|object| object.key).collect())
    }

    /// Lists all objects whose keys begin with the prefix and sort after `after`, in order.
    pub async fn list_objects(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> Answered<Vec<ListedObject>> {
        let mut listed: Vec<ListedObject> = Vec::new();
        let mut after = after;
        loop {
            let page = self.list_page(prefix, None, after).await?;
            let truncated = page.is_truncated() == Some(true);
            let before = listed.len();
            let found = page.contents.into_iter().flatten();
            listed.extend(found.filter_map(ListedObject::from_listing));
            if !truncated {
                return Ok(listed);
            }
            // The last key says where to go on as well as a continuation token does, and it
            // can be asked for again however long ago the answer came.
            if listed.len() == before {
                return Err(Fault::Unavailable(format!(
                    "S3 gave an empty page of the listing of {prefix}"
                )));
            }
            after = listed.last().map(|object| object.key.clone());
        }
    }

    /// Lists the folders directly below the prefix that sort between `after` and `before`. However many there are
    /// behind `before`, at most one page of them is asked for.
    pub async fn list_folders(
        &self,
        prefix: &str,
        mut after: String,
        before: &str,
    ) -> Answered<Vec<String>> {
        let mut folders = Vec::new();
        loop {
            let page = self.list_page(prefix, Some("/"), Some(after)).await?;
            let truncated = page.is_truncated() == Some(true);
            let listed = page.common_prefixes.into_iter().flatten();
            let listed: Vec<String> = listed.filter_map(|folder| folder.prefix).collect();
            let Some(last) = listed.last() else {
                return if truncated {
                    Err(Fault::Unavailable(format!(
                        "S3 gave a page without folders of the listing of {prefix}"
                    )))
                } else {
                    Ok(folders)
                };
            };
            let is_last = !truncated || last.as_str() >= before;
            after = after_folder(last);
            folders.extend(listed.into_iter().filter(|folder| folder.as_str() < before));
            if is_last {
                return Ok(folders);
            }
        }
    }

    /// Gives a page of a listing, which begins behind `after`. With a delimiter it has folders in place of what is in them.
    async fn list_page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<String>,
    ) -> Answered<ListObjectsV2Output> {
        let page = || {
            self.client
                .list_objects_v2()
                .bucket(self.bucket())
                .prefix(prefix)
                .set_delimiter(delimiter.map(str::to_owned))
                .set_start_after(after.clone())
                .send()
        };
        Ok(self
            .with_retry(Operation::ListObjects, prefix, page)
            .await?)
    }

    async fn read(&self, key: &str) -> Answered<Option<Vec<u8>>> {
        Ok(self.find_versioned(key).await?.map(|found| found.bytes))
    }
}

/// The media type of a small object: a document, or all that a table is.
fn content_type_of(key: &str) -> &'static str {
    if key.ends_with(".parquet") {
        "application/vnd.apache.parquet"
    } else {
        "application/json"
    }
}

/// Sorts behind everything in the folder and before any other folder: its keys begin with the folder's name and `/`, and
/// `0` is the next character.
fn after_folder(folder: &str) -> String {
    format!("{}0", folder.trim_end_matches('/'))
}
