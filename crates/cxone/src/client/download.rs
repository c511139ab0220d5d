//! Files: behind a link of another host, or at the API itself.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use super::transport::{Call, Effect, check_type};
use super::{AccessToken, Body, Client};
use crate::error::Error;
use crate::page::{Announced, CsvPage, PackedFile, Page};
use definition::{Api, Definition};

pub(super) const DOWNLOAD: &str = "download results";

impl Client {
    /// Where an answer says that a file is, if it may be fetched from there.
    pub(super) fn file_url(&self, step: &'static str, text: &str) -> Result<Url, Error> {
        self.guard()
            .download(text)
            .map_err(|what| Error::contract(step, what))
    }

    /// Opens a file: CSV, or JSON with CSV as base64 in it. The access token goes to the API's own host alone, and
    /// there is none for a link that is a key by itself.
    pub(super) async fn file(
        &self,
        token: Option<&AccessToken>,
        url: Url,
        definition: &Definition,
    ) -> Result<Page, Error> {
        let is_own = |_: &&AccessToken| url.origin() == self.config().base_url.origin();
        let token = token.filter(is_own);
        let is_own = token.is_some();
        let call = Call {
            step: DOWNLOAD,
            effect: Effect::None,
            token,
            secrets: &[url.as_str()],
        };
        let accept = if is_own { "application/json" } else { "*/*" };
        let request = self
            .http()
            .get(url.clone())
            .timeout(self.limits().download)
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let sent = self.send(&call, request).await;
        let response = if is_own {
            sent
        } else {
            sent.map_err(refused_link)
        }?;
        if is_json(&response, definition) {
            let file = PackedFile::new(DOWNLOAD, self.download_body(&call, response)?);
            return self.packed(file, definition).await;
        }
        let body = self.csv_body(response)?;
        Ok(self.csv(DOWNLOAD, body, definition))
    }

    /// A file within JSON, which has to be there.
    async fn packed(&self, mut file: PackedFile, definition: &Definition) -> Result<Page, Error> {
        let what = match file.open().await? {
            None => return Ok(self.csv(DOWNLOAD, file, definition)),
            Some(beside) if !beside.error_message.is_empty() => {
                return Err(crate::page::failed(DOWNLOAD, &beside.error_message));
            }
            Some(beside) if beside.has_file => "the file is empty: not even a header",
            Some(_) => "the answer has no file in it",
        };
        Err(Error::contract(DOWNLOAD, what))
    }

    /// The body of a JSON answer that may be as large as a file.
    pub(super) fn download_body(&self, call: &Call<'_>, response: Response) -> Result<Body, Error> {
        self.json_body(call, response, self.limits().download_bytes)
    }

    pub(super) fn csv(
        &self,
        step: &'static str,
        feed: impl Into<crate::page::Feed>,
        definition: &Definition,
    ) -> Page {
        let announced = Announced::default();
        let max_row = self.limits().row_bytes;
        Page::csv(CsvPage::new(step, feed, definition, max_row, announced))
    }

    /// The body of an answer that should be CSV.
    pub(super) fn csv_body(&self, response: Response) -> Result<Body, Error> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            let what = format!("status {status} instead of a file");
            return Err(Error::contract(DOWNLOAD, what));
        }
        check_type(DOWNLOAD, response.headers(), is_csv)?;
        let limits = *self.limits();
        let body = Body::of(DOWNLOAD, response, limits.download_bytes, limits)?;
        if !body.is_framed() {
            // CSV has no end of its own: a file that was cut off would look like a shorter one.
            let what = "the answer does not say where the file ends";
            return Err(Error::contract(DOWNLOAD, what));
        }
        Ok(body)
    }
}

/// What is not said to be CSV is taken for JSON where files come in JSON.
fn is_json(response: &Response, definition: &Definition) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let Some(kind) = kind.and_then(|kind| kind.to_str().ok()) else {
        return definition.dialect().api() != Api::DataExtraction;
    };
    let kind = kind.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// Another host knows nothing of tokens and rights: where it says no, the link is not good any more.
pub(super) fn refused_link(error: Error) -> Error {
    let status = match error {
        // S3 says so of a link that was signed with credentials which have expired.
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
