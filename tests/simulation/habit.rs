//! How a consumer works: properly, or with a mistake that consumers make.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Proper,
    /// Loads in one transaction and keeps the version in another one.
    BooksApart,
    /// Empties the window in a transaction of its own.
    DeletesApart,
    /// Never deletes what it loads anew.
    Appends,
    /// Loads the version that the notification names.
    FollowsTheBell,
    /// Goes on behind a version that it can't see.
    SkipsGaps,
    /// Does not look whether another process was faster.
    NeverCompares,
    /// Loads whatever lies in the folder of the window.
    ReadsTheFolder,
    /// Deletes the rows of the commit's own window, and not those of the windows within it.
    DeletesEqualWindows,
    /// Takes an unchanged version for loaded, although it has skipped the one before.
    TrustsUnchanged,
    /// Skips a version whose parts are not there, whether a later one covers it or not.
    SkipsWhatIsMissing,
    /// Does nothing about a commit without parts: there is nothing to load.
    IgnoresEmptyCommits,
}

impl Habit {
    pub(crate) const MISTAKES: [Self; 11] = [
        Self::BooksApart,
        Self::DeletesApart,
        Self::Appends,
        Self::FollowsTheBell,
        Self::SkipsGaps,
        Self::NeverCompares,
        Self::ReadsTheFolder,
        Self::DeletesEqualWindows,
        Self::TrustsUnchanged,
        Self::SkipsWhatIsMissing,
        Self::IgnoresEmptyCommits,
    ];
}
