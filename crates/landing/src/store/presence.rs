//! Whether a part is there, without reading it.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use delivery::effects::Answered;

use super::client::Store;
use super::error::{ErrorKind, Operation, S3Error};

/// What S3 has under a part's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartPresence {
    Stored {
        bytes: u64,
    },
    /// Somebody deleted it, and the bucket keeps what was there before.
    Deleted {
        /// The version that hides it: without that, it is there again.
        marker: Option<String>,
    },
    Gone,
}

impl Store {
    /// Asks what there is under a part's key. Without the right to list, S3 denies what is absent, so that a key that is
    /// denied is looked for in its folder, which other rights allow.
    ///
    /// # Errors
    /// If S3 refuses, or does not answer.
    pub async fn find_part(&self, key: &str) -> Answered<PartPresence> {
        let head = || async {
            let head = self.client.head_object().bucket(self.bucket()).key(key);
            match head.send().await {
                Ok(head) => Ok(PartPresence::Stored {
                    bytes: head
                        .content_length
                        .and_then(|bytes| bytes.try_into().ok())
                        .unwrap_or_default(),
                }),
                Err(error) => match find_marker(&error) {
                    Some(deleted) => Ok(deleted),
                    None => Err(ErrorKind::from(error)),
                },
            }
        };
        match self.with_retry(Operation::HeadObject, key, head).await {
            Err(error) => self.explain_absence(key, error).await,
            Ok(found) => Ok(found),
        }
    }

    async fn explain_absence(&self, key: &str, error: S3Error) -> Answered<PartPresence> {
        match error.kind {
            ErrorKind::NotFound => return Ok(PartPresence::Gone),
            ErrorKind::Denied(_) => {}
            _ => return Err(error.into()),
        }
        match self.list_objects(key, None).await {
            Ok(listed) if listed.iter().all(|object| object.key != key) => Ok(PartPresence::Gone),
            _ => Err(error.into()),
        }
    }
}

/// What the answer says of a delete marker, if the object has one.
fn find_marker<E>(error: &SdkError<E, HttpResponse>) -> Option<PartPresence> {
    let SdkError::ServiceError(answer) = error else {
        return None;
    };
    let headers = answer.raw().headers();
    let is_deleted = headers.get("x-amz-delete-marker") == Some("true");
    is_deleted.then(|| PartPresence::Deleted {
        marker: headers.get("x-amz-version-id").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected: Option<&PartPresence>) {
        let mut answer = HttpResponse::new(404.try_into().unwrap(), SdkBody::empty());
        for (name, value) in headers {
            answer.headers_mut().insert(*name, *value);
        }
        let error = SdkError::service_error((), answer);
        assert_eq!(find_marker(&error).as_ref(), expected);
    }

    #[test]
    fn a_delete_marker_is_not_an_absence() {
        let deleted = |marker: Option<&str>| PartPresence::Deleted {
            marker: marker.map(str::to_owned),
        };
        let mark = ("x-amz-delete-marker", "true");
        check(
            &[mark, ("x-amz-version-id", "v3")],
            Some(&deleted(Some("v3"))),
        );
        check(&[mark], Some(&deleted(None)));
        check(&[("x-amz-version-id", "v3")], None);
    }
}
