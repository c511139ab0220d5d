//! Data download: `POST …/report-jobs/datadownload/{reportId}`: a report for dates, in the answer itself or behind a link.

use std::time::Duration;

use definition::{DataDownloadReport, PageToken, RunId, Window};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, RequestBuilder, StatusCode};

use super::file::{FileForm, FileRequest};
use super::incontact::{self, create_unique_name, file_rules};
use super::query::PageQuery;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client};
use crate::page::{Base64File, Page, run_failed};

const STEP: &str = "download report";
/// When to ask again for a file that is not there yet, which may take about a minute.
const RETRY_FILE_AFTER: Duration = Duration::from_secs(15);

/// An id of our own, because this API has no runs.
pub(super) fn create_run_id() -> Result<RunId, Error> {
    incontact::create_run_id("download")
}

impl Client {
    /// Asks for the report, or fetches the file that an earlier answer has named.
    pub(super) async fn open_data_download(
        &self,
        token: &AccessToken,
        report: &DataDownloadReport,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        let Some(at) = query.at else {
            return self.request_data_download(token, report, query).await;
        };
        let link = self.find_file(STEP, at.as_str())?;
        let opened = self
            .open_file(FileRequest {
                link,
                is_key: false,
                token,
                untyped: FileForm::Base64,
                rules: file_rules(query.definition),
            })
            .await;
        opened.map_err(|error| match error {
            Error::NotFound {
                step, status: 404, ..
            } => Error::Throttled {
                step,
                retry_after: Some(RETRY_FILE_AFTER),
            },
            other => other,
        })
    }

    async fn request_data_download(
        &self,
        token: &AccessToken,
        report: &DataDownloadReport,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        // Nothing is saved at CXone, so that asking twice is harmless.
        let call = Call::repeatable(STEP, token);
        let request = self.data_download_request(report, query.window);
        let response = self
            .send_request(&call, request)
            .await
            .map_err(describe_taken_name)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Page::without_rows(STEP, None, None));
        }
        let mut file = Base64File::new(STEP, self.open_base64_body(STEP, response)?);
        let Some(around) = file.read_to_file().await? else {
            return self.base64_page(STEP, file, file_rules(query.definition));
        };
        if !around.error_message.is_empty() {
            return Err(run_failed(STEP, &call.redact(&around.error_message, 1024)));
        }
        let Some(uri) = around.uri else {
            return Err(Error::contract(
                STEP,
                "the answer has neither a file nor a URI",
            ));
        };
        // The URI is checked again when it is used; a bad one should fail at once.
        self.find_file(STEP, &uri)?;
        let next = PageToken::new(uri).map_err(|error| Error::contract(STEP, error.to_string()))?;
        Ok(Page::without_rows(STEP, Some(next), None))
    }

    fn data_download_request(
        &self,
        report: &DataDownloadReport,
        window: &Window,
    ) -> RequestBuilder {
        let id = report.report_id.as_str();
        let mut url = self.incontact_url(report.api_version, &["report-jobs", "datadownload", id]);
        let clock = |time| report.utc_offset.civil(time).to_string();
        url.query_pairs_mut()
            .append_pair("fileName", &format!("{id}-{}.csv", create_unique_name()))
            .append_pair("startDate", &clock(window.start()))
            .append_pair("endDate", &clock(window.end()))
            .append_pair("saveAsFile", "false")
            .append_pair("includeHeaders", "true");
        self.build_request(Method::POST, url)
            .timeout(self.limits().download)
            // Some servers refuse a POST without a body that does not state its length.
            .header(CONTENT_LENGTH, "0")
    }
}

/// The next try has another name, so that it can succeed.
fn describe_taken_name(error: Error) -> Error {
    match error {
        Error::Rejected { status: 409, .. } => {
            Error::unavailable(STEP, "a file of that name was there already")
        }
        other => other,
    }
}
