//! The guide's API: schedules, their runs, and the pages of a run's results.

mod cancel;
mod look;
mod pages;
mod register;
mod start_run;

use url::Url;

use super::Client;

impl Client {
    /// The URL of something under `/api/v2/analytics/reports`. The parts are ids and fixed words, so that none of them
    /// can climb out.
    fn reports_url(&self, parts: &[&str]) -> Url {
        self.url(&["api", "v2", "analytics", "reports"], parts)
    }
}
