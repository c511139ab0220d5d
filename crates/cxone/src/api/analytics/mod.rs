//! The guide's API: schedules, their runs, and the pages of a run's results.

mod envelope;
mod results;
mod run;
mod schedule;

use url::Url;

use crate::http::Client;

pub(super) fn is_known_state(word: &str) -> bool {
    envelope::RunState::from_word(word).is_some()
}

impl Client {
    /// The URL of a path below `/api/v2/analytics/reports`.
    fn analytics_url(&self, parts: &[&str]) -> Url {
        self.build_url(&["api", "v2", "analytics", "reports"], parts)
    }
}
