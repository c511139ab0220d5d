//! One request, one answer: what a status means, and what may be said about it.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::body::Body;
use super::explanation::explanation;
use super::retry_after::retry_after;
use super::{AccessToken, Client};
use crate::error::Error;
use crate::redact::redacted;
use definition::text::line;

/// The largest answer that is not a page.
const SMALL: u64 = 4 * 1024 * 1024;
/// How much of an error's body is looked at.
const SAMPLE: usize = 4 * 1024;
/// The longest word and text that are taken out of an error's body.
const CODE: usize = 64;
const TEXT: usize = 1024;

/// Whether it matters that a request was carried out although its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Asking twice is the same as asking once.
    None,
    /// Asking twice makes two of them.
    Creates,
}

/// What is being asked, for the errors' sake.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) step: &'static str,
    pub(super) effect: Effect,
    pub(super) token: Option<&'a AccessToken>,
    /// What must not be repeated from an answer, beside the token.
    pub(super) secrets: &'a [&'a str],
}

impl<'a> Call<'a> {
    /// One that changes nothing at CXone, or the same again.
    pub(super) fn asks(step: &'static str, token: &'a AccessToken) -> Self {
        Self {
            step,
            effect: Effect::None,
            token: Some(token),
            secrets: &[],
        }
    }

    /// One that makes something new each time.
    pub(super) fn creates(step: &'static str, token: &'a AccessToken) -> Self {
        Self {
            effect: Effect::Creates,
            ..Self::asks(step, token)
        }
    }

    /// The answer was lost on its way.
    pub(super) fn lost(&self, reason: impl Into<String>) -> Error {
        let (step, reason) = (self.step, reason.into());
        match self.effect {
            Effect::None => Error::Unavailable { step, reason },
            Effect::Creates => Error::Ambiguous { step, reason },
        }
    }

    pub(super) fn redacted(&self, text: &str, max: usize) -> String {
        let token = self.token.map(AccessToken::expose);
        let secrets: Vec<&str> = self.secrets.iter().copied().chain(token).collect();
        redacted(text, &secrets, max)
    }
}

impl Client {
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http()
            .request(method, url)
            .timeout(self.limits().call)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
    }

    /// Sends a request and gives its answer if it succeeded.
    pub(super) async fn send(
        &self,
        call: &Call<'_>,
        request: RequestBuilder,
    ) -> Result<Response, Error> {
        let request = match call.token {
            Some(token) => request.header(AUTHORIZATION, token.bearer()),
            None => request,
        };
        let response = request
            .send()
            .await
            .map_err(|error| no_answer(call, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(call, response).await)
    }

    /// What an answer that is not a success means.
    async fn refused(&self, call: &Call<'_>, response: Response) -> Error {
        let (step, status) = (call.step, response.status());
        let wait = retry_after(response.headers());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                return Error::Throttled {
                    step,
                    retry_after: wait,
                };
            }
            StatusCode::SERVICE_UNAVAILABLE if wait.is_some() => {
                return Error::Throttled {
                    step,
                    retry_after: wait,
                };
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Error::NotFound {
                    step,
                    status: status.as_u16(),
                };
            }
            // These say that the request was not carried out.
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
                return Error::unavailable(
                    step,
                    format!("status {status}", status = status.as_u16()),
                );
            }
            // These say nothing about whether it was.
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => {
                return call.lost(format!("status {}", status.as_u16()));
            }
            _ if status.is_redirection() => {
                return Error::contract(
                    step,
                    format!(
                        "a redirect (status {}), which is not followed",
                        status.as_u16()
                    ),
                );
            }
            _ => {}
        }
        let (code, text) = self.explanation(call, response).await;
        match status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized { step, code },
            StatusCode::FORBIDDEN => Error::Forbidden { step, code, text },
            _ => Error::Rejected {
                step,
                status: status.as_u16(),
                code,
                text,
            },
        }
    }

    /// The word and the text of an error's answer, both empty where it says nothing.
    async fn explanation(&self, call: &Call<'_>, response: Response) -> (String, String) {
        let headers = response.headers().clone();
        let mut sample = vec![0; SAMPLE];
        let mut length = 0;
        if let Ok(mut body) = Body::of(call.step, response, SMALL, *self.limits()) {
            // What can't be read of an explanation is no error of its own.
            while let Ok(read @ 1..) = body.read(&mut sample[length..]).await {
                length += read;
            }
        }
        let (code, text) = explanation(&headers, &sample[..length]);
        (call.redacted(&code, CODE), call.redacted(&text, TEXT))
    }

    /// All of an answer that is JSON and not a page.
    pub(super) async fn small_json(
        &self,
        call: &Call<'_>,
        response: Response,
    ) -> Result<Vec<u8>, Error> {
        let body = self.json_body(call, response, SMALL)?;
        let all = body.read_all().await.map_err(|error| match error {
            Error::Unavailable { reason, .. } => call.lost(reason),
            other => other,
        })?;
        if all.is_empty() {
            Err(Error::contract(call.step, "the answer is empty"))
        } else {
            Ok(all)
        }
    }

    /// The body of an answer that should be JSON.
    pub(super) fn json_body(
        &self,
        call: &Call<'_>,
        response: Response,
        max: u64,
    ) -> Result<Body, Error> {
        let status = response.status();
        if matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT
        ) {
            return Err(Error::contract(
                call.step,
                format!("status {} instead of an answer", status.as_u16()),
            ));
        }
        check_type(call.step, response.headers(), |kind| {
            kind == "application/json" || kind.ends_with("+json")
        })?;
        Body::of(call.step, response, max, *self.limits())
    }
}

/// Refuses what is not of the kind that was asked for, such as a login page. No kind at all is left to the parser.
pub(super) fn check_type(
    step: &'static str,
    headers: &HeaderMap,
    fits: fn(&str) -> bool,
) -> Result<(), Error> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = value
        .to_str()
        .unwrap_or("?")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if kind.is_empty() || fits(&kind) {
        return Ok(());
    }
    Err(Error::contract(
        step,
        format!("the answer is of the type {}", line(&kind, CODE)),
    ))
}

/// The request failed before there was an answer. reqwest's own text is not used: it may have the URL in it.
fn no_answer(call: &Call<'_>, error: &reqwest::Error) -> Error {
    let (step, timeout) = (call.step, error.is_timeout());
    if error.is_builder() {
        return Error::Config {
            step,
            what: "the request can't be made".to_owned(),
        };
    }
    if error.is_connect() {
        // Nothing was sent, so that nothing can have happened.
        return Error::unavailable(
            step,
            if timeout {
                "connecting took too long"
            } else {
                "no connection"
            },
        );
    }
    call.lost(if timeout {
        "no answer in time"
    } else {
        "the connection broke off before the answer"
    })
}
