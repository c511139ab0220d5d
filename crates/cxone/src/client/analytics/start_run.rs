//! `POST …/schedules/{scheduleId}/runs`.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::client::transport::Call;
use crate::client::{AccessToken, Client};
use crate::error::Error;
use definition::Window;
use definition::{RunId, ScheduleId};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    run_id: RunId,
}

impl Client {
    /// Starts a run over a window. [`Error::Ambiguous`] where it may have been started and its id was lost.
    pub(in crate::client) async fn start_scheduled_run(
        &self,
        token: &AccessToken,
        schedule: &ScheduleId,
        window: &Window,
    ) -> Result<RunId, Error> {
        let call = Call::creates("start run", token);
        let body = format!(
            r#"{{"dateRange":{{"type":"absolute","start":"{}","end":"{}"}}}}"#,
            window.start(),
            window.end()
        );
        let request = self
            .request(
                Method::POST,
                self.reports_url(&["schedules", schedule.as_str(), "runs"]),
            )
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = self.send(&call, request).await?;
        let body = self.small_json(&call, response).await?;
        let started: Started = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(call.step, "the answer has no valid runId"))?;
        Ok(started.run_id)
    }
}
