//! `GET …/results/{runId}`, for the run's state alone.

use reqwest::Method;

use crate::client::transport::Call;
use crate::client::{AccessToken, Client};
use crate::error::Error;
use crate::page::{JsonPage, Opened};
use crate::redact::redacted;
use crate::state::{State, sanitised};
use definition::RunId;
use definition::RunStatus;

const STEP: &str = "look at run";
/// The longest explanation of a failure that is kept.
const MESSAGE: usize = 1024;

impl Client {
    /// Looks at a run once. Where the state comes before the rows, the rows are not read.
    pub(in crate::client) async fn look_at_run(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        let call = Call::asks(STEP, token);
        let request = self.request(Method::GET, self.reports_url(&["results", run.as_str()]));
        let response = self
            .send(&call, request.timeout(self.limits().page))
            .await?;
        let body = self.json_body(&call, response, self.limits().page_bytes)?;
        let mut page = JsonPage::new(STEP, run.clone(), body, self.limits().row_bytes);
        while page.open().await? == Opened::Rows {
            // Rows come with a completed run only; with any other word the rest may have more to say.
            if State::from_word(page.envelope().state.as_deref()) == Some(State::Completed) {
                break;
            }
            page.skip().await?;
        }
        page.check_run()?;
        let envelope = page.envelope();
        let word = envelope.state.as_deref();
        Ok(match State::from_word(word) {
            Some(State::Completed) => RunStatus::Completed,
            Some(State::Failed) => {
                let message = envelope.error_message.as_deref().unwrap_or_default();
                RunStatus::Failed {
                    message: redacted(message, &[token.expose()], MESSAGE),
                }
            }
            known => RunStatus::Pending {
                state: sanitised(word),
                known: known.is_some(),
            },
        })
    }
}
