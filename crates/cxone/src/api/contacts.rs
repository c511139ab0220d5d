//! `GET …/contacts/completed`, in pages of `top` behind `skip`.

use definition::{ContactsReport, PageToken, RunId};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::incontact;
use super::query::PageQuery;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client};
use crate::page::{Envelope, JsonPage, Page, parse_count, parse_field};

const STEP: &str = "get contacts";
/// The most rows of a page.
const TOP: u32 = 10_000;
/// Without a fixed order, pages of a list that grows would overlap.
const ORDER: &str = "contactId";

/// An id of our own, because this API has no runs.
pub(super) fn create_run_id() -> Result<RunId, Error> {
    incontact::create_run_id("contacts")
}

impl Client {
    /// Opens a page of contacts.
    pub(super) async fn open_contacts(
        &self,
        token: &AccessToken,
        report: &ContactsReport,
        query: PageQuery<'_>,
    ) -> Result<Page, Error> {
        let Skip { skip, total } = match query.at {
            None => Skip {
                skip: 0,
                total: None,
            },
            Some(at) => Skip::parse_token(at)
                .ok_or_else(|| Error::contract(STEP, "the page token is not one of contacts"))?,
        };
        let call = Call::repeatable(STEP, token);
        let mut url = self.incontact_url(report.api_version, &["contacts", "completed"]);
        url.query_pairs_mut()
            .append_pair("startDate", &query.window.start().to_string())
            .append_pair("endDate", &query.window.end().to_string())
            .append_pair("orderBy", ORDER)
            .append_pair("top", &TOP.to_string())
            .append_pair("skip", &skip.to_string());
        let request = self.build_request(Method::GET, url);
        let request = request.timeout(self.limits().page);
        let response = self.send_request(&call, request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Page::without_rows(STEP, None, total));
        }
        let body = self.open_json_body(STEP, response, self.limits().page_bytes)?;
        let envelope = ContactsEnvelope::new(skip, total);
        let max_row = self.limits().row_bytes;
        let page = JsonPage::new(STEP, envelope, body, max_row);
        Ok(Page::from_json(page))
    }
}

/// `{"totalRecords": …, "completedContacts": [rows], "_links": {"next": …}}`
struct ContactsEnvelope {
    /// How many contacts come before this page.
    skip: u64,
    total: Option<u64>,
    has_next_link: bool,
}

impl ContactsEnvelope {
    fn new(skip: u64, known_total: Option<u64>) -> Self {
        Self {
            skip,
            total: known_total,
            has_next_link: false,
        }
    }
}

impl Envelope for ContactsEnvelope {
    fn rows_field(&self) -> &'static str {
        "completedContacts"
    }

    fn keep_field(&mut self, name: &str, raw: &[u8]) -> Result<bool, String> {
        #[derive(Deserialize)]
        struct Links {
            next: Option<String>,
        }
        match name {
            "totalRecords" => self.total = parse_count(raw, name)?.or(self.total),
            // Only whether there is a link matters: the next page is asked for by its number of rows.
            "_links" => {
                let links: Option<Links> = parse_field(raw, name)?;
                let next = links.and_then(|links| links.next);
                self.has_next_link = next.is_some_and(|link| !link.trim().is_empty());
            }
            "businessUnitId" | "lastPollTime" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// There is a next page where a link or the total says so. Without a total, a full page may be followed by another one.
    fn conclude(
        &self,
        rows: u64,
        has_row_list: bool,
    ) -> Result<(Option<PageToken>, Option<u64>), Error> {
        let total = self.total;
        // Some servers send `null` for an empty list.
        let is_empty = self.skip == 0 && total == Some(0);
        if !has_row_list && !is_empty {
            return Err(Error::contract(STEP, "the answer has no contacts"));
        }
        let skip = self.skip.saturating_add(rows);
        let is_before_end = total.map_or(rows >= u64::from(TOP), |total| skip < total);
        let has_next = rows > 0 && (self.has_next_link || is_before_end);
        let next = has_next.then(|| Skip { skip, total }.format_token());
        Ok((next.transpose()?, total))
    }
}

/// Where a page of contacts begins, and how many there are if that was said. As a token `20000/25417`, or `20000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Skip {
    skip: u64,
    total: Option<u64>,
}

impl Skip {
    fn format_token(self) -> Result<PageToken, Error> {
        let text = match self.total {
            Some(total) => format!("{}/{total}", self.skip),
            None => self.skip.to_string(),
        };
        PageToken::new(text).map_err(|error| Error::contract(STEP, error.to_string()))
    }

    /// `None` for a token that is not one of ours.
    fn parse_token(token: &PageToken) -> Option<Self> {
        let (skip, total) = match token.as_str().split_once('/') {
            Some((skip, total)) => (skip, Some(total.parse().ok()?)),
            None => (token.as_str(), None),
        };
        Some(Self {
            skip: skip.parse().ok()?,
            total,
        })
    }
}
