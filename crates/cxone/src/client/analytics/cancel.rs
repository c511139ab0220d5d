//! `DELETE …/results/{runId}`.

use reqwest::Method;

use crate::client::transport::Call;
use crate::client::{AccessToken, Cancelled, Client};
use crate::error::Error;
use definition::RunId;

impl Client {
    /// Cancels a run.
    pub(in crate::client) async fn cancel_run(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<Cancelled, Error> {
        let call = Call::asks("cancel run", token);
        let request = self.request(Method::DELETE, self.reports_url(&["results", run.as_str()]));
        match self.send(&call, request).await {
            Ok(_) => Ok(Cancelled::Accepted),
            Err(Error::NotFound { .. }) => Ok(Cancelled::Unknown),
            Err(Error::Rejected { status: 409, .. }) => Ok(Cancelled::AlreadyEnded),
            Err(Error::Rejected {
                status: 405 | 501, ..
            }) => Ok(Cancelled::Unsupported),
            Err(error) => Err(error),
        }
    }
}
