//! Reads the logs of reports, and nothing that is stored of windows that are not committed.

use definition::{Definition, Window};
use delivery::keys::ReportKeys;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::find::{definition_of, find_foreign_window};
use super::{READ_AT_ONCE, Survey, find_position, names_of};
use crate::address::{ReportNames, WindowsAsked, find_windows};
use crate::error::CommandError;
use crate::state::KnownReport;

/// A report and its log.
pub(crate) struct LoggedReport {
    /// What it is called on the command line.
    pub(crate) address: String,
    pub(crate) known: KnownReport,
    all: Vec<ReportNames>,
}

impl LoggedReport {
    /// The definition that was asked with last.
    pub(crate) fn definition(&self) -> Result<&Definition, CommandError> {
        definition_of(&self.known, &self.all)
    }

    /// The windows that a text means. `missing` and `failed` name none, because nothing was delivered of those.
    pub(crate) fn find_windows(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Vec<Window>, CommandError> {
        let definition = self.definition()?;
        let foreign = find_foreign_window(text, definition, now);
        if let Some(window) = foreign.filter(|window| self.known.has_commit_of(*window)) {
            return Ok(vec![window]);
        }
        match find_windows(text, definition, now)? {
            WindowsAsked::Windows(windows) => Ok(windows),
            WindowsAsked::Missing | WindowsAsked::Failed => Err(CommandError::Window {
                text: text.to_owned(),
                reason: "nothing was delivered of these windows".to_owned(),
            }),
        }
    }
}

impl Survey {
    /// The report that a text means, with its log.
    pub(crate) async fn find_log(&self, report: &str) -> Result<LoggedReport, CommandError> {
        let (all, mut folders) = self.list_reports().await?;
        let keys = folders.swap_remove(find_position(report, &all)?);
        self.read_logged(keys, &all).await
    }

    /// All reports with their logs.
    pub(crate) async fn read_logs(&self) -> Result<Vec<LoggedReport>, CommandError> {
        let (all, folders) = self.list_reports().await?;
        futures_util::stream::iter(folders)
            .map(|keys| self.read_logged(keys, &all))
            .buffered(READ_AT_ONCE)
            .try_collect()
            .await
    }

    async fn read_logged(
        &self,
        keys: ReportKeys,
        all: &[ReportNames],
    ) -> Result<LoggedReport, CommandError> {
        let mut cache = self.bucket.open_cache(keys.root());
        let address = names_of(&keys).address(all);
        let mut known = self.read_log(keys, &mut cache).await?;
        self.read_definition(&mut known, &mut cache).await?;
        cache.save();
        Ok(LoggedReport {
            address,
            known,
            all: all.to_vec(),
        })
    }
}
