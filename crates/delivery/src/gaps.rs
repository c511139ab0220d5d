//! Time between the windows of a report that nobody asked for: what is said of it, and whether it still is one.

use definition::text::list_first;
use definition::{Definition, Window, WindowNaming};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::missing::{suggest_fill, window_options};

/// At most so many gaps are named.
const GAPS_MAX: usize = 3;

/// What a warning of a gap begins with.
const NOT_ASKED: &str = "not asked for yet: ";

/// From one moment to another, however long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What no window covers of some time.
#[must_use]
pub fn find_gaps(time: Gap, mut windows: Vec<Window>) -> Vec<Gap> {
    windows.sort_unstable();
    let mut gaps = Vec::new();
    let mut covered = time.start;
    for window in windows {
        let end = window.start().min(time.end);
        if end > covered {
            gaps.push(Gap {
                start: covered,
                end,
            });
        }
        covered = covered.max(window.end());
    }
    if covered < time.end {
        gaps.push(Gap {
            start: covered,
            end: time.end,
        });
    }
    gaps
}

/// What is said of gaps; nothing where there is none. `at` is when they were found. The report's own windows in them are told as
/// missing by themselves, with what gets them.
#[must_use]
pub fn describe_gaps(definition: &Definition, gaps: &[Gap], at: Timestamp) -> Option<String> {
    let first = gaps.first()?;
    let wanted = if find_own(definition, gaps, at).is_empty() {
        format!(
            ". If the rows are wanted: {}",
            suggest_first(definition, first)?
        )
    } else {
        String::new()
    };
    let gaps: Vec<String> = gaps
        .iter()
        .map(|gap| format!("{}/{}", gap.start, gap.end))
        .collect();
    Some(format!(
        "{NOT_ASKED}{}, between the windows before and this one, and no schedule will{wanted}",
        list_first(&gaps, GAPS_MAX),
    ))
}

/// Whether a warning of a commit is about its gaps, which may have been filled since.
#[must_use]
pub fn is_gap_warning(warning: &str) -> bool {
    warning.starts_with(NOT_ASKED)
}

/// The line that gets gaps filled: the report's own windows in them, or else all of the first that one window takes. `REPORT`
/// stands for what the report is called.
#[must_use]
pub fn suggest_gap_fill(definition: &Definition, gaps: &[Gap], at: Timestamp) -> Option<String> {
    let own = find_own(definition, gaps, at);
    if own.is_empty() {
        return suggest_first(definition, gaps.first()?);
    }
    let naming = WindowNaming::new(Some(definition));
    Some(suggest_fill("REPORT", &own, &naming))
}

/// The report's own windows that lie in gaps.
fn find_own(definition: &Definition, gaps: &[Gap], at: Timestamp) -> Vec<Window> {
    let Some(first) = gaps.first() else {
        return Vec::new();
    };
    let mut own = definition.windows_scheduled(first.start, at);
    let lies_in =
        |gap: &Gap, window: &Window| gap.start <= window.start() && window.end() <= gap.end;
    own.retain(|window| gaps.iter().any(|gap| lies_in(gap, window)));
    own
}

fn suggest_first(definition: &Definition, gap: &Gap) -> Option<String> {
    let longest = gap.start + Window::LONGEST;
    let window = Window::new(gap.start, gap.end.min(longest)).ok()?;
    Some(format!(
        "cxr run FILE {}",
        window_options(definition, &window)
    ))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(hour)
    }

    fn gap((start, end): (i64, i64)) -> Gap {
        Gap {
            start: at(start),
            end: at(end),
        }
    }

    #[test]
    fn what_nobody_asked_for_between_two_moments_is_found() {
        let check = |asked: &[(i64, i64)], expected: &[(i64, i64)]| {
            let asked = asked
                .iter()
                .map(|(start, end)| Window::new(at(*start), at(*end)).unwrap());
            let found = find_gaps(gap((100, 148)), asked.collect());
            let expected: Vec<Gap> = expected.iter().copied().map(gap).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[(100, 148)]);
        check(&[(76, 100)], &[(100, 148)]);
        check(&[(90, 110)], &[(110, 148)]);
        check(&[(124, 148)], &[(100, 124)]);
        check(&[(130, 140), (105, 135)], &[(100, 105), (140, 148)]);
        check(&[(124, 148), (100, 124)], &[]);
        check(&[(0, 200)], &[]);
        check(&[(148, 172)], &[(100, 148)]);
        check(&[(100, 148), (160, 172)], &[]);
    }

    #[test]
    fn one_line_fills_a_gap_of_own_windows_and_another_one_what_is_none() {
        let text = include_str!("../../../infra/reports/daily-agent-performance.json");
        let definition = Definition::parse(text).unwrap().definition;
        let check = |gaps: &[(i64, i64)], line: &str| {
            let gaps: Vec<Gap> = gaps.iter().copied().map(gap).collect();
            let fill = suggest_gap_fill(&definition, &gaps, at(30 * 24));
            assert_eq!(fill.unwrap(), line);
            let told = describe_gaps(&definition, &gaps, at(30 * 24)).unwrap();
            assert!(is_gap_warning(&told), "{told}");
            // What is told as missing has its line there.
            assert_eq!(told.contains(line), line.contains("FILE"), "{told}");
        };
        check(&[(24, 48)], "cxr retry REPORT 2026-11-02 --watch");
        check(
            &[(24, 72)],
            "cxr retry REPORT 2026-11-02..2026-11-03 --watch",
        );
        check(
            &[(24, 48), (72, 96)],
            "cxr backfill REPORT 2026-11-02..2026-11-04 --watch",
        );
        check(
            &[(24, 29)],
            "cxr run FILE --window 2026-11-02T00:00:00Z/2026-11-02T05:00:00Z --off-grid",
        );
        assert_eq!(suggest_gap_fill(&definition, &[], at(720)), None);
        assert_eq!(describe_gaps(&definition, &[], at(720)), None);
        assert!(!is_gap_warning("no row has \"handleTime\""));
    }
}
