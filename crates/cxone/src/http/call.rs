//! One request and its answer.

use definition::text::line;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::access_token::AccessToken;
use super::body::Body;
use super::client::Client;
use super::redact::redact_secrets;
use crate::error::{Error, IoCause};

/// The largest answer that is not a page, in bytes.
pub(super) const MAX_SMALL_BODY: u64 = 4 * 1024 * 1024;
/// How much of a content type is repeated in an error, in bytes.
const MAX_TYPE_SHOWN: usize = 64;

/// What happens when a request is sent twice because its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// The same as when it is sent once.
    Harmless,
    /// CXone makes two of what was asked for.
    Duplicates,
}

/// What a request is for, so that an error can name it and hold no secret.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) step: &'static str,
    pub(crate) repetition: Repetition,
    pub(crate) token: Option<&'a AccessToken>,
    /// What must not be repeated from an answer, beside the token.
    pub(crate) secrets: &'a [&'a str],
}

impl<'a> Call<'a> {
    /// A call that changes nothing at CXone, or leaves the same state when it is repeated.
    pub(crate) fn repeatable(step: &'static str, token: &'a AccessToken) -> Self {
        Self {
            step,
            repetition: Repetition::Harmless,
            token: Some(token),
            secrets: &[],
        }
    }

    /// A call that creates something new each time.
    pub(crate) fn creating(step: &'static str, token: &'a AccessToken) -> Self {
        Self {
            repetition: Repetition::Duplicates,
            ..Self::repeatable(step, token)
        }
    }

    /// The error for an answer that was lost on its way.
    pub(super) fn lost_answer(&self, reason: impl Into<String>, source: Option<IoCause>) -> Error {
        let (step, reason) = (self.step, reason.into());
        match self.repetition {
            Repetition::Harmless => Error::Unavailable {
                step,
                reason,
                source,
            },
            Repetition::Duplicates => Error::Ambiguous {
                step,
                reason,
                source,
            },
        }
    }

    /// The text as one line of at most `max` bytes, without the secrets of this call.
    pub(crate) fn redact(&self, text: &str, max: usize) -> String {
        let token = self.token.map(AccessToken::expose);
        let secrets: Vec<&str> = self.secrets.iter().copied().chain(token).collect();
        redact_secrets(text, &secrets, max)
    }
}

impl Client {
    /// A request with the headers and the time limit of a call that has no rows.
    pub(crate) fn build_request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http()
            .request(method, url)
            .timeout(self.limits().call)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
    }

    /// Sends a request and gives its answer if it succeeded.
    pub(crate) async fn send_request(
        &self,
        call: &Call<'_>,
        request: RequestBuilder,
    ) -> Result<Response, Error> {
        let response = send_as_it_is(call, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.describe_refusal(call, response).await)
    }

    /// Reads all of an answer that is JSON and not a page.
    pub(crate) async fn read_small_json(
        &self,
        call: &Call<'_>,
        response: Response,
    ) -> Result<Vec<u8>, Error> {
        let body = self.open_json_body(call.step, response, MAX_SMALL_BODY)?;
        let all = body.read_all().await.map_err(|error| match error {
            Error::Unavailable { reason, source, .. } => call.lost_answer(reason, source),
            other => other,
        })?;
        if all.is_empty() {
            Err(Error::contract(call.step, "the answer is empty"))
        } else {
            Ok(all)
        }
    }

    /// The body of an answer that has to be JSON, of at most `max` bytes.
    pub(crate) fn open_json_body(
        &self,
        step: &'static str,
        response: Response,
        max: u64,
    ) -> Result<Body, Error> {
        check_is_json(step, response.status(), response.headers())?;
        Body::from_response(step, response, max, *self.limits())
    }
}

/// Sends a request and gives its answer, whatever its status.
pub(super) async fn send_as_it_is(
    call: &Call<'_>,
    request: RequestBuilder,
) -> Result<Response, Error> {
    let request = match call.token {
        Some(token) => request.header(AUTHORIZATION, token.bearer()),
        None => request,
    };
    let sent = request.send().await;
    sent.map_err(|error| describe_transport_error(call, &error))
}

/// Refuses a success that does not announce a whole answer in JSON.
pub(super) fn check_is_json(
    step: &'static str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), Error> {
    if matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT
    ) {
        return Err(Error::contract(
            step,
            format!("status {} instead of an answer", status.as_u16()),
        ));
    }
    check_content_type(step, headers, |kind| {
        kind == "application/json" || kind.ends_with("+json")
    })
}

/// Refuses an answer of another type than was asked for, such as a login page. An answer without a type is left to the
/// parser.
pub(crate) fn check_content_type(
    step: &'static str,
    headers: &HeaderMap,
    is_expected: fn(&str) -> bool,
) -> Result<(), Error> {
    match content_type(headers) {
        Some(kind) if !is_expected(&kind) => {
            let kind = line(&kind, MAX_TYPE_SHOWN);
            Err(Error::contract(
                step,
                format!("the answer is of the type {kind}"),
            ))
        }
        _ => Ok(()),
    }
}

/// The type of an answer without its parameters, in lower case; `None` where it has none.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("?");
    let kind = value.split(';').next().unwrap_or_default().trim();
    (!kind.is_empty()).then(|| kind.to_ascii_lowercase())
}

/// The error for a request that failed before there was an answer. reqwest's own text is not used: it may hold the URL.
fn describe_transport_error(call: &Call<'_>, error: &reqwest::Error) -> Error {
    let (step, timeout) = (call.step, error.is_timeout());
    if error.is_builder() {
        return Error::Config {
            step,
            what: "the request can't be made".to_owned(),
        };
    }
    let source = IoCause::find(error);
    if error.is_connect() {
        // Nothing was sent, so that nothing can have happened.
        let reason = if timeout {
            "connecting took too long"
        } else {
            "no connection"
        };
        return Error::Unavailable {
            step,
            reason: reason.to_owned(),
            source,
        };
    }
    let reason = if timeout {
        "no answer in time"
    } else {
        "the connection broke off before the answer"
    };
    call.lost_answer(reason, source)
}
