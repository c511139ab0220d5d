//! `GET …/results/{runId}?pageToken=…`, and the file that an answer may name instead of rows.

use definition::{Definition, DeliveryFormat, PageToken, RunId};
use reqwest::Method;

use super::envelope::ResultsEnvelope;
use crate::api::file::DOWNLOAD;
use crate::api::query::PageQuery;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client, FileLink};
use crate::page::{Announced, ColumnNames, CsvPage, FileRules, JsonPage, OpenedAt, Page};

const STEP: &str = "get page";

type ResultsPage = JsonPage<ResultsEnvelope>;

impl Client {
    /// Opens a page of a run's rows; the first one without a page token.
    pub(in crate::api) async fn open_results(
        &self,
        token: &AccessToken,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        let PageQuery {
            definition,
            run,
            at,
            ..
        } = query;
        let mut page = self.request_results(token, run, at).await?;
        let wants_file = definition.delivery.format() == DeliveryFormat::Csv;
        if page.read_to_rows().await? == OpenedAt::FirstRow {
            if !wants_file {
                return Ok(Page::from_json(page));
            }
            // The field that names a file may stand after the rows.
            page.skip_rows().await?;
            if page.envelope().download_url.is_none() {
                return Ok(Page::from_json(self.request_results(token, run, at).await?));
            }
        }
        page.envelope().check_run()?;
        page.envelope().check_not_failed(token)?;
        page.envelope().check_completed()?;
        match &page.envelope().download_url {
            Some(url) => {
                let link = self.find_file(STEP, url)?;
                self.open_results_file(&link, token, &page, definition)
                    .await
            }
            None if page.has_row_list() => Ok(Page::from_json(page)),
            None => Err(Error::contract(
                STEP,
                "the run is completed and has neither rows nor a download URL",
            )),
        }
    }

    async fn request_results(
        &self,
        token: &AccessToken,
        run: &RunId,
        at: Option<&PageToken>,
    ) -> Result<ResultsPage, Error> {
        let secrets: Vec<&str> = at.map(PageToken::as_str).into_iter().collect();
        let call = Call {
            secrets: &secrets,
            ..Call::repeatable(STEP, token)
        };
        let mut url = self.analytics_url(&["results", run.as_str()]);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("pageToken", at.as_str());
        }
        let request = self.build_request(Method::GET, url);
        let request = request.timeout(self.limits().page);
        let response = self.send_request(&call, request).await?;
        let body = self.open_json_body(STEP, response, self.limits().page_bytes)?;
        let envelope = ResultsEnvelope::new(STEP, run.clone());
        Ok(JsonPage::new(STEP, envelope, body, self.limits().row_bytes))
    }

    /// Opens the file. Its link is a key by itself.
    async fn open_results_file(
        &self,
        link: &FileLink,
        token: &AccessToken,
        page: &ResultsPage,
        definition: &Definition,
    ) -> Result<Page, Error> {
        if page.envelope().next_page()?.is_some() {
            return Err(Error::contract(
                STEP,
                "the answer has a download URL and a next page",
            ));
        }
        let token = Some(token).filter(|_| link.takes_token(true));
        let response = self.request_file(link, token).await?;
        let body = self.open_csv_body(response).await?;
        let announced = Announced {
            total: page.envelope().total,
            inline_rows: page.row_count(),
            unknown_fields: page.unknown_fields().to_vec(),
        };
        let rules = FileRules::of_definition(definition, ColumnNames::AsGiven);
        let max_row = self.limits().row_bytes;
        let file = CsvPage::new(DOWNLOAD, body, rules, max_row, announced);
        Ok(Page::from_csv(file))
    }
}
