//! A run: `POST …/schedules/{scheduleId}/runs`, `GET …/results/{runId}` for its state alone, and `DELETE …/results/{runId}`.

use definition::{RunId, RunStatus, ScheduleId, Window};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::envelope::{ResultsEnvelope, RunState};
use crate::api::answer::find_id;
use crate::api::query::CancelOutcome;
use crate::error::Error;
use crate::http::{AccessToken, Call, Client};
use crate::page::{JsonPage, OpenedAt};

const START: &str = "start run";
const POLL: &str = "look at run";
const CANCEL: &str = "cancel run";

impl Client {
    /// Starts a run over a window. [`Error::Ambiguous`] where it may have been started and its id was lost.
    pub(in crate::api) async fn start_scheduled_run(
        &self,
        token: &AccessToken,
        schedule: Option<&ScheduleId>,
        window: &Window,
    ) -> Result<RunId, Error> {
        let schedule = schedule.ok_or_else(|| Error::Config {
            step: START,
            what: "an analytics run needs a registered schedule".to_owned(),
        })?;
        let call = Call::creating(START, token);
        let body = format!(
            r#"{{"dateRange":{{"type":"absolute","start":"{}","end":"{}"}}}}"#,
            window.start(),
            window.end()
        );
        let request = self
            .build_request(
                Method::POST,
                self.analytics_url(&["schedules", schedule.as_str(), "runs"]),
            )
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = self.send_request(&call, request).await?;
        let body = self.read_small_json(&call, response).await?;
        let id = find_id(&body, &["runId", "id"]);
        id.and_then(|id| RunId::new(id).ok())
            .ok_or_else(|| Error::contract(call.step, "the answer has no valid runId"))
    }

    /// Polls a run once. Where the state comes before the rows, the rows are not read.
    pub(in crate::api) async fn poll_scheduled_run(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<RunStatus, Error> {
        let call = Call::repeatable(POLL, token);
        let request =
            self.build_request(Method::GET, self.analytics_url(&["results", run.as_str()]));
        let response = self
            .send_request(&call, request.timeout(self.limits().page))
            .await?;
        let body = self.open_json_body(POLL, response, self.limits().page_bytes)?;
        let envelope = ResultsEnvelope::new(POLL, run.clone());
        let mut page = JsonPage::new(POLL, envelope, body, self.limits().row_bytes);
        while page.read_to_rows().await? == OpenedAt::FirstRow {
            // Rows come with a completed run only; with any other word the rest may have more to say.
            if page.envelope().state() == Some(RunState::Completed) {
                break;
            }
            page.skip_rows().await?;
        }
        let envelope = page.envelope();
        envelope.check_run()?;
        Ok(match envelope.state() {
            Some(RunState::Completed) => RunStatus::Completed,
            Some(RunState::Failed) => RunStatus::Failed {
                message: envelope.failure_message(token),
            },
            known => RunStatus::Pending {
                state: envelope.shown_state(),
                known: known.is_some(),
            },
        })
    }

    pub(in crate::api) async fn cancel_scheduled_run(
        &self,
        token: &AccessToken,
        run: &RunId,
    ) -> Result<CancelOutcome, Error> {
        let call = Call::repeatable(CANCEL, token);
        let request = self.build_request(
            Method::DELETE,
            self.analytics_url(&["results", run.as_str()]),
        );
        match self.send_request(&call, request).await {
            Ok(_) => Ok(CancelOutcome::Accepted),
            Err(Error::NotFound { .. }) => Ok(CancelOutcome::Unknown),
            Err(Error::Rejected { status: 409, .. }) => Ok(CancelOutcome::AlreadyEnded),
            Err(Error::Rejected {
                status: 405 | 501, ..
            }) => Ok(CancelOutcome::Unsupported),
            Err(error) => Err(error),
        }
    }
}
