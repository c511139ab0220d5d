//! How refusals look: every family of endpoints has a shape of its own, as in the real thing.

use serde_json::json;

use crate::apis::Api;
use crate::journal::Kind;
use crate::reply::Reply;

/// The shapes of error bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `error` and `error_description`: the guide's API, the issuer, report jobs.
    Described,
    /// No body; what is wrong is said in the header `icStatusDescription` only.
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

impl Shape {
    pub(super) fn of(api: Option<Api>, kind: Kind) -> Self {
        match (api, kind) {
            (_, Kind::Discovery) => Self::Problem,
            (Some(Api::DataExtraction), Kind::Download) => Self::Xml,
            (Some(Api::ReportJobs), Kind::Download | Kind::ListReports) => Self::Header,
            (Some(Api::DataExtraction), _) => Self::Traced,
            (Some(Api::DataDownload), _) => Self::Message,
            (Some(Api::Contacts), _) => Self::Result,
            _ => Self::Described,
        }
    }

    /// The refusal: `word` for machines, `text` for people.
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
