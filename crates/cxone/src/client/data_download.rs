//! `POST …/report-jobs/datadownload/{reportId}`: a report for dates, in the answer itself or behind a link.

use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode};

use super::acd::unique;
use super::transport::Call;
use super::{AccessToken, Client, PageOf};
use crate::error::Error;
use crate::page::{PackedFile, Page, failed};
use definition::DataDownloadReport;
use definition::PageToken;

const STEP: &str = "download report";
/// A file may not be where the answer says for about a minute.
const NOT_YET: Duration = Duration::from_secs(15);

impl Client {
    /// Asks for the report, or goes where the answer has said that it is.
    pub(super) async fn data_download_page(
        &self,
        token: &AccessToken,
        report: &DataDownloadReport,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        let Some(at) = page.at else {
            return self.data_download(token, report, page).await;
        };
        let url = self.file_url(STEP, at.as_str())?;
        let opened = self.file(Some(token), url, page.definition).await;
        opened.map_err(|error| match error {
            Error::NotFound {
                step, status: 404, ..
            } => Error::Throttled {
                step,
                retry_after: Some(NOT_YET),
            },
            other => other,
        })
    }

    async fn data_download(
        &self,
        token: &AccessToken,
        report: &DataDownloadReport,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        // Nothing is saved at CXone, so that asking twice is harmless.
        let call = Call::asks(STEP, token);
        let id = report.report_id.as_str();
        let mut url = self.acd_url(report.api_version, &["report-jobs", "datadownload", id]);
        let clock = |time| report.utc_offset.civil(time).to_string();
        url.query_pairs_mut()
            .append_pair("fileName", &format!("{id}-{}.csv", unique()))
            .append_pair("startDate", &clock(page.window.start()))
            .append_pair("endDate", &clock(page.window.end()))
            .append_pair("saveAsFile", "false")
            .append_pair("includeHeaders", "true");
        let request = self
            .request(Method::POST, url)
            .timeout(self.limits().download)
            // A POST without a body is refused by some servers where it does not say that it has none.
            .header(CONTENT_LENGTH, "0");
        let response = self.send(&call, request).await.map_err(name_is_taken)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Page::nothing(STEP, None, None));
        }
        let mut file = PackedFile::new(STEP, self.download_body(&call, response)?);
        let Some(beside) = file.open().await? else {
            return Ok(self.csv(STEP, file, page.definition));
        };
        if !beside.error_message.is_empty() {
            return Err(failed(STEP, &call.redacted(&beside.error_message, 1024)));
        }
        let Some(uri) = beside.uri else {
            return Err(Error::contract(
                STEP,
                "the answer has neither a file nor a URI",
            ));
        };
        // It is looked at again when it is used; what can't be used is known at once.
        self.file_url(STEP, &uri)?;
        let next = PageToken::new(uri).map_err(|error| Error::contract(STEP, error.to_string()))?;
        Ok(Page::nothing(STEP, Some(next), None))
    }
}

/// The next try will have another name.
fn name_is_taken(error: Error) -> Error {
    match error {
        Error::Rejected { status: 409, .. } => {
            Error::unavailable(STEP, "a file of that name was there already")
        }
        other => other,
    }
}
