//! Error bodies: each family of endpoints has its own shape, as CXone's have.

use serde_json::json;

use crate::reply::Reply;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorShape {
    /// `error` and `error_description`: the guide's API, the issuer, report jobs.
    Described,
    /// No body; only the header `icStatusDescription` names the error.
    Header,
    /// `errorCode` and `errorMessage`: `UserHub`.
    Coded,
    /// `message` alone: data download.
    Message,
    /// `code`, `message` and `traceId`: data extraction.
    Traced,
    /// `resultCode` and `resultDescription`: contacts.
    Result,
    /// `status`, `error`, `path` and a time: discovery.
    Problem,
    /// XML: storage behind a link.
    Xml,
}

impl ErrorShape {
    /// The refusal, with a code for machines and a text for people.
    pub(super) fn refuse(self, status: u16, word: &str, text: &str) -> Reply {
        match self {
            Self::Described => Reply::error(status, word, text),
            Self::Header => Reply::empty(status).header("icStatusDescription", text),
            Self::Coded => Reply::json(status, &json!({ "errorCode": word, "errorMessage": text })),
            Self::Message => Reply::json(status, &json!({ "message": text })),
            Self::Traced => Reply::json(
                status,
                &json!({ "code": status.to_string(), "message": text, "traceId": "5f1c0e3a" }),
            ),
            Self::Result => Reply::json(
                status,
                &json!({ "resultCode": word, "resultDescription": text }),
            ),
            Self::Problem => Reply::json(
                status,
                &json!({ "status": status, "error": word, "detail": text }),
            ),
            Self::Xml => Reply::new(
                status,
                "application/xml",
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{word}</Code><Message>{text}</Message></Error>").into_bytes(),
            ),
        }
    }
}
