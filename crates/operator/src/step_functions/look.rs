//! One look at an execution under way: what happened in it since the look before.

use aws_sdk_sfn::types::HistoryEvent;

use super::{Executions, entry};
use crate::aws_error;
use crate::error::CommandError;
use crate::history::HistoryEntry;

/// So many events are read at the first look, which has to find out how far the execution came.
const FIRST_EVENTS: i32 = 1_000;

/// So many are read at each further look. What is older by then is not told.
const NEW_EVENTS: i32 = 100;

/// What happened since an event.
pub(crate) struct Look {
    /// The entries of the history, the oldest first.
    pub(crate) entries: Vec<HistoryEntry>,
    /// The number of the last event.
    pub(crate) last_event: i64,
    /// Whether the execution has ended.
    pub(crate) has_ended: bool,
}

impl Executions {
    /// Reads what an execution did after the event of this number, with one call. 0 is before the first event.
    pub(crate) async fn look(&self, execution: &str, after: i64) -> Result<Look, CommandError> {
        let arn = self.machine.execution_arn(execution);
        let events = if after == 0 { FIRST_EVENTS } else { NEW_EVENTS };
        let page = self
            .client
            .get_execution_history()
            .execution_arn(&arn)
            .reverse_order(true)
            .max_results(events)
            .send()
            .await
            .map_err(|error| aws_error::from_sdk("GetExecutionHistory", &arn, &error))?;
        let last = page.events.first();
        let (last_event, has_ended) = last.map_or((after, false), |it| (it.id, is_end(it)));
        let events = page.events.into_iter().rev();
        let new = events.filter(|event| event.id > after);
        Ok(Look {
            entries: new.filter_map(entry::from_event).collect(),
            last_event,
            has_ended,
        })
    }
}

fn is_end(event: &HistoryEvent) -> bool {
    event.execution_succeeded_event_details.is_some()
        || event.execution_failed_event_details.is_some()
        || event.execution_aborted_event_details.is_some()
        || event.execution_timed_out_event_details.is_some()
}
