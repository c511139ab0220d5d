//! Files of rows: behind a link to another host, or at the API itself.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};

use crate::error::Error;
use crate::http::{
    AccessToken, Body, Call, Client, FileLink, Repetition, check_content_type, content_type,
};
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
    pub(super) link: FileLink,
    /// Whether the API's links are keys by themselves.
    pub(super) is_key: bool,
    /// Sent only where [`FileLink::takes_token`] says so.
    pub(super) token: &'a AccessToken,
    pub(super) untyped: FileForm,
    pub(super) rules: FileRules,
}

impl Client {
    /// Opens a file: CSV, or CSV as base64 within JSON.
    pub(super) async fn open_file(&self, file: FileRequest<'_>) -> Result<Page, Error> {
        let FileRequest {
            link,
            is_key,
            token,
            untyped,
            rules,
        } = file;
        let token = Some(token).filter(|_| link.takes_token(is_key));
        let response = self.request_file(&link, token).await?;
        let named = read_form(response.headers());
        let mut body = self.open_file_body(response).await?;
        // An object of JSON begins with a brace, and no header does, whatever the answer calls it. What is called JSON is never
        // taken for CSV: a text would be a header without rows.
        let form = match (named, body.peek_first_byte().await?) {
            (Some(FileForm::Base64), _) | (_, Some(b'{')) => FileForm::Base64,
            (None, Some(b'[')) => untyped,
            _ => FileForm::Csv,
        };
        match form {
            FileForm::Csv => self.csv_page(DOWNLOAD, body, rules),
            FileForm::Base64 => {
                self.open_base64(Base64File::new(DOWNLOAD, body), rules)
                    .await
            }
        }
    }

    /// Requests a file, with the access token or with none.
    pub(super) async fn request_file(
        &self,
        link: &FileLink,
        token: Option<&AccessToken>,
    ) -> Result<Response, Error> {
        let call = Call {
            step: DOWNLOAD,
            repetition: Repetition::Harmless,
            token,
            secrets: &[link.url.as_str()],
        };
        // The API wants to be told that JSON is accepted; another host may have nothing but CSV.
        let is_own_call = token.is_some() && link.other_host().is_none();
        let accept = if is_own_call {
            "application/json"
        } else {
            "*/*"
        };
        let request = self
            .http()
            .get(link.url.clone())
            .timeout(self.limits().download)
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let sent = self.send_request(&call, request).await;
        sent.map_err(|error| match token {
            Some(_) => name_other_host(link, error),
            None => self.describe_refused_link(link, error),
        })
    }

    /// A host that gets no token knows nothing of rights either. Where it wants a token it says 401; any other refusal may
    /// mean that the link has expired, so that another link is worth a try.
    fn describe_refused_link(&self, link: &FileLink, error: Error) -> Error {
        let (host, source) = (link.host(), &self.config().source);
        let status = match error {
            Error::Unauthorized { step, .. } => {
                return Error::Config {
                    step,
                    what: format!(
                        "host {host} answers 401 to the link of the file, so it wants the access token; if it is CXone's, list it in {source} in api_hosts instead of allowed_hosts"
                    ),
                };
            }
            // S3 answers 400 to a link that was signed with credentials which have expired.
            Error::Rejected { status: 400, .. } => 400,
            Error::Forbidden { .. } => 403,
            other => return other,
        };
        Error::LinkRefused {
            step: DOWNLOAD,
            what: format!(
                "host {host} refuses the link of the file (status {status}): it has expired, or the host wants the access token and belongs in {source} in api_hosts"
            ),
        }
    }

    /// A file within JSON, which has to be there.
    async fn open_base64(&self, mut file: Base64File, rules: FileRules) -> Result<Page, Error> {
        let what = match file.read_to_file().await? {
            None => return self.base64_page(DOWNLOAD, file, rules),
            Some(around) if !around.error_message.is_empty() => {
                return Err(run_failed(DOWNLOAD, &around.error_message));
            }
            Some(around) if around.has_file => "the file is empty: not even a header",
            Some(_) => "the answer has no file in it",
        };
        Err(Error::contract(DOWNLOAD, what))
    }

    /// The page of a file within JSON, unpacked if its first two bytes are those of gzip.
    pub(super) fn base64_page(
        &self,
        step: &'static str,
        file: Base64File,
        rules: FileRules,
    ) -> Result<Page, Error> {
        if !file.is_gzip() {
            return self.csv_page(step, file, rules);
        }
        let limits = *self.limits();
        let body = Body::from_gzip(step, file.into_pieces(), limits.download_bytes, limits);
        self.csv_page(step, body, rules)
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
    ) -> Result<Page, Error> {
        let source = source.into();
        if let ByteSource::Plain(body) = &source {
            check_framed(body)?;
        }
        let max_row = self.limits().row_bytes;
        let page = CsvPage::new(step, source, rules, max_row, Announced::default());
        Ok(Page::from_csv(page))
    }

    /// The body of an answer that has to be CSV.
    pub(super) async fn open_csv_body(&self, response: Response) -> Result<Body, Error> {
        let body = self.open_file_body(response).await?;
        check_framed(&body)?;
        Ok(body)
    }

    /// The body of an answer that has to be a file, unpacked.
    async fn open_file_body(&self, response: Response) -> Result<Body, Error> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            let what = format!("status {status} instead of a file");
            return Err(Error::contract(DOWNLOAD, what));
        }
        check_content_type(DOWNLOAD, response.headers(), may_be_file)?;
        let limits = *self.limits();
        let body = Body::from_response(DOWNLOAD, response, limits.download_bytes, limits)?;
        body.unpack_file().await
    }
}

/// CSV has no end of its own: a file that was cut off would look like a shorter one.
fn check_framed(body: &Body) -> Result<(), Error> {
    if body.is_framed() {
        return Ok(());
    }
    let what = "the answer does not say where the file ends";
    Err(Error::contract(DOWNLOAD, what))
}

/// The form that an answer's type names, if it names one. Many servers send any file as a text, as bytes or as a spreadsheet.
fn read_form(headers: &HeaderMap) -> Option<FileForm> {
    let kind = content_type(headers)?;
    if kind == "application/json" || kind.ends_with("+json") {
        return Some(FileForm::Base64);
    }
    let names_csv = kind.ends_with("csv") || kind.ends_with("comma-separated-values");
    names_csv.then_some(FileForm::Csv)
}

/// A refusal of the token by another host than the API's own names that host.
fn name_other_host(link: &FileLink, error: Error) -> Error {
    let Some(host) = link.other_host() else {
        return error;
    };
    match error {
        Error::Unauthorized { step, code } => Error::Unauthorized {
            step,
            code: format!("host {host} {code}").trim_end().to_owned(),
        },
        Error::Forbidden { step, code, text } => Error::Forbidden {
            step,
            code: format!("host {host} {code}").trim_end().to_owned(),
            text,
        },
        other => other,
    }
}

/// Whether an answer of this type may be a file of rows. What it is, its first bytes say; what people look at, such as a login
/// page, it never is.
fn may_be_file(kind: &str) -> bool {
    let (class, name) = kind.split_once('/').unwrap_or((kind, ""));
    let is_shown = matches!(class, "image" | "audio" | "video" | "font" | "multipart")
        || matches!(
            name,
            "html" | "xhtml+xml" | "xml" | "pdf" | "zip" | "x-zip-compressed"
        )
        || name.ends_with("+xml")
        || name.contains("openxmlformats");
    !is_shown
}
