//! Looks for time before a window that no window was ever asked for.

use definition::Window;

use crate::Failure;
use crate::flow::finalize::earlier::EarlierCommits;
use crate::flow::finalize::finalizer::Finalizer;
use crate::gaps::{Gap, find_gaps};

impl Finalizer<'_> {
    /// The time between the delivered windows and this one, the newest, that nobody asked for yet.
    ///
    /// A schedule asks for its own windows alone. What lies between the last one of another zone and its first, or what an
    /// event that was lost would have asked for, it leaves out for ever. A window that was asked for and is not
    /// delivered is no gap: its execution is under way, or has failed and said so.
    pub(super) async fn find_gaps(&self, earlier: &EarlierCommits) -> Result<Vec<Gap>, Failure> {
        let (definition, window) = (&self.record.definition, &self.record.window);
        let begins = earlier.end_before(window);
        let Some(begins) = begins.filter(|begins| *begins < window.start()) else {
            return Ok(Vec::new());
        };
        if !definition.windows_are_adjacent() || !definition.is_on_grid(window) {
            return Ok(Vec::new());
        }
        let (after, before) = self
            .report
            .windows_beginning(begins - Window::LONGEST, window.start());
        let folders = self.report.windows();
        let folders = self.effects.list_folders(folders, after, before).await?;
        let asked = folders
            .iter()
            .filter_map(|folder| self.report.window_of(folder));
        let whole = Gap {
            start: begins,
            end: window.start(),
        };
        Ok(find_gaps(whole, asked.collect()))
    }
}
