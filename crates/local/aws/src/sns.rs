//! SNS: Publish, and the messages that were published.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::{Response, StatusCode};

use crate::http::{self, Body};

/// Topics. Any ARN will do; a message goes nowhere but here.
#[derive(Debug, Clone, Default)]
pub struct Topics(Arc<Mutex<Vec<Publication>>>);

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub topic: String,
    pub subject: Option<String>,
    /// What a mail says.
    pub message: String,
    /// What a subscriber of any other kind gets, if that is something else.
    pub structured: Option<String>,
}

impl Topics {
    /// Publishes a message and returns its id.
    pub fn publish(&self, publication: Publication) -> String {
        let mut published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        published.push(publication);
        format!("00000000-0000-4000-9000-{:012x}", published.len())
    }

    /// The messages, oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<Publication> {
        let published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        published.clone()
    }

    pub(super) fn answer(&self, form: &Form) -> Response<Body> {
        let (Some(topic), Some(message), "Publish") =
            (form.get("TopicArn"), form.get("Message"), form.action())
        else {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>only Publish with TopicArn and Message is known here</Message></Error></ErrorResponse>";
            return http::answer(StatusCode::BAD_REQUEST, "text/xml", body);
        };
        let id = self.publish(Publication {
            topic: topic.to_owned(),
            subject: form.get("Subject").map(str::to_owned),
            message: message.to_owned(),
            structured: None,
        });
        let body = format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId></PublishResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></PublishResponse>"
        );
        http::answer(StatusCode::OK, "text/xml", body)
    }
}

/// The parameters of a call in AWS's query protocol.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(body);
        Self(pairs.into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let (_, value) = pairs.find(|(found, _)| found == name)?;
        Some(value)
    }

    pub(super) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    pub(super) fn topic(&self) -> &str {
        self.get("TopicArn").unwrap_or_default()
    }
}
