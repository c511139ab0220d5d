//! An answer as it came, whatever its status, for those who want to learn what a tenant answers.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, Response, StatusCode};

use super::access_token::AccessToken;
use super::body::Body;
use super::call::{Call, MAX_SMALL_BODY, check_is_json, content_type, send_as_it_is};
use super::client::Client;
use super::explanation::explain_error;
use super::refusal::{MAX_CODE, MAX_TEXT};
use super::retry_after::{parse_retry_after, response_date};
use crate::error::Error;

const STEP: &str = "ask";

/// An answer with all that the tenant said. It is for looking at in memory: nothing of it is shown by [`fmt::Debug`].
pub struct RawAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    code: String,
    text: String,
}

impl RawAnswer {
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The names of the headers, in lower case and in order, each once.
    #[must_use]
    pub fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    /// How long it asks to wait, as the errors of other calls have it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(&self.headers)
    }

    /// Its type without parameters, in lower case.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        content_type(&self.headers)
    }

    /// When it was made by the clock of whoever made it.
    #[must_use]
    pub fn date(&self) -> Option<SystemTime> {
        response_date(&self.headers)
    }

    /// The code and the text of a refusal, where the client looks for them, without the secrets of the call.
    #[must_use]
    pub fn explanation(&self) -> (&str, &str) {
        (&self.code, &self.text)
    }

    /// The body of a success that is JSON, by the rules of every other call.
    pub(crate) fn json_body(&self, step: &'static str) -> Result<&[u8], Error> {
        if !self.status.is_success() {
            let what = format!("status {} is no success", self.status());
            return Err(Error::contract(step, what));
        }
        check_is_json(step, self.status, &self.headers)?;
        Ok(&self.body)
    }
}

impl fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks for a path below the base URL, with the headers of every other call. Nothing of the pipeline needs this: it is for
    /// learning what a tenant answers. An answer of more than 4 MiB is an [`Error::Contract`].
    pub async fn ask(
        &self,
        token: &AccessToken,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RawAnswer, Error> {
        let call = Call::repeatable(STEP, token);
        let mut url = self.build_url(path, &[]);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.build_request(Method::GET, url);
        self.read_answer(&call, request).await
    }

    pub(crate) async fn read_answer(
        &self,
        call: &Call<'_>,
        request: RequestBuilder,
    ) -> Result<RawAnswer, Error> {
        let response = send_as_it_is(call, request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match self.read_whole(call, response).await {
            Ok(body) => body,
            // The status of a refusal says more than a body that can't be read.
            Err(_) if !status.is_success() => Vec::new(),
            Err(error) => return Err(error),
        };
        let (code, text) = explain_error(&headers, &body);
        Ok(RawAnswer {
            status,
            headers,
            body,
            code: call.redact(&code, MAX_CODE),
            text: call.redact(&text, MAX_TEXT),
        })
    }

    async fn read_whole(&self, call: &Call<'_>, response: Response) -> Result<Vec<u8>, Error> {
        let body = Body::from_response(call.step, response, MAX_SMALL_BODY, *self.limits())?;
        body.read_all().await
    }
}
