//! What the commit log says about a window and those that overlap it.
//!
//! A consumer reads the log in order. For each commit it deletes the rows of every window that lies within the commit's,
//! then loads the commit's parts. [`CommitLog::visible`] does the same with commits in place of rows, so that what
//! it finds is what a consumer holds. Nothing is committed that would make two visible windows overlap.

use definition::Window;
use serde::Deserialize;

use crate::Failure;
use crate::documents::Commit;
use crate::effects::{Effects, StoreEffect};
use crate::flow::overlap::OverlapError;
use crate::flow::stored::{parse, require_stored};
use crate::flow::whole::{find_held, find_whole};
use crate::keys::{ReportKeys, version_of};

/// How many commits are in memory at once while the log is searched for those of a window.
const READ_AT_ONCE: usize = 200;

/// So many commits are read whose windows are not known, where the folders would have to be listed once more to know them.
const READ_UNSEEN: usize = 16;

/// What the log says about a generation of a window.
#[derive(Debug)]
pub(super) enum Standing<'a> {
    /// It may be committed.
    Open,
    /// It was committed, or a newer generation was.
    Settled(&'a Commit),
    /// Consumers hold a window that covers this one.
    Covered(&'a Commit),
}

/// The log from a version on, as far as it is about one window.
#[derive(Debug)]
pub(super) struct CommitLog {
    pub(super) head: u64,
    window: Window,
    /// The commits of windows that overlap this one, itself included, in order.
    commits: Vec<Commit>,
}

impl CommitLog {
    /// Reads every commit of a window that overlaps this one.
    ///
    /// Each window's first generation says how long the log was before any commit of it. Where no window overlaps this one,
    /// that of the window before says how long the log was at some time before the folders were listed. Whatever overlaps this
    /// window and has no folder yet is committed behind that. So the log is not listed from its beginning, however long it is.
    pub(super) async fn read_all<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &ReportKeys,
        window: &Window,
    ) -> Result<Self, Failure> {
        let known = list_windows_around(effects, keys, window).await?;
        let overlapping = read_bases(effects, keys, known.overlapping).await?;
        if let Some(base) = overlapping.into_iter().min() {
            return Self::read_since(effects, keys, window, base).await;
        }
        let before = read_bases(effects, keys, known.before.into_iter().collect()).await?;
        let mut log = Self::empty(window, before.into_iter().next().unwrap_or(0));
        let listed = log.list_on(effects, keys).await?;
        if listed.len() <= READ_UNSEEN {
            log.read_listed(effects, &listed).await?;
            return Ok(log);
        }
        // The folders, listed once more, say whether any of so many has to be read.
        if let Some(base) = Self::find_base(effects, keys, window).await? {
            return Self::read_since(effects, keys, window, base).await;
        }
        log.head = head_of(&listed).unwrap_or(log.head);
        Ok(log)
    }

    /// Finds the version behind which every commit is that overlaps the window; `None` where no such window
    /// was ever asked for.
    pub(super) async fn find_base<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &ReportKeys,
        window: &Window,
    ) -> Result<Option<u64>, Failure> {
        let known = list_windows_around(effects, keys, window).await?;
        let bases = read_bases(effects, keys, known.overlapping).await?;
        Ok(bases.into_iter().min())
    }

    /// Reads every commit whose version is greater than `base` and that overlaps the window.
    pub(super) async fn read_since<E: From<StoreEffect>>(
        effects: &Effects<E>,
        keys: &ReportKeys,
        window: &Window,
        base: u64,
    ) -> Result<Self, Failure> {
        let mut log = Self::empty(window, base);
        log.read_on(effects, keys).await?;
        Ok(log)
    }

    fn empty(window: &Window, base: u64) -> Self {
        Self {
            head: base,
            window: *window,
            commits: Vec::new(),
        }
    }

    /// Reads what was appended since.
    pub(super) async fn read_on<E: From<StoreEffect>>(
        &mut self,
        effects: &Effects<E>,
        keys: &ReportKeys,
    ) -> Result<(), Failure> {
        let listed = self.list_on(effects, keys).await?;
        self.read_listed(effects, &listed).await
    }

    /// The keys of what was appended since, in order.
    async fn list_on<E: From<StoreEffect>>(
        &self,
        effects: &Effects<E>,
        keys: &ReportKeys,
    ) -> Result<Vec<String>, Failure> {
        let after = (self.head > 0).then(|| keys.commit(self.head));
        let mut listed = effects.list(keys.log(), after).await?;
        listed.retain(|key| version_of(key).is_some());
        Ok(listed)
    }

    async fn read_listed<E: From<StoreEffect>>(
        &mut self,
        effects: &Effects<E>,
        listed: &[String],
    ) -> Result<(), Failure> {
        for listed in listed.chunks(READ_AT_ONCE) {
            let bodies = effects.read_all(listed.to_vec()).await?;
            for (key, bytes) in listed.iter().zip(bodies) {
                let commit: Commit = parse(key, &require_stored(key, bytes)?)?;
                if commit.window.overlaps(&self.window) {
                    self.commits.push(commit);
                }
            }
        }
        if let Some(head) = head_of(listed) {
            self.head = head;
        }
        Ok(())
    }

    /// Whether a generation of the window may still be committed.
    ///
    /// # Errors
    /// If consumers hold a window that this one must not stand beside.
    pub(super) fn find_standing(
        &self,
        generation: u32,
        withdrawn: bool,
    ) -> Result<Standing<'_>, OverlapError> {
        if let Some(held) = self.covering() {
            return Ok(Standing::Covered(held));
        }
        if let Some(commit) = self.settling_commit(generation) {
            return Ok(Standing::Settled(commit));
        }
        if !withdrawn {
            return match self.not_covered() {
                Some(held) => Err(OverlapError::beside(self.window, held)),
                None => Ok(Standing::Open),
            };
        }
        // What lies within a window is withdrawn with it only if the window itself is there.
        match OverlapError::withdrawal(self.window, &self.others()) {
            Some(error) if !self.is_visible() => Err(error),
            _ => Ok(Standing::Open),
        }
    }

    /// The commit that makes one of this generation pointless: its own, or a newer generation's.
    pub(super) fn settling_commit(&self, generation: u32) -> Option<&Commit> {
        self.of_window()
            .filter(|commit| commit.generation >= generation)
            .max_by_key(|commit| commit.generation)
    }

    /// The last commit of the window itself.
    pub(super) fn last_of_window(&self) -> Option<&Commit> {
        self.of_window().last()
    }

    /// The last commit that deleted what there was of the window, or loaded it: its own, or a covering window's.
    pub(super) fn last_over_window(&self) -> Option<&Commit> {
        let over = |commit: &&Commit| commit.window.contains(&self.window);
        self.commits.iter().rfind(over)
    }

    /// Whether consumers hold the rows of the window as such.
    pub(super) fn is_visible(&self) -> bool {
        self.last_over_window()
            .is_some_and(|last| last.window == self.window && !last.withdrawn)
    }

    /// A visible window that this one lies within.
    fn covering(&self) -> Option<&Commit> {
        let mut others = self.others().into_iter();
        others.find(|commit| commit.window.contains(&self.window))
    }

    /// The visible windows that lie within this one.
    pub(super) fn covered(&self) -> Vec<Window> {
        let within = |commit: &&Commit| self.window.contains(&commit.window);
        let mut windows: Vec<Window> = self
            .others()
            .into_iter()
            .filter(within)
            .map(|it| it.window)
            .collect();
        windows.sort_unstable();
        windows
    }

    /// A visible window that this one overlaps without covering it.
    pub(super) fn not_covered(&self) -> Option<&Commit> {
        let mut others = self.others().into_iter();
        others.find(|commit| !self.window.contains(&commit.window))
    }

    /// The visible windows other than this one.
    pub(super) fn others(&self) -> Vec<&Commit> {
        let mut visible = self.visible();
        visible.retain(|commit| commit.window != self.window);
        visible
    }

    /// The commits that say what consumers hold of the window, if they say it for all of it.
    pub(super) fn find_whole(&self) -> Option<Vec<&Commit>> {
        find_whole(&self.window, &self.commits)
    }

    /// The commits whose rows a consumer holds once it has read the log.
    fn visible(&self) -> Vec<&Commit> {
        find_held(&self.commits)
    }

    fn of_window(&self) -> impl DoubleEndedIterator<Item = &Commit> {
        let of_window = |commit: &&Commit| commit.window == self.window;
        self.commits.iter().filter(of_window)
    }
}

/// Windows that somebody asked for.
struct KnownWindows {
    /// Those that overlap a window.
    overlapping: Vec<Window>,
    /// Of the others the one that begins last before it, within the length of the longest.
    before: Option<Window>,
}

async fn list_windows_around<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &ReportKeys,
    window: &Window,
) -> Result<KnownWindows, Failure> {
    let (after, before) = keys.windows_around(window);
    let folders = effects.list_folders(keys.windows(), after, before).await?;
    let windows = folders.iter().filter_map(|folder| keys.window_of(folder));
    let (overlapping, others): (Vec<Window>, Vec<Window>) =
        windows.partition(|other| other.overlaps(window));
    Ok(KnownWindows {
        overlapping,
        before: others.last().copied(),
    })
}

/// What is read of a window's first generation. Less than all of it, because it may hold a definition that this version refuses.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogLength {
    base_version: u64,
}

/// How long the log was when each of these windows was first asked for; 0, which is never too long, where that can't be read.
async fn read_bases<E: From<StoreEffect>>(
    effects: &Effects<E>,
    keys: &ReportKeys,
    windows: Vec<Window>,
) -> Result<Vec<u64>, Failure> {
    let first_generations = windows.iter().map(|it| keys.generation(it, 1).open());
    let first_generations: Vec<String> = first_generations.collect();
    let bodies = effects.read_all(first_generations).await?;
    let read = |bytes: Option<Vec<u8>>| {
        let read = bytes.and_then(|bytes| serde_json::from_slice::<LogLength>(&bytes).ok());
        read.unwrap_or_default().base_version
    };
    Ok(bodies.into_iter().map(read).collect())
}

/// The last version of those that were listed.
fn head_of(listed: &[String]) -> Option<u64> {
    listed.last().and_then(|key| version_of(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;

    fn hours(start: i64, end: i64) -> Window {
        let day: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let at = |hour| day + SignedDuration::from_hours(hour);
        Window::new(at(start), at(end)).unwrap()
    }

    fn commit(version: u64, window: Window, withdrawn: bool) -> Commit {
        serde_json::from_value(json!({
            "v": 1, "version": version, "report": "r", "tenant": "t", "window": window, "generation": version,
            "definitionHash": "", "runs": [], "rows": 0, "unique": 0, "duplicates": 0, "replaced": 0, "empty": true,
            "verification": "total", "columns": [], "parts": [], "content": "", "supersedes": null,
            "withdrawn": withdrawn, "unchanged": false, "committedAt": "2026-11-22T05:30:00Z",
        }))
        .unwrap()
    }

    /// The log as whoever asks about this window reads it.
    fn log_of(all: &[Commit], window: Window) -> CommitLog {
        let overlapping = all.iter().filter(|commit| commit.window.overlaps(&window));
        CommitLog {
            head: all.len() as u64,
            window,
            commits: overlapping.cloned().collect(),
        }
    }

    /// What a consumer holds: of each window the version that it was loaded from.
    fn load(all: &[Commit]) -> BTreeMap<Window, u64> {
        let mut held = BTreeMap::new();
        for commit in all {
            held.retain(|window, _| !commit.window.contains(window));
            if !commit.withdrawn {
                held.insert(commit.window, commit.version);
            }
        }
        held
    }

    /// Every sequence of three requests for windows of four hours, each a delivery or a withdrawal, and one more.
    #[test]
    fn whatever_is_let_through_consumers_hold_no_moment_twice_and_are_told_what_goes() {
        let windows: Vec<Window> = (0..4)
            .flat_map(|start| (start + 1..=4).map(move |end| hours(start, end)))
            .collect();
        let choices: Vec<(Window, bool)> = windows
            .iter()
            .flat_map(|window| [(*window, false), (*window, true)])
            .collect();
        let mut logs: Vec<Vec<Commit>> = vec![Vec::new()];
        for _ in 0..4 {
            let mut longer = Vec::new();
            for log in &logs {
                for (window, withdrawn) in &choices {
                    longer.extend(append(log, *window, *withdrawn));
                }
            }
            logs = longer;
        }
        assert!(logs.len() > 1_000, "{}", logs.len());
    }

    /// The log with one commit more, if it is let through.
    fn append(all: &[Commit], window: Window, withdrawn: bool) -> Option<Vec<Commit>> {
        let log = log_of(all, window);
        let version = log.head + 1;
        let generation = u32::try_from(version).unwrap();
        let before = load(all);
        match log.find_standing(generation, withdrawn) {
            Ok(Standing::Open) => {}
            Ok(Standing::Covered(held)) => {
                assert!(held.window.contains(&window) && before.contains_key(&held.window));
                return None;
            }
            Ok(Standing::Settled(_)) => panic!("no generation is newer"),
            Err(error) => {
                let stands_beside = |held: &Window| held.overlaps(&window) && *held != window;
                assert!(before.keys().any(stands_beside), "{error}");
                return None;
            }
        }
        let (replaces, was_visible) = (log.covered(), log.is_visible());
        let mut all = all.to_vec();
        all.push(commit(version, window, withdrawn));
        let after = load(&all);
        let gone = before
            .keys()
            .filter(|held| **held != window && !after.contains_key(held));
        assert!(gone.eq(&replaces), "{replaces:?}");
        assert_eq!(was_visible, before.contains_key(&window));
        let held: Vec<&Window> = after.keys().collect();
        for pair in held.windows(2) {
            assert!(!pair[0].overlaps(pair[1]), "{held:?}");
        }
        Some(all)
    }
}
