//! What an answer that is not a success means.

use reqwest::{Response, StatusCode};

use super::body::Body;
use super::call::{Call, MAX_SMALL_BODY};
use super::client::Client;
use super::explanation::explain_error;
use super::retry_after::parse_retry_after;
use crate::error::Error;

/// How much of an error's body is read, in bytes.
const SAMPLE: usize = 4 * 1024;
/// The longest code that is kept of an error's body, in bytes.
pub(super) const MAX_CODE: usize = 64;
/// The longest text that is kept of an error's body, in bytes.
pub(super) const MAX_TEXT: usize = 1024;

impl Client {
    /// The error for an answer that is not a success.
    pub(super) async fn describe_refusal(&self, call: &Call<'_>, response: Response) -> Error {
        if let Some(error) = judge_by_status(call, &response) {
            return error;
        }
        let (step, status) = (call.step, response.status());
        let (code, text) = self.read_explanation(call, response).await;
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

    /// The code and the text of an error's answer, both empty where it has none.
    async fn read_explanation(&self, call: &Call<'_>, response: Response) -> (String, String) {
        let headers = response.headers().clone();
        let mut sample = vec![0; SAMPLE];
        let mut length = 0;
        let body = Body::from_response(call.step, response, MAX_SMALL_BODY, *self.limits());
        if let Ok(mut body) = body {
            // An explanation that can't be read must not hide the status.
            while let Ok(read @ 1..) = body.read_bytes(&mut sample[length..]).await {
                length += read;
            }
        }
        let (code, text) = explain_error(&headers, &sample[..length]);
        (call.redact(&code, MAX_CODE), call.redact(&text, MAX_TEXT))
    }
}

/// The error for a status that needs no explanation; `None` for one that does.
fn judge_by_status(call: &Call<'_>, response: &Response) -> Option<Error> {
    let (step, status) = (call.step, response.status());
    let code = status.as_u16();
    let retry_after = parse_retry_after(response.headers());
    Some(match status {
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled { step, retry_after },
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => {
            Error::Throttled { step, retry_after }
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound { step, status: code },
        // These say that the request was not carried out.
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
            Error::unavailable(step, format!("status {code}"))
        }
        // These do not say whether it was carried out.
        StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::GATEWAY_TIMEOUT => call.lost_answer(format!("status {code}"), None),
        _ if status.is_redirection() => Error::contract(
            step,
            format!("a redirect (status {code}), which is not followed"),
        ),
        _ => return None,
    })
}
