//! `cxr backfill cancel`: begins no more windows.

use std::fmt;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::progress::{BackfillProgress, read_progress};
use super::{BackfillArg, BackfillPlace};
use crate::backfill::BackfillStatus;
use crate::error::CommandError;
use crate::output::Output;

/// Stop a backfill: it begins no more windows. Those that run end by themselves, and the same cxr backfill takes up the rest.
#[derive(Debug, Args)]
pub(super) struct CancelBackfillArgs {
    #[command(flatten)]
    pub(super) backfill: BackfillArg,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct CancelledBackfill {
    /// Whether it had ended before.
    has_ended: bool,
    #[serde(flatten)]
    progress: BackfillProgress,
}

impl CancelBackfillArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        place: &BackfillPlace<'_>,
    ) -> Result<u8, CommandError> {
        let id = &self.backfill.id;
        let before = place.backfills.describe(id).await?;
        place.backfills.stop(id, "cxr backfill cancel").await?;
        let cancelled = CancelledBackfill {
            has_ended: before.status != BackfillStatus::Running,
            progress: read_progress(place, id, place.now).await?,
        };
        output.print(&cancelled)?;
        Ok(0)
    }
}

impl fmt::Display for CancelledBackfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_ended {
            writeln!(f, "it had ended before")?;
        } else if self.progress.running.is_empty() {
            writeln!(f, "cancelled; no window of it runs")?;
        } else {
            writeln!(f, "cancelled; what runs ends by itself")?;
        }
        write!(f, "{}", self.progress)
    }
}
