//! Files of rows: behind a link to another host, or at the API itself.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::error::Error;
use crate::http::{AccessToken, Body, Call, Client, Repetition, check_content_type};
use crate::page::{Announced, Base64File, ByteSource, CsvPage, FileRules, Page, run_failed};

pub(super) const DOWNLOAD: &str = "download results";

/// What a file is taken for when its answer does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileForm {
    Csv,
    /// CSV as base64 within JSON.
    Base64,
}

/// A file to be opened.
pub(super) struct FileRequest<'a> {
    pub(super) url: Url,
    /// Sent to the API's own host alone. `None` where the link is a key by itself.
    pub(super) token: Option<&'a AccessToken>,
    pub(super) untyped: FileForm,
    pub(super) rules: FileRules,
}

impl Client {
    /// Where an answer says that a file is, if it may be fetched from there.
    pub(super) fn file_url(&self, step: &'static str, text: &str) -> Result<Url, Error> {
        self.check_url(text)
            .map_err(|what| Error::contract(step, what))
    }

    /// Opens a file: CSV, or CSV as base64 within JSON.
    pub(super) async fn open_file(&self, file: FileRequest<'_>) -> Result<Page, Error> {
        let FileRequest {
            url,
            token,
            untyped,
            rules,
        } = file;
        let is_own_host = url.origin() == self.config().base_url.origin();
        let token = token.filter(|_| is_own_host);
        let accept = if token.is_some() {
            "application/json"
        } else {
            "*/*"
        };
        let response = self.request_file(url, token, accept).await?;
        match read_form(&response, untyped) {
            FileForm::Csv => {
                let body = self.open_csv_body(response)?;
                Ok(self.csv_page(DOWNLOAD, body, rules))
            }
            FileForm::Base64 => {
                let body = self.open_base64_body(DOWNLOAD, response)?;
                self.open_base64(Base64File::new(DOWNLOAD, body), rules)
                    .await
            }
        }
    }

    /// Requests a file, with the access token or with none.
    pub(super) async fn request_file(
        &self,
        url: Url,
        token: Option<&AccessToken>,
        accept: &'static str,
    ) -> Result<Response, Error> {
        let call = Call {
            step: DOWNLOAD,
            repetition: Repetition::Harmless,
            token,
            secrets: &[url.as_str()],
        };
        let request = self
            .http()
            .get(url.clone())
            .timeout(self.limits().download)
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let sent = self.send_request(&call, request).await;
        if token.is_some() {
            sent
        } else {
            sent.map_err(describe_refused_link)
        }
    }

    /// A file within JSON, which has to be there.
    async fn open_base64(&self, mut file: Base64File, rules: FileRules) -> Result<Page, Error> {
        let what = match file.read_to_file().await? {
            None => return Ok(self.csv_page(DOWNLOAD, file, rules)),
            Some(around) if !around.error_message.is_empty() => {
                return Err(run_failed(DOWNLOAD, &around.error_message));
            }
            Some(around) if around.has_file => "the file is empty: not even a header",
            Some(_) => "the answer has no file in it",
        };
        Err(Error::contract(DOWNLOAD, what))
    }

    /// The body of a JSON answer that holds a file.
    pub(super) fn open_base64_body(
        &self,
        step: &'static str,
        response: Response,
    ) -> Result<Body, Error> {
        self.open_json_body(step, response, self.limits().download_bytes)
    }

    pub(super) fn csv_page(
        &self,
        step: &'static str,
        source: impl Into<ByteSource>,
        rules: FileRules,
    ) -> Page {
        let max_row = self.limits().row_bytes;
        let page = CsvPage::new(step, source, rules, max_row, Announced::default());
        Page::from_csv(page)
    }

    /// The body of an answer that has to be CSV.
    pub(super) fn open_csv_body(&self, response: Response) -> Result<Body, Error> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            let what = format!("status {status} instead of a file");
            return Err(Error::contract(DOWNLOAD, what));
        }
        check_content_type(DOWNLOAD, response.headers(), is_csv)?;
        let limits = *self.limits();
        let body = Body::from_response(DOWNLOAD, response, limits.download_bytes, limits)?;
        if !body.is_framed() {
            // CSV has no end of its own: a file that was cut off would look like a shorter one.
            let what = "the answer does not say where the file ends";
            return Err(Error::contract(DOWNLOAD, what));
        }
        Ok(body)
    }
}

/// The form that an answer's type names.
fn read_form(response: &Response, untyped: FileForm) -> FileForm {
    let kind = response.headers().get(CONTENT_TYPE);
    let Some(kind) = kind.and_then(|kind| kind.to_str().ok()) else {
        return untyped;
    };
    let kind = kind.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        FileForm::Base64
    } else {
        FileForm::Csv
    }
}

/// Another host knows nothing of tokens and rights: a refusal of its means that the link has expired.
fn describe_refused_link(error: Error) -> Error {
    let status = match error {
        // S3 answers 400 to a link that was signed with credentials which have expired.
        Error::Rejected { status: 400, .. } => 400,
        Error::Unauthorized { .. } => 401,
        Error::Forbidden { .. } => 403,
        other => return other,
    };
    Error::NotFound {
        step: DOWNLOAD,
        status,
    }
}

fn is_csv(kind: &str) -> bool {
    matches!(
        kind,
        "text/csv"
            | "application/csv"
            | "text/plain"
            | "application/octet-stream"
            | "binary/octet-stream"
            | "application/gzip"
            | "application/x-gzip"
    )
}
