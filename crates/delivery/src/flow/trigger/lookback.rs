//! What is wrong with earlier windows of the report, and what is told of windows that are not there.

use definition::text::list_first;
use definition::{Window, WindowNaming, label_windows};
use jiff::Timestamp;

use crate::documents::Commit;
use crate::flow::recent::read_recent;
use crate::flow::trigger::question::Question;
use crate::flow::trigger::request::WindowRequest;
use crate::missing::{LOOKED_BACK, ROWS_KEPT, quote_address, suggest_fill};
use crate::{Failure, FailureName, Next, Overdue};

/// At most so many ranges of windows are named.
const NAMED_MAX: usize = 10;

/// And so many in the subject of a mail.
const NAMED_SHORTLY: usize = 2;

/// What is wrong with earlier windows.
#[derive(Debug, Default)]
pub(super) struct EarlierWindows {
    /// They were expected, and are not delivered.
    missing: Vec<Window>,
    /// They were delivered, and a part of their rows is gone.
    lost: Vec<Window>,
}

impl EarlierWindows {
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.lost.is_empty()
    }
}

impl Question<'_> {
    /// Looks at the earlier windows of the report. One that somebody names is asked about alone.
    /// `head` is the last version of the log.
    pub(super) async fn look_back(self, head: u64) -> Result<EarlierWindows, Failure> {
        if self.message.event.detail.window.is_some() {
            return Ok(EarlierWindows::default());
        }
        let (keys, at) = (&self.request.keys, self.request.asked_at);
        let since = at - LOOKED_BACK;
        let recent = read_recent(self.effects, keys, head, since).await?;
        let mut missing = recent.find_missing(&self.request.definition, since, at);
        missing.retain(|window| *window != self.request.window);
        let kept = at - ROWS_KEPT;
        let is_kept = |commit: &Commit| commit.committed_at >= kept;
        let stored = if recent.commits.iter().any(is_kept) {
            let after = keys.rows_beginning(since);
            self.effects.list(keys.rows(), Some(after)).await?
        } else {
            Vec::new()
        };
        let mut lost = recent.find_lost(kept, &keys.rows(), &stored.into_iter().collect());
        // What begins earlier was not listed.
        lost.retain(|window| window.start() >= since);
        Ok(EarlierWindows { missing, lost })
    }

    /// Tells the operators, or fails if they were told. `progress` is how far the window itself came, if it is not there.
    /// Of earlier windows alone they are told once a day, however often the report runs.
    pub(super) fn tell_overdue(
        self,
        progress: Option<String>,
        earlier: EarlierWindows,
    ) -> Result<Next, Failure> {
        let is_told = self.message.told_overdue != Some(false);
        let is_mailed = progress.is_some() || is_first_of_day(self.request);
        let overdue = self.describe_overdue(progress, earlier);
        if is_mailed && !is_told {
            return Ok(Next::Overdue(overdue));
        }
        Err(Failure::new(FailureName::Overdue, overdue.text))
    }

    fn describe_overdue(self, progress: Option<String>, earlier: EarlierWindows) -> Overdue {
        let definition = &self.request.definition;
        let (name, tenant) = (&definition.name, &definition.pipeline.tenant);
        let naming = &WindowNaming::new(Some(definition));
        let EarlierWindows { mut missing, lost } = earlier;
        let label = |windows: &[Window]| list_first(&label_windows(windows, naming), NAMED_MAX);
        let mut said = Vec::new();
        if let Some(progress) = &progress {
            let (window, by) = (self.request.window, self.request.asked_at);
            said.push(format!(
                "{name} of {window} is not delivered, and was to be by {by}: {progress}"
            ));
        }
        if !missing.is_empty() {
            let windows = label(&missing);
            said.push(format!(
                "{name} of {windows} is not delivered, and was expected earlier"
            ));
        }
        if !lost.is_empty() {
            let windows = label(&lost);
            said.push(format!(
                "{name} of {windows} was delivered, and a part of its rows is gone from the bucket"
            ));
        }
        missing.extend(progress.map(|_| self.request.window));
        let address = quote_address(tenant.as_str(), name.as_str());
        let fill = (!missing.is_empty()).then(|| suggest_fill(&address, &missing, naming));
        let replays = label_windows(&lost, naming).into_iter().take(NAMED_MAX);
        let replays = replays.map(|it| format!("cxr replay {address} {it} --reason TEXT --watch"));
        missing.extend(&lost);
        missing.sort_unstable();
        Overdue {
            tenant: tenant.clone(),
            report: name.clone(),
            windows: list_first(&label_windows(&missing, naming), NAMED_SHORTLY),
            text: said.join(". "),
            commands: fill.into_iter().chain(replays).collect(),
        }
    }
}

/// Whether a window is the first of its day, where days begin for the report: the one before it begins on an earlier date.
/// Windows of a day and longer all are.
fn is_first_of_day(request: &WindowRequest) -> bool {
    let WindowRequest {
        definition, window, ..
    } = request;
    let rules = definition.pipeline.window_zone.rules();
    let date_of = |time: Timestamp| time.to_zoned(rules.clone()).date();
    let start = window.start();
    let before = start.saturating_sub(window.duration());
    before.is_ok_and(|before| date_of(before) != date_of(start))
}
