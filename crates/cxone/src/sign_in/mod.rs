//! Signing in: with a client, an access key or both, or with a refresh token; and finding the tenant's API.

mod credentials;
mod discovery;
mod form;
mod grant;

use std::time::{Duration, SystemTime};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::error::Error;
use crate::http::{Call, Client, Repetition, response_date};
use form::SignInForm;
use grant::{STEP, TokenAnswer};

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
        let secrets: Vec<&str> = form.secrets.iter().map(AsRef::as_ref).collect();
        let call = Call {
            step: STEP,
            repetition: Repetition::Harmless,
            token: None,
            secrets: &secrets,
        };
        let mut request = self
            .build_request(Method::POST, self.config().token_url.clone())
            .header(CONTENT_TYPE, form.content_type)
            .body(form.body);
        if let Some((id, secret)) = form.basic {
            request = request.basic_auth(id, Some(secret));
        }
        let sent = self.send_request(&call, request).await;
        let response = sent.map_err(|error| describe_refusal(error, &self.config().source))?;
        warn_of_clock_skew(response.headers());
        let body = self.read_small_json(&call, response).await?;
        let answer: TokenAnswer<'_> = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(STEP, "the answer is not a token"))?;
        answer.into_grant()
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
