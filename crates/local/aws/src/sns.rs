//! SNS: Publish, and the messages that were published.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::{Response, StatusCode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::http::{self, Body};

/// Topics. Any ARN will do; a message goes nowhere but here.
#[derive(Debug, Clone, Default)]
pub struct Topics(Arc<Mutex<Published>>);

#[derive(Debug, Default)]
struct Published {
    messages: Vec<Publication>,
    subscribers: Vec<UnboundedSender<Publication>>,
}

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
    #[must_use]
    pub fn publish(&self, publication: Publication) -> String {
        let mut published = self.lock();
        let subscribers = &mut published.subscribers;
        subscribers.retain(|subscriber| subscriber.send(publication.clone()).is_ok());
        published.messages.push(publication);
        format!("00000000-0000-4000-9000-{:012x}", published.messages.len())
    }

    /// Every message that is published from now on, to any topic.
    #[must_use]
    pub fn subscribe(&self) -> UnboundedReceiver<Publication> {
        let (subscriber, messages) = unbounded_channel();
        self.lock().subscribers.push(subscriber);
        messages
    }

    /// The messages, oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<Publication> {
        self.lock().messages.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Published> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
