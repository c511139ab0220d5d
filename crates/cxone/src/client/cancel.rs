//! `DELETE …/results/{runId}`.

use reqwest::Method;

use super::transport::{Call, Effect};
use super::{AccessToken, Client};
use crate::error::Error;
use crate::ids::RunId;

/// What came of a wish to cancel a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It will end.
    Accepted,
    /// It had ended already, completed or failed (409).
    AlreadyEnded,
    /// It is not known, or not any more (404, 410).
    Unknown,
    /// This API can't cancel runs (405, 501).
    NotSupported,
}

impl Client {
    /// Cancels a run.
    pub async fn cancel(&self, token: &AccessToken, run: &RunId) -> Result<Cancelled, Error> {
        let call = Call {
            step: "cancel run",
            effect: Effect::None,
            token: Some(token),
            secrets: &[],
        };
        let request = self.request(Method::DELETE, self.reports_url(&["results", run.as_str()]));
        match self.send(&call, request).await {
            Ok(_) => Ok(Cancelled::Accepted),
            Err(Error::NotFound { .. }) => Ok(Cancelled::Unknown),
            Err(Error::Rejected { status: 409, .. }) => Ok(Cancelled::AlreadyEnded),
            Err(Error::Rejected {
                status: 405 | 501, ..
            }) => Ok(Cancelled::NotSupported),
            Err(error) => Err(error),
        }
    }
}
