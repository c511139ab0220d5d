//! `GET …/results/{runId}?pageToken=…`, and the file that an answer may name instead of rows.

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};
use url::Url;

use crate::client::download::{DOWNLOAD, refused_link};
use crate::client::transport::{Call, Effect};
use crate::client::{AccessToken, Client, PageOf};
use crate::error::Error;
use crate::page::{Announced, CsvPage, JsonPage, Opened, Page};
use definition::{Definition, DeliveryFormat};
use definition::{PageToken, RunId};

const STEP: &str = "get page";

impl Client {
    /// Opens a page of a run's rows; the first one without a page token.
    ///
    /// Inline rows are a page each. A file that the answer names instead is one page and the last one; where an answer
    /// has both, the definition's `delivery.format` decides.
    pub(in crate::client) async fn results_page(
        &self,
        token: &AccessToken,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        let PageOf {
            definition,
            run,
            at,
            ..
        } = page;
        let mut page = self.results(token, run, at).await?;
        let wants_file = definition.delivery.format() == DeliveryFormat::Csv;
        if page.open().await? == Opened::Rows {
            if !wants_file {
                return Ok(Page::json(page));
            }
            // Whether a file is named may stand after the rows.
            page.skip().await?;
            if page.envelope().download_url.is_none() {
                return Ok(Page::json(self.results(token, run, at).await?));
            }
        }
        page.check_run()?;
        page.check_completed()?;
        match &page.envelope().download_url {
            Some(url) => {
                let url = self
                    .guard()
                    .download(url)
                    .map_err(|what| Error::contract(STEP, what))?;
                self.download(url, &page, definition).await
            }
            None if page.envelope().has_data => Ok(Page::json(page)),
            None => Err(Error::contract(
                STEP,
                "the run is completed and has neither rows nor a download URL",
            )),
        }
    }

    async fn results(
        &self,
        token: &AccessToken,
        run: &RunId,
        at: Option<&PageToken>,
    ) -> Result<JsonPage, Error> {
        let secrets: Vec<&str> = at.map(PageToken::as_str).into_iter().collect();
        let call = Call {
            secrets: &secrets,
            ..Call::asks(STEP, token)
        };
        let mut url = self.reports_url(&["results", run.as_str()]);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("pageToken", at.as_str());
        }
        let response = self
            .send(
                &call,
                self.request(Method::GET, url).timeout(self.limits().page),
            )
            .await?;
        let body = self.json_body(&call, response, self.limits().page_bytes)?;
        Ok(JsonPage::new(
            STEP,
            run.clone(),
            body,
            self.limits().row_bytes,
        ))
    }

    /// Opens the file. No access token goes there: its URL is its own key, and its host another one's.
    async fn download(
        &self,
        url: Url,
        page: &JsonPage,
        definition: &Definition,
    ) -> Result<Page, Error> {
        if page.next()?.is_some() {
            return Err(Error::contract(
                STEP,
                "the answer has a download URL and a next page",
            ));
        }
        let call = Call {
            step: DOWNLOAD,
            effect: Effect::None,
            token: None,
            secrets: &[url.as_str()],
        };
        let request = self
            .http()
            .get(url.clone())
            .timeout(self.limits().download)
            .header(ACCEPT, HeaderValue::from_static("text/csv"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let response = self.send(&call, request).await.map_err(refused_link)?;
        let body = self.csv_body(response)?;
        let announced = Announced {
            total: page.envelope().total,
            inline_rows: page.rows(),
            unknown_fields: page.envelope().unknown.clone(),
        };
        Ok(Page::csv(CsvPage::new(
            DOWNLOAD,
            body,
            definition,
            self.limits().row_bytes,
            announced,
        )))
    }
}
