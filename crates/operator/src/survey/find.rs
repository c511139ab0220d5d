//! Finds the report and the windows that a command line names.

use definition::{Definition, Window};
use jiff::{SignedDuration, Timestamp};

use super::{LOOKED_BACK, Survey, Surveyed, find_position, names_of};
use crate::address::{ReportNames, WindowsAsked, find_window, find_windows};
use crate::bucket::ObjectCache;
use crate::error::CommandError;
use crate::state::{Judged, KnownReport, Span};

/// The windows of a report that a command line names.
pub(crate) struct Found {
    pub(crate) surveyed: Surveyed,
    pub(crate) windows: Vec<Judged>,
    /// What was read of the report, for those that read more of it.
    pub(crate) cache: ObjectCache,
}

/// A report that a command line names, before it is known which of its windows are meant.
struct Named {
    all: Vec<ReportNames>,
    known: KnownReport,
    cache: ObjectCache,
}

impl Named {
    fn definition(&self) -> Result<&Definition, CommandError> {
        definition_of(&self.known, &self.all)
    }
}

impl Survey {
    /// A report and the windows of it that are meant, each with its state. `missing` and `failed` look back as far as `status`
    /// does.
    pub(crate) async fn find(
        &self,
        report: &str,
        windows: &str,
        now: Timestamp,
    ) -> Result<Found, CommandError> {
        let named = self.find_named(report, now).await?;
        let definition = named.definition()?;
        let asked = match find_foreign_window(windows, definition, now) {
            Some(window) if self.is_stored(&named.known, window).await? => {
                WindowsAsked::Windows(vec![window])
            }
            _ => find_windows(windows, definition, now)?,
        };
        self.judge_named(named, &asked, now).await
    }

    /// Whether somebody asked for a window, or committed it.
    async fn is_stored(&self, known: &KnownReport, window: Window) -> Result<bool, CommandError> {
        if known.has_commit_of(window) {
            return Ok(true);
        }
        let (from, second) = (window.start(), SignedDuration::from_secs(1));
        let bucket = &self.bucket;
        let listed = bucket
            .list_windows(&known.keys, from, from + second)
            .await?;
        Ok(listed.contains(&window))
    }

    /// A report and one window of it, whether that is one of the report's own or not.
    pub(crate) async fn find_any(
        &self,
        report: &str,
        window: &str,
        now: Timestamp,
    ) -> Result<Found, CommandError> {
        let named = self.find_named(report, now).await?;
        let window = find_window(window, named.definition()?, now)?;
        let asked = WindowsAsked::Windows(vec![window]);
        self.judge_named(named, &asked, now).await
    }

    /// A report and these windows of it.
    pub(crate) async fn find_exactly(
        &self,
        report: &str,
        windows: Vec<Window>,
        now: Timestamp,
    ) -> Result<Found, CommandError> {
        // An address may be quoted for a shell.
        let named = self.find_named(report.trim_matches('\''), now).await?;
        let asked = WindowsAsked::Windows(windows);
        self.judge_named(named, &asked, now).await
    }

    /// What is read of a report before it is known which windows are meant: the definition says that.
    async fn find_named(&self, report: &str, now: Timestamp) -> Result<Named, CommandError> {
        let (all, mut folders) = self.list_reports().await?;
        let position = match find_position(report, &all) {
            Err(CommandError::UnknownReport { .. }) => {
                return self.find_unstored_named(report, all, now).await;
            }
            found => found?,
        };
        let keys = folders.swap_remove(position);
        let mut cache = self.bucket.open_cache(keys.root());
        let mut known = self.read_log(keys, &mut cache).await?;
        let newest = Span { since: now, now };
        self.look_back(&mut known, newest, &mut cache).await?;
        Ok(Named { all, known, cache })
    }

    /// A report that is known from its executions alone.
    async fn find_unstored_named(
        &self,
        report: &str,
        mut all: Vec<ReportNames>,
        now: Timestamp,
    ) -> Result<Named, CommandError> {
        let mut unstored = self.list_unstored(&all, now).await?;
        let stored = all.len();
        all.extend(unstored.iter().map(|it| names_of(&it.keys)));
        // Those that are stored are called otherwise.
        let position = find_position(report, &all)?.saturating_sub(stored);
        let known = unstored.swap_remove(position);
        let cache = self.bucket.open_cache(known.keys.root());
        Ok(Named { all, known, cache })
    }

    /// The state of some windows, which say how far to look back.
    async fn judge_named(
        &self,
        named: Named,
        asked: &WindowsAsked,
        now: Timestamp,
    ) -> Result<Found, CommandError> {
        let Named {
            all,
            mut known,
            mut cache,
        } = named;
        let since = match asked {
            WindowsAsked::Windows(windows) => {
                windows.iter().map(Window::start).min().unwrap_or(now)
            }
            WindowsAsked::Missing | WindowsAsked::Failed => now - LOOKED_BACK,
        };
        let span = Span { since, now };
        self.look_back(&mut known, span, &mut cache).await?;
        cache.save();
        let exact = match asked {
            WindowsAsked::Windows(windows) => &windows[..],
            WindowsAsked::Missing | WindowsAsked::Failed => &[],
        };
        let attempts = self.read_attempts(&known, span, exact).await?;
        let surveyed = Surveyed::new(known, &all, &attempts, span);
        Ok(Found {
            windows: surveyed.choose_windows(asked, now),
            surveyed,
            cache,
        })
    }

    /// The definition that a window was asked with last, or else that of the report.
    pub(crate) async fn read_definition_of(
        &self,
        cache: &mut ObjectCache,
        surveyed: &Surveyed,
        window: Window,
    ) -> Result<Definition, CommandError> {
        let known = &surveyed.known;
        let stored = self
            .bucket
            .read_generations(&known.keys, &window, cache)
            .await?;
        let openings = stored.into_iter().rev().filter_map(|it| it.opening);
        let own = openings.map(|opening| opening.definition).next();
        own.or_else(|| known.definition.clone())
            .ok_or_else(|| refuse_unasked(&surveyed.address))
    }
}

/// The window that is written as `START/END` and is none of the report's own. If it is stored, that one is meant, and else the
/// report's own windows between the two.
pub(super) fn find_foreign_window(
    text: &str,
    definition: &Definition,
    now: Timestamp,
) -> Option<Window> {
    let window = text
        .contains('/')
        .then(|| find_window(text, definition, now).ok())?;
    window.filter(|window| !definition.is_on_grid(window))
}

/// The definition that says which windows a report has.
pub(super) fn definition_of<'k>(
    known: &'k KnownReport,
    all: &[ReportNames],
) -> Result<&'k Definition, CommandError> {
    let definition = known.definition.as_ref();
    definition.ok_or_else(|| refuse_unasked(&names_of(&known.keys).address(all)))
}

/// A report of which no definition is stored.
fn refuse_unasked(address: &str) -> CommandError {
    CommandError::NoDefinition {
        address: address.to_owned(),
    }
}
