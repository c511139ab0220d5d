//! Buckets and listings.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::SystemTime;

use hyper::{Response, StatusCode};

use super::S3Call;
use super::store::{Listed, Store};
use super::wire::{percent_encode, xml_escape};
use crate::http::{self, Body};
use crate::reply::{self, S3Error};

/// The most entries that one answer lists.
const PAGE: usize = 1000;

pub(super) fn buckets(store: &Store) -> Result<Response<Body>, S3Error> {
    let mut listed = String::new();
    for bucket in store.buckets()? {
        let name = xml_escape(&bucket);
        let _ = write!(
            listed,
            "<Bucket><Name>{name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>"
        );
    }
    Ok(reply::xml(&format!(
        "<ListAllMyBucketsResult><Owner><ID>local</ID></Owner><Buckets>{listed}</Buckets></ListAllMyBucketsResult>"
    )))
}

pub(super) fn create_bucket(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    if call.bucket.starts_with('.') || call.bucket.contains(['/', '\\']) {
        return Err(S3Error::invalid("this is no name for a bucket"));
    }
    store.create_bucket(&call.bucket)?;
    Ok(http::empty(StatusCode::OK))
}

pub(super) fn describe_bucket(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    store.bucket(&call.bucket)?;
    Ok(reply::xml("<LocationConstraint/>"))
}

/// An entry of a listing: an object, or a prefix that stands for many.
enum Entry {
    Object(Listed),
    Prefix(String),
}

pub(super) fn objects(store: &Store, call: &S3Call) -> Result<Response<Body>, S3Error> {
    let query = |name| call.query.get(name).unwrap_or_default();
    let (prefix, delimiter) = (query("prefix"), query("delimiter"));
    let asked = query("max-keys");
    let limit = if asked.is_empty() {
        PAGE
    } else {
        let asked = asked.parse::<usize>();
        asked
            .map_err(|_| S3Error::invalid("max-keys is no number"))?
            .min(PAGE)
    };
    // The first version of the operation says `marker` where the second says `start-after`.
    let after = ["continuation-token", "start-after", "marker"].map(query);
    let after = after
        .into_iter()
        .find(|after| !after.is_empty())
        .unwrap_or_default();
    let listed = store.list(&call.bucket, prefix, after)?;
    let mut entries = group(listed, prefix, delimiter, after);
    let truncated = entries.len() > limit;
    entries.truncate(limit);
    Ok(reply::xml(&page(call, &entries, truncated, limit)))
}

/// What comes after a marker, with the keys that share a prefix up to the delimiter made one entry.
fn group(listed: Vec<Listed>, prefix: &str, delimiter: &str, after: &str) -> Vec<Entry> {
    let mut prefixes = BTreeSet::new();
    let mut entries = Vec::new();
    for object in listed {
        let rest = &object.key[prefix.len()..];
        let end = rest.find(delimiter).filter(|_| !delimiter.is_empty());
        if let Some(end) = end {
            let common = object.key[..prefix.len() + end + delimiter.len()].to_owned();
            if common.as_str() > after && prefixes.insert(common.clone()) {
                entries.push(Entry::Prefix(common));
            }
        } else if object.key.as_str() > after {
            entries.push(Entry::Object(object));
        }
    }
    entries
}

fn page(call: &S3Call, entries: &[Entry], truncated: bool, limit: usize) -> String {
    let query = |name| call.query.get(name).unwrap_or_default();
    let encoded = query("encoding-type") == "url";
    let show = |text: &str| {
        if encoded {
            percent_encode(text)
        } else {
            xml_escape(text)
        }
    };
    let mut contents = String::new();
    for entry in entries {
        let _ = match entry {
            Entry::Prefix(prefix) => {
                write!(
                    contents,
                    "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                    show(prefix)
                )
            }
            Entry::Object(object) => write!(
                contents,
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                show(&object.key),
                timestamp(object.modified),
                object.size
            ),
        };
    }
    let last = entries.last().map(|entry| match entry {
        Entry::Object(object) => object.key.as_str(),
        Entry::Prefix(prefix) => prefix.as_str(),
    });
    let next = last.filter(|_| truncated).map_or_else(String::new, |last| {
        let name = if call.operation == "ListObjects" {
            "NextMarker"
        } else {
            "NextContinuationToken"
        };
        format!("<{name}>{}</{name}>", xml_escape(last))
    });
    let encoding = if encoded {
        "<EncodingType>url</EncodingType>"
    } else {
        ""
    };
    format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix><Delimiter>{}</Delimiter>{encoding}<KeyCount>{}</KeyCount><MaxKeys>{limit}</MaxKeys><IsTruncated>{truncated}</IsTruncated>{next}{contents}</ListBucketResult>",
        xml_escape(&call.bucket),
        show(query("prefix")),
        show(query("delimiter")),
        entries.len()
    )
}

/// A time as XML documents have it.
pub(super) fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "1970-01-01T00:00:00.000Z".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
    )
}

/// A time as headers have it.
pub(super) fn http_date(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
        |time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    )
}
