//! What the handlers return, as far as a history is read for it.

use definition::Window;
use delivery::Ended;
use jiff::Timestamp;
use serde::Deserialize;

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
    pub(super) page_count: Option<u64>,
    pub(super) row_count: Option<u64>,
    pub(super) ended: Option<Ended>,
    pub(super) outcome: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) rows: Option<u64>,
    pub(super) duplicates: Option<u64>,
    pub(super) unchanged: bool,
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
        match (self.outcome.as_deref(), self.next.as_deref()) {
            (Some("committed" | "delivered"), _) => {
                let rows = self.rows.unwrap_or_default();
                let mut parts = vec![format!("delivered as version {version}: {rows} rows")];
                if let Some(duplicates @ 1..) = self.duplicates {
                    parts.push(format!("{duplicates} duplicates dropped"));
                }
                if self.unchanged {
                    parts.push("the same as before".to_owned());
                }
                Some(parts.join(", "))
            }
            (None, Some("delivered")) => Some(format!(
                "nothing to do: delivered before as version {version}, {} rows",
                self.rows.unwrap_or_default()
            )),
            (Some("superseded"), _) | (None, Some("superseded")) => Some(format!(
                "nothing to do: a newer generation was delivered as version {version}"
            )),
            (None, Some("not_before")) => {
                let until = self.until?;
                Some(match self.stalled_since {
                    Some(since) => {
                        format!("waits until {until}: the tenant asks for pauses since {since}")
                    }
                    None => format!("waits until {until} for the window to be final"),
                })
            }
            (None, Some("run")) => Some("works on a run".to_owned()),
            _ => None,
        }
    }
}
