//! `GET …/contacts/completed`, in pages of `top` behind `skip`.

use reqwest::{Method, StatusCode};

use super::transport::Call;
use super::{AccessToken, Client, PageOf};
use crate::error::Error;
use crate::page::{JsonPage, Page, Skip};
use definition::ContactsReport;

const STEP: &str = "get contacts";
/// The most rows of a page.
const TOP: u32 = 10_000;
/// Without an order of our own, pages of a list that grows would overlap.
const ORDER: &str = "contactId";

impl Client {
    /// Opens a page of contacts.
    pub(super) async fn contacts_page(
        &self,
        token: &AccessToken,
        report: &ContactsReport,
        page: PageOf<'_>,
    ) -> Result<Page, Error> {
        let Skip { skip, total } = match page.at {
            None => Skip {
                skip: 0,
                total: None,
            },
            Some(at) => Skip::of_token(at)
                .ok_or_else(|| Error::contract(STEP, "the page token is not one of contacts"))?,
        };
        let call = Call::asks(STEP, token);
        let mut url = self.acd_url(report.api_version, &["contacts", "completed"]);
        url.query_pairs_mut()
            .append_pair("startDate", &page.window.start().to_string())
            .append_pair("endDate", &page.window.end().to_string())
            .append_pair("orderBy", ORDER)
            .append_pair("top", &TOP.to_string())
            .append_pair("skip", &skip.to_string());
        let request = self.request(Method::GET, url).timeout(self.limits().page);
        let response = self.send(&call, request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Page::nothing(STEP, None, total));
        }
        let body = self.json_body(&call, response, self.limits().page_bytes)?;
        let max_row = self.limits().row_bytes;
        Ok(Page::json(JsonPage::contacts(
            STEP, skip, total, body, max_row,
        )))
    }
}
