//! Which commits hold the rows of some windows.

use definition::Window;
use delivery::documents::Commit;
use delivery::flow::{find_held, find_whole};

/// What consumers hold of windows that follow one another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivered<'c> {
    /// The commits whose rows these are, in the order of their windows.
    pub(crate) commits: Vec<&'c Commit>,
    /// The windows of which the log does not say everything. One that was taken back is none.
    pub(crate) absent: Vec<Window>,
}

/// The commits that hold the rows of these windows, which follow one another. Fails with the window of a commit that goes
/// beyond them, because nothing tells which of its rows are meant.
pub(crate) fn find_delivered<'c>(
    commits: &'c [Commit],
    windows: &[Window],
) -> Result<Delivered<'c>, Window> {
    let (first, last) = (windows.first(), windows.last());
    let within = |window: &Window| {
        first.is_some_and(|first| first.start() <= window.start())
            && last.is_some_and(|last| window.end() <= last.end())
    };
    let mut held = find_held(commits);
    held.retain(|commit| windows.iter().any(|it| it.overlaps(&commit.window)));
    if let Some(beyond) = held.iter().find(|commit| !within(&commit.window)) {
        return Err(beyond.window);
    }
    held.sort_by_key(|commit| commit.window);
    let is_absent = |window: &&Window| find_whole(window, commits).is_none();
    Ok(Delivered {
        commits: held,
        absent: windows.iter().filter(is_absent).copied().collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The window between two days of June.
    fn days(first: u8, end: u8) -> Window {
        let at = |day| format!("2026-06-{day:02}T00:00:00Z").parse().unwrap();
        Window::new(at(first), at(end)).unwrap()
    }

    fn log(commits: &[(Window, bool)]) -> Vec<Commit> {
        let commits = commits.iter().zip(1_u64..);
        commits
            .map(|((window, withdrawn), version)| {
                serde_json::from_value(json!({
                    "v": 1, "version": version, "report": "r", "tenant": "t", "window": window,
                    "generation": version, "definitionHash": "", "runs": [], "rows": 0, "unique": 0,
                    "duplicates": 0, "replaced": 0, "empty": true, "verification": "total", "columns": [],
                    "parts": [], "content": "", "supersedes": null, "withdrawn": withdrawn,
                    "unchanged": false, "committedAt": "2026-06-22T05:30:00Z",
                }))
                .unwrap()
            })
            .collect()
    }

    #[test]
    fn rows_are_those_of_the_newest_version_of_each_window() {
        let log = log(&[
            (days(3, 4), false),
            (days(1, 2), false),
            (days(2, 3), false),
            (days(2, 3), false),
            (days(4, 5), false),
            (days(4, 5), true),
            (days(6, 9), false),
        ]);
        let asked = |windows: &[Window]| {
            let found = find_delivered(&log, windows)?;
            let versions: Vec<u64> = found.commits.iter().map(|it| it.version).collect();
            Ok((versions, found.absent))
        };
        let each = |first: u8, end: u8| -> Vec<Window> {
            (first..end).map(|day| days(day, day + 1)).collect()
        };
        assert_eq!(asked(&each(1, 4)), Ok((vec![2, 4, 1], vec![])));
        assert_eq!(asked(&each(4, 5)), Ok((vec![], vec![])), "taken back");
        assert_eq!(asked(&each(5, 6)), Ok((vec![], vec![days(5, 6)])));
        assert_eq!(asked(&each(6, 9)), Ok((vec![7], vec![])));
        assert_eq!(asked(&each(7, 9)), Err(days(6, 9)));
    }
}
