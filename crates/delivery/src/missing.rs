//! Which windows of a report are missing that were expected earlier, and the line that gets them: mails and `cxr` say the same.

use std::collections::BTreeSet;

use definition::{
    Definition, ReportName, SourceRange, TenantId, Window, WindowNaming, label_range, label_windows,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::documents::Commit;
use crate::flow::{find_held, find_whole};

/// How far back is looked for windows that are missing.
pub const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// Rows that are committed are kept for longer than this, whatever the deployment says.
pub const ROWS_KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// More windows than these are asked for by a backfill, which goes on in AWS when the terminal closes.
const RETRIED_MAX: usize = 7;

/// What is told of windows that were expected and are not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overdue {
    pub tenant: TenantId,
    pub report: ReportName,
    /// Which windows, in few words.
    pub windows: String,
    /// What is wrong with which of them.
    pub text: String,
    /// What to type.
    pub commands: Vec<String>,
}

/// The newest commits of a report, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct RecentCommits {
    pub commits: Vec<Commit>,
    /// Whether there are no others.
    pub is_all: bool,
}

impl RecentCommits {
    /// The windows that were expected by a time, that begin at another or later, and of which the log does not say everything. A
    /// report begins with its first commit. What can't be asked for any more is not looked for.
    #[must_use]
    pub fn find_missing(
        &self,
        definition: &Definition,
        since: Timestamp,
        at: Timestamp,
    ) -> Vec<Window> {
        if definition.source().range == SourceRange::Template {
            return Vec::new();
        }
        let first = self
            .commits
            .iter()
            .map(|commit| commit.window.start())
            .min();
        let begins = match first {
            None => return Vec::new(),
            Some(first) if self.is_all => first.max(since),
            Some(_) => since,
        };
        let mut due = definition.windows_due(begins, at);
        due.retain(|window| find_whole(window, &self.commits).is_none());
        due
    }

    /// The windows that consumers hold, that were committed at a time or later, and of which a part is gone. `stored` are the
    /// keys below `folder`.
    #[must_use]
    pub fn find_lost(
        &self,
        since: Timestamp,
        folder: &str,
        stored: &BTreeSet<String>,
    ) -> Vec<Window> {
        let mut held = find_held(&self.commits);
        held.retain(|commit| commit.committed_at >= since && lacks_part(commit, folder, stored));
        held.sort_by_key(|commit| commit.window);
        held.into_iter().map(|commit| commit.window).collect()
    }
}

/// Whether a part of a commit is gone. `stored` are the keys below `folder`; what lies elsewhere is not known.
#[must_use]
pub fn lacks_part(commit: &Commit, folder: &str, stored: &BTreeSet<String>) -> bool {
    let mut parts = commit.parts.iter();
    parts.any(|part| part.key.starts_with(folder) && !stored.contains(&part.key))
}

/// The line that gets missing windows committed, and stays until they are. A few that follow one another are asked for again;
/// many, or some here and there, by a backfill.
#[must_use]
pub fn suggest_fill(address: &str, windows: &[Window], naming: &WindowNaming) -> String {
    let (ranges, ends) = (
        label_windows(windows, naming),
        windows.first().zip(windows.last()),
    );
    let is_many = windows.len() > RETRIED_MAX || ranges.len() > 1;
    let command = if is_many { "backfill" } else { "retry" };
    let range = ends.map_or_else(String::new, |(first, last)| {
        label_range(first, last, naming)
    });
    format!("cxr {command} {address} {range} --watch")
}

/// How a command asks for a window of this definition. One that is none of the report's own has to be asked for twice.
#[must_use]
pub fn window_options(definition: &Definition, window: &Window) -> String {
    let off_grid = if definition.is_on_grid(window) {
        ""
    } else {
        " --off-grid"
    };
    format!("--window {window}{off_grid}")
}

/// A report as a shell takes it.
#[must_use]
pub fn quote_address(tenant: &str, report: &str) -> String {
    format!("'{tenant}/{}'", report.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(change: &[(&str, Value)]) -> Definition {
        let text = include_str!("../../../infra/reports/daily-agent-performance.json");
        let mut value: Value = serde_json::from_str(text).unwrap();
        for (pointer, to) in change {
            *value.pointer_mut(pointer).unwrap() = to.clone();
        }
        Definition::from_value(&value).unwrap().definition
    }

    /// Some days of November from one on.
    fn days(first: i64, count: i64) -> Window {
        let day = |day| time("2026-11-01T00:00:00Z") + SignedDuration::from_hours(24 * (day - 1));
        Window::new(day(first), day(first + count)).unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn commit(version: u64, window: Window, withdrawn: bool, parts: &[&str]) -> Commit {
        let part = |key: &&str| json!({"key": key, "rows": 1, "bytes": 1, "sha256": ""});
        let parts: Vec<Value> = parts.iter().map(part).collect();
        serde_json::from_value(json!({
            "v": 1, "version": version, "report": "r", "tenant": "t", "window": window, "generation": version,
            "definitionHash": "", "runs": [], "rows": 0, "unique": 0, "duplicates": 0, "replaced": 0, "empty": true,
            "verification": "total", "columns": [], "parts": parts, "content": "", "supersedes": null,
            "withdrawn": withdrawn, "unchanged": false, "committedAt": window.end() + SignedDuration::from_hours(6),
        }))
        .unwrap()
    }

    fn log(windows: &[(Window, bool)], is_all: bool) -> RecentCommits {
        let commits = windows.iter().zip(1..);
        let commits =
            commits.map(|((window, withdrawn), version)| commit(version, *window, *withdrawn, &[]));
        RecentCommits {
            commits: commits.collect(),
            is_all,
        }
    }

    /// The day 21 is due at 08:30 on the next one.
    #[test]
    fn a_window_is_missing_that_was_due_and_of_which_the_log_does_not_say_everything() {
        let (since, at) = (time("2026-10-20T00:00:00Z"), time("2026-11-22T08:30:00Z"));
        let each = |windows: &[i64]| windows.iter().map(|day| days(*day, 1)).collect::<Vec<_>>();
        let all_but_two = [
            (days(10, 1), false),
            (days(12, 8), false),
            (days(21, 1), false),
        ];
        let taken_back = [(days(10, 12), false), (days(11, 1), true)];
        let of_old = [(days(10, 1), false), (days(11, 11), false)];
        for (windows, is_all, missing) in [
            (&all_but_two[..], true, each(&[11, 20])),
            (
                &all_but_two[..1],
                true,
                each(&[11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]),
            ),
            (&taken_back, true, vec![]),
            (&of_old, true, vec![]),
            // Not of the time before the first commit, unless there are older ones.
            (&[(days(20, 2), false)], true, vec![]),
            (
                &[(days(2, 20), false)],
                false,
                each(&[-11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1]),
            ),
            (&[], true, vec![]),
        ] {
            let found = log(windows, is_all).find_missing(&definition(&[]), since, at);
            assert_eq!(found, missing, "{windows:?}");
        }
        let before = time("2026-11-22T08:29:59Z");
        let found =
            log(&[(days(20, 1), false)], true).find_missing(&definition(&[]), since, before);
        assert_eq!(found, [], "not due yet");
    }

    #[test]
    fn windows_are_those_of_the_definition() {
        let weekly = [
            ("/schedule/type", json!("weekly")),
            ("/report/dateRange/value", json!("previousWeek")),
        ];
        let log = log(&[(days(2, 7), false), (days(16, 7), false)], true);
        let at = time("2026-11-23T12:00:00Z");
        let missing = log.find_missing(&definition(&weekly), time("2026-10-20T00:00:00Z"), at);
        assert_eq!(missing, [days(9, 7)]);
    }

    #[test]
    fn a_window_is_lost_if_consumers_hold_it_and_a_part_of_it_is_gone() {
        let stored = BTreeSet::from(["r/data/1".to_owned(), "r/data/2b".to_owned()]);
        let log = RecentCommits {
            commits: vec![
                commit(1, days(10, 1), false, &["r/data/1"]),
                commit(2, days(11, 1), false, &["r/data/2a", "r/data/2b"]),
                commit(3, days(12, 1), false, &["r/data/3"]),
                commit(4, days(12, 1), false, &["elsewhere/4"]),
                commit(5, days(13, 1), false, &["r/data/5"]),
                commit(6, days(13, 1), true, &[]),
            ],
            is_all: true,
        };
        let lost = |since| log.find_lost(time(since), "r/data/", &stored);
        assert_eq!(lost("2026-11-01T00:00:00Z"), [days(11, 1)]);
        assert_eq!(lost("2026-11-12T06:00:01Z"), []);
    }

    #[test]
    fn a_few_windows_are_retried_and_many_or_scattered_ones_filled() {
        for (windows, line) in [
            (vec![days(9, 1)], "cxr retry daily 2026-11-09 --watch"),
            (
                vec![days(9, 1), days(10, 1)],
                "cxr retry daily 2026-11-09..2026-11-10 --watch",
            ),
            (
                vec![days(9, 1), days(11, 1)],
                "cxr backfill daily 2026-11-09..2026-11-11 --watch",
            ),
            (
                (2..=8).map(|day| days(day, 1)).collect(),
                "cxr retry daily 2026-11-02..2026-11-08 --watch",
            ),
            (
                (2..=9).map(|day| days(day, 1)).collect(),
                "cxr backfill daily 2026-11-02..2026-11-09 --watch",
            ),
        ] {
            assert_eq!(
                suggest_fill("daily", &windows, &WindowNaming::new(None)),
                line
            );
        }
    }
}
