//! What the commits before say about how a report usually is.

use definition::Window;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::Failure;
use crate::columns::{COMPARED_WINDOWS, ColumnReport};
use crate::flow::finalize::finalizer::Finalizer;

/// So many commits of the same weekday are compared with.
const COMPARED: usize = 10;

/// With fewer of them nothing is said.
const COMPARED_MIN: usize = 3;

/// No more commits than this are read to find them, which reaches ten weeks back where seven commits are made a day.
const READ_MAX: u64 = 512;

/// So many are read at once.
const READ_AT_ONCE: u64 = 16;

/// What is read of a commit. Less than all of it, because a commit that a newer version wrote is good enough here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierCommit {
    window: Window,
    unique: u64,
    #[serde(default)]
    withdrawn: bool,
    #[serde(default)]
    column_report: Option<ColumnReport>,
}

/// What the last commits of a report say.
#[derive(Debug, Default)]
pub(super) struct EarlierCommits {
    /// The windows that were seen, each in its newest commit.
    windows: Vec<Window>,
    /// Rows of windows of the same weekday and length, the newest first.
    rows: Vec<u64>,
    /// What the newest commits of the last windows say of their columns, the newest first.
    pub(super) column_reports: Vec<ColumnReport>,
}

impl Finalizer<'_> {
    /// Reads the last commits of the log, back from `head`, until there are enough to compare with.
    pub(super) async fn read_earlier_commits(&self, head: u64) -> Result<EarlierCommits, Failure> {
        let mut earlier = EarlierCommits::default();
        let mut newest = head;
        while newest > head.saturating_sub(READ_MAX) && earlier.rows.len() < COMPARED {
            let oldest = newest.saturating_sub(READ_AT_ONCE);
            let versions = (oldest + 1..=newest).rev();
            let keys = versions.map(|version| self.report.commit(version));
            for bytes in self.effects.read_all(keys.collect()).await? {
                let commit = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
                if let Some(commit) = commit {
                    earlier.add(commit, &self.record.window);
                }
            }
            newest = oldest;
        }
        Ok(earlier)
    }
}

impl EarlierCommits {
    /// Adds a commit that is older than those before.
    fn add(&mut self, commit: EarlierCommit, window: &Window) {
        if self.windows.contains(&commit.window) {
            return;
        }
        self.windows.push(commit.window);
        if self.column_reports.len() < COMPARED_WINDOWS {
            self.column_reports.extend(commit.column_report);
        }
        let counts = !commit.withdrawn && commit.window != *window;
        if counts && self.rows.len() < COMPARED && is_comparable(&commit.window, window) {
            self.rows.push(commit.unique);
        }
    }

    /// Where the windows before this one end; none where there are none, or where this one is not the newest.
    pub(super) fn end_before(&self, window: &Window) -> Option<Timestamp> {
        let is_older =
            |other: &Window| other.start() < window.start() && other.end() <= window.end();
        if !self.windows.iter().all(is_older) {
            return None;
        }
        self.windows.iter().map(Window::end).max()
    }

    /// The median of the rows, and of how many windows; none where there are too few.
    pub(super) fn median_rows(&self) -> Option<(u64, usize)> {
        let mut rows = self.rows.clone();
        rows.sort_unstable();
        let middle = rows.len() / 2;
        let median = match rows.len() {
            0..COMPARED_MIN => return None,
            odd if odd % 2 == 1 => rows[middle],
            _ => rows[middle - 1].midpoint(rows[middle]),
        };
        Some((median, rows.len()))
    }
}

/// Whether two windows are about as long, and begin at about the same time of a week. A day of 23 hours is a day, and
/// a month of 28 days is a month; spans of about a week and more may begin at any time.
fn is_comparable(one: &Window, other: &Window) -> bool {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    let (length, other_length) = (one.duration().as_secs(), other.duration().as_secs());
    let tolerance = length.max(other_length) / 8;
    if (length - other_length).abs() > tolerance {
        return false;
    }
    let apart = one.start().duration_since(other.start()).abs();
    let off = apart.as_secs() % WEEK;
    SignedDuration::from_secs(length) > SignedDuration::from_hours(6 * 24)
        || off.min(WEEK - off) <= tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn commit(window_key: &str, unique: u64) -> EarlierCommit {
        EarlierCommit {
            window: window(window_key),
            unique,
            withdrawn: false,
            column_report: None,
        }
    }

    #[test]
    fn windows_of_one_weekday_are_compared_whatever_their_zone_does() {
        let monday = "20261116T000000Z-20261117T000000Z";
        for (one, other, expected) in [
            (monday, "20261109T000000Z-20261110T000000Z", true),
            (monday, "20260831T000000Z-20260901T000000Z", true),
            (monday, "20261115T000000Z-20261116T000000Z", false),
            (monday, "20261109T000000Z-20261111T000000Z", false),
            // New York's Mondays before and after its clocks were put back, and the Sunday on which they were.
            (
                "20261026T040000Z-20261027T040000Z",
                "20261102T050000Z-20261103T050000Z",
                true,
            ),
            (
                "20261025T040000Z-20261026T040000Z",
                "20261101T040000Z-20261102T050000Z",
                true,
            ),
            // Hours, weeks and months.
            (
                "20261116T080000Z-20261116T090000Z",
                "20261109T080000Z-20261109T090000Z",
                true,
            ),
            (
                "20261116T080000Z-20261116T090000Z",
                "20261109T090000Z-20261109T100000Z",
                false,
            ),
            (
                "20261116T080000Z-20261116T090000Z",
                "20261115T080000Z-20261115T090000Z",
                false,
            ),
            (
                "20261116T000000Z-20261123T000000Z",
                "20261102T000000Z-20261109T000000Z",
                true,
            ),
            (
                "20260201T000000Z-20260301T000000Z",
                "20260101T000000Z-20260201T000000Z",
                true,
            ),
        ] {
            assert_eq!(
                is_comparable(&window(one), &window(other)),
                expected,
                "{one} {other}"
            );
            assert_eq!(
                is_comparable(&window(other), &window(one)),
                expected,
                "{other} {one}"
            );
        }
    }

    #[test]
    fn each_window_counts_once_by_its_newest_commit_and_withdrawn_ones_do_not() {
        let own = window("20261130T000000Z-20261201T000000Z");
        let mut earlier = EarlierCommits::default();
        let mondays = [
            ("20261130T000000Z-20261201T000000Z", 1),
            ("20261123T000000Z-20261124T000000Z", 100),
            ("20261116T000000Z-20261117T000000Z", 120),
            ("20261123T000000Z-20261124T000000Z", 7),
            ("20261122T000000Z-20261123T000000Z", 7),
        ];
        for (key, rows) in mondays {
            earlier.add(commit(key, rows), &own);
        }
        assert_eq!(earlier.median_rows(), None);
        let withdrawn = EarlierCommit {
            withdrawn: true,
            ..commit("20261109T000000Z-20261110T000000Z", 0)
        };
        earlier.add(withdrawn, &own);
        earlier.add(commit("20261109T000000Z-20261110T000000Z", 7), &own);
        assert_eq!(earlier.median_rows(), None);
        earlier.add(commit("20261102T000000Z-20261103T000000Z", 90), &own);
        assert_eq!(earlier.median_rows(), Some((100, 3)));
        earlier.add(commit("20261026T000000Z-20261027T000000Z", 111), &own);
        assert_eq!(earlier.median_rows(), Some((105, 4)));
    }

    #[test]
    fn the_last_windows_say_what_their_columns_are_each_in_its_newest_commit() {
        let own = window("20270101T000000Z-20270102T000000Z");
        let mut earlier = EarlierCommits::default();
        for days in 0_u64..20 {
            let start = own.start() - SignedDuration::from_hours(24 * days.cast_signed());
            let day = Window::new(start, start + SignedDuration::from_hours(24)).unwrap();
            for rows in [days, 1000] {
                let report = ColumnReport {
                    rows,
                    ..ColumnReport::default()
                };
                let commit = EarlierCommit {
                    window: day,
                    unique: rows,
                    withdrawn: false,
                    // A window that was withdrawn, or that has no rows, says nothing.
                    column_report: (rows != 1).then_some(report),
                };
                earlier.add(commit, &own);
            }
        }
        let reports = earlier.column_reports.iter();
        let rows: Vec<u64> = reports.map(|report| report.rows).collect();
        let expected: Vec<u64> = [0].into_iter().chain(2..15).collect();
        assert_eq!(rows, expected);
    }
}
