//! What the handlers return, as far as a history is read for it.

use definition::{Window, text};
use delivery::Ended;
use jiff::Timestamp;
use serde::Deserialize;

use crate::output::count_rows;

/// Said of an execution to which Trigger gave a run.
pub(super) const AT_RUN: &str = "works on a run";

/// The fields of all handlers' outputs. Unknown and missing fields are no error, because another
/// version of the handlers may have written the history.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct HandlerOutput {
    pub(super) generation: Option<u32>,
    pub(super) next: Option<String>,
    pub(super) until: Option<Timestamp>,
    pub(super) stalled_since: Option<Timestamp>,
    pub(super) work: Option<WorkOutput>,
    pub(super) state: Option<String>,
    pub(super) cancelled: bool,
    pub(super) page_count: Option<u64>,
    pub(super) row_count: Option<u64>,
    pub(super) ended: Option<Ended>,
    pub(super) outcome: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) rows: Option<u64>,
    pub(super) duplicates: Option<u64>,
    pub(super) replaced: Option<u64>,
    pub(super) unchanged: bool,
    pub(super) withdrawn: bool,
    /// What is worth knowing about a window for which there is nothing to do.
    pub(super) note: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) continued_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkOutput {
    pub(super) window: Window,
    #[serde(default)]
    pub(super) generation: Option<u32>,
    #[serde(flatten)]
    pub(super) run: Option<WorkRun>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkRun {
    pub(super) segment: String,
    pub(super) run: u32,
    pub(super) run_id: String,
    pub(super) triggered_at: Timestamp,
}

impl HandlerOutput {
    /// What the output says about the result, in words; `None` if it says nothing about it.
    pub(super) fn describe_outcome(&self) -> Option<String> {
        let version = self.version.unwrap_or_default();
        if let Some(execution) = &self.continued_by {
            return Some(format!("continued by {execution}"));
        }
        let outcome = match (self.outcome.as_deref(), self.next.as_deref()) {
            (Some("committed" | "delivered"), _) => self.describe_commit(version),
            (None, Some("delivered")) if version == 0 => "nothing to do".to_owned(),
            (None, Some("delivered")) => format!(
                "nothing to do: delivered before as version {version}, {}",
                count_rows(self.rows.unwrap_or_default())
            ),
            (Some("superseded"), _) | (None, Some("superseded")) => match self.note {
                None => {
                    format!("nothing to do: a newer generation was delivered as version {version}")
                }
                Some(_) => format!("nothing to do: superseded by version {version}"),
            },
            (None, Some("not_before")) => self.describe_wait()?,
            (None, Some("run")) => AT_RUN.to_owned(),
            (None, Some("nothing")) => "nothing to do any more".to_owned(),
            _ => return None,
        };
        Some(match &self.note {
            Some(note) => format!("{outcome}; {note}"),
            None => outcome,
        })
    }

    /// Whether nothing was ever delivered of the window that was to be withdrawn.
    pub(super) fn is_about_nothing(&self) -> bool {
        self.next.as_deref() == Some("delivered") && self.version == Some(0)
    }

    fn describe_commit(&self, version: u64) -> String {
        if self.withdrawn {
            return format!("withdrawn as version {version}: the window has no rows now");
        }
        let rows = count_rows(self.rows.unwrap_or_default());
        let mut parts = vec![format!("delivered as version {version}: {rows}")];
        if let Some(duplicates @ 1..) = self.duplicates {
            parts.push(format!(
                "{} dropped",
                text::count_of(duplicates, "duplicate")
            ));
        }
        if let Some(replaced @ 1..) = self.replaced {
            let later = if replaced == 1 {
                "a later one"
            } else {
                "later ones"
            };
            let rows = count_rows(replaced);
            parts.push(format!("{rows} given up for {later} with the same key"));
        }
        if self.unchanged {
            parts.push("the same as before".to_owned());
        }
        parts.join(", ")
    }

    fn describe_wait(&self) -> Option<String> {
        let until = self.until?;
        Some(match self.stalled_since {
            Some(since) => {
                format!("waits until {until}: the tenant asks for pauses since {since}")
            }
            None => format!("waits until {until} for the window to be final"),
        })
    }
}
