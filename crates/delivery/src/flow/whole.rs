//! Which commits of a log say what consumers hold, of all windows and of one.

use definition::Window;

use crate::documents::Commit;

/// The commits whose rows consumers hold once they have read the log: the newest of each window, without those that a later
/// commit covers or that were taken back. The commits are in the order of the log, and so is the answer.
#[must_use]
pub fn find_held<'c>(commits: impl IntoIterator<Item = &'c Commit>) -> Vec<&'c Commit> {
    let mut held: Vec<&Commit> = Vec::new();
    for commit in commits {
        held.retain(|earlier| !commit.window.contains(&earlier.window));
        held.push(commit);
    }
    held.retain(|commit| !commit.withdrawn);
    held
}

/// The commits that say what consumers hold of a window, in the order of time, if they say it for all of it: its own, one that
/// covers it, or several that meet. Of each moment the last commit about it says so. One that took its window back may lie
/// across others that came later. The commits are in the order of the log, and may be of other windows too.
#[must_use]
pub fn find_whole<'c>(
    window: &Window,
    commits: impl IntoIterator<Item = &'c Commit>,
) -> Option<Vec<&'c Commit>> {
    let commits = commits.into_iter();
    let commits: Vec<&Commit> = commits.filter(|it| it.window.overlaps(window)).collect();
    let mut whole: Vec<&Commit> = Vec::new();
    let mut told = window.start();
    while told < window.end() {
        let is_about = |it: &&&Commit| it.window.start() <= told && told < it.window.end();
        let last = *commits.iter().rfind(is_about)?;
        if whole.iter().all(|commit| commit.version != last.version) {
            whole.push(last);
        }
        let bounds = |commit: &&Commit| [commit.window.start(), commit.window.end()];
        let bounds = commits.iter().flat_map(bounds);
        told = bounds.filter(|bound| *bound > told).min()?;
    }
    Some(whole)
}
