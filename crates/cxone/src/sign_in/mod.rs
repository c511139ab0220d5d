//! Signing in: with a client, an access key or both, or with a refresh token; and finding the tenant's API.

mod credentials;
mod discovery;
mod form;
mod grant;

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};

use crate::error::Error;
use crate::http::{Call, Client, RawAnswer, Repetition, response_date};
use form::SignInForm;
use grant::STEP;

pub use credentials::{RefreshToken, SignIn};
pub use definition::tenant::{AccessKey, ClientAuth, ClientCredentials};
pub use discovery::{Issuer, TenantApi};
pub use grant::{RefreshGrant, TokenGrant};

/// A larger difference between the clocks is worth a warning.
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(1);

impl Client {
    /// Signs in. A refusal is [`Error::Unauthorized`], whatever its status.
    pub async fn sign_in<'a>(&self, with: impl Into<SignIn<'a>>) -> Result<TokenGrant, Error> {
        let form = SignInForm::new(with.into());
        let secrets = form.secret_texts();
        let call = token_call(&secrets);
        let sent = self.send_request(&call, self.token_request(&form)).await;
        let response = sent.map_err(|error| describe_refusal(error, &self.config().source))?;
        warn_of_clock_skew(response.headers());
        let body = self.read_small_json(&call, response).await?;
        TokenGrant::parse(&body)
    }

    /// Asks for a token as [`sign_in`](Self::sign_in) does, and gives the answer as it came: [`TokenGrant::of_answer`] reads it.
    pub async fn ask_for_token<'a>(&self, with: impl Into<SignIn<'a>>) -> Result<RawAnswer, Error> {
        let form = SignInForm::new(with.into());
        let secrets = form.secret_texts();
        let call = token_call(&secrets);
        self.read_answer(&call, self.token_request(&form)).await
    }

    fn token_request(&self, form: &SignInForm<'_>) -> RequestBuilder {
        let request = self
            .build_request(Method::POST, self.config().token_url.clone())
            .header(CONTENT_TYPE, form.content_type)
            .body(form.body.clone());
        match &form.basic {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        }
    }
}

fn token_call<'a>(secrets: &'a [&'a str]) -> Call<'a> {
    Call {
        step: STEP,
        repetition: Repetition::Harmless,
        token: None,
        secrets,
    }
}

/// A token endpoint answers 400 or 403 where it does not accept the client.
fn describe_refusal(error: Error, source: &str) -> Error {
    match error {
        Error::Forbidden { code, .. } => Error::Unauthorized { step: STEP, code },
        Error::NotFound { status, .. } => Error::Config {
            step: STEP,
            what: format!(
                "{source}: there is no token endpoint at its token_url (status {status})"
            ),
        },
        Error::Rejected {
            status: 400, code, ..
        } if matches!(
            code.as_str(),
            "invalid_client" | "unauthorized_client" | "invalid_grant" | "access_denied"
        ) =>
        {
            Error::Unauthorized { step: STEP, code }
        }
        other => other,
    }
}

fn warn_of_clock_skew(headers: &HeaderMap) {
    let Some(theirs) = response_date(headers) else {
        return;
    };
    let ours = SystemTime::now();
    let skew = ours
        .duration_since(theirs)
        .or_else(|_| theirs.duration_since(ours))
        .unwrap_or_default();
    if skew > MAX_CLOCK_SKEW {
        tracing::warn!(skew_s = skew.as_secs(), "the clock differs from CXone's");
    }
}
