//! Looks for time before a window that no window was ever asked for.

use definition::text::list_first;
use definition::{Definition, Window};
use jiff::{SignedDuration, Timestamp};

use crate::Failure;
use crate::flow::finalize::earlier::EarlierCommits;
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::overlap::window_options;

/// At most so many gaps are named.
const GAPS_MAX: usize = 3;

/// From one moment to another, however long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    start: Timestamp,
    end: Timestamp,
}

impl Finalizer<'_> {
    /// Warns of time between the delivered windows and this one, the newest, that nobody asked for.
    ///
    /// A schedule asks for its own windows alone. What lies between the last one of another zone and its first, or what an
    /// event that was lost would have asked for, it leaves out for ever. A window that was asked for and is not
    /// delivered is no gap: its execution is under way, or has failed and said so.
    pub(super) async fn warn_of_gap(
        &self,
        earlier: &EarlierCommits,
    ) -> Result<Option<String>, Failure> {
        let (definition, window) = (&self.record.definition, &self.record.window);
        let begins = earlier.end_before(window);
        let Some(begins) = begins.filter(|begins| *begins < window.start()) else {
            return Ok(None);
        };
        if !definition.windows_are_adjacent() || !definition.is_on_grid(window) {
            return Ok(None);
        }
        let (after, before) = self
            .report
            .windows_beginning(begins - Window::LONGEST, window.start());
        let folders = self.report.windows();
        let folders = self.effects.list_folders(folders, after, before).await?;
        let asked = folders
            .iter()
            .filter_map(|folder| self.report.window_of(folder));
        let gaps = find_gaps(begins, window.start(), asked.collect());
        Ok(describe_gaps(definition, &gaps))
    }
}

/// What no window covers of the time between two moments.
fn find_gaps(begins: Timestamp, ends: Timestamp, mut asked: Vec<Window>) -> Vec<Gap> {
    asked.sort_unstable();
    let mut gaps = Vec::new();
    let mut covered = begins;
    for window in asked {
        if window.start() > covered {
            gaps.push(Gap {
                start: covered,
                end: window.start(),
            });
        }
        covered = covered.max(window.end());
    }
    if covered < ends {
        gaps.push(Gap {
            start: covered,
            end: ends,
        });
    }
    gaps
}

fn describe_gaps(definition: &Definition, gaps: &[Gap]) -> Option<String> {
    let first = first_window(definition, gaps.first()?)?;
    let gaps: Vec<String> = gaps
        .iter()
        .map(|gap| format!("{}/{}", gap.start, gap.end))
        .collect();
    Some(format!(
        "nobody asked for {}, between the windows before and this one, and no schedule will. If the rows are wanted: cxr run FILE {}",
        list_first(&gaps, GAPS_MAX),
        window_options(definition, &first)
    ))
}

/// What to ask for first: the report's own window where one fits in, or else all of the gap that one window takes.
fn first_window(definition: &Definition, gap: &Gap) -> Option<Window> {
    let moment = Window::new(gap.start, gap.start + SignedDuration::from_secs(1)).ok()?;
    let (own, _) = definition.own_windows_at(&moment).ok()?;
    if own.start() == gap.start && own.end() <= gap.end {
        return Some(own);
    }
    Window::new(gap.start, gap.end.min(gap.start + Window::LONGEST)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(hour)
    }

    #[test]
    fn what_nobody_asked_for_between_two_moments_is_found() {
        let check = |asked: &[(i64, i64)], expected: &[(i64, i64)]| {
            let asked = asked
                .iter()
                .map(|(start, end)| Window::new(at(*start), at(*end)).unwrap());
            let found = find_gaps(at(100), at(148), asked.collect());
            let expected: Vec<Gap> = expected
                .iter()
                .map(|(start, end)| Gap {
                    start: at(*start),
                    end: at(*end),
                })
                .collect();
            assert_eq!(found, expected);
        };
        check(&[], &[(100, 148)]);
        check(&[(76, 100)], &[(100, 148)]);
        check(&[(90, 110)], &[(110, 148)]);
        check(&[(124, 148)], &[(100, 124)]);
        check(&[(130, 140), (105, 135)], &[(100, 105), (140, 148)]);
        check(&[(124, 148), (100, 124)], &[]);
        check(&[(0, 200)], &[]);
    }
}
