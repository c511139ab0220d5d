//! `cxr backfill show`: how far a backfill came.

use clap::Args;

use super::progress::read_progress;
use super::{BackfillArg, BackfillPlace};
use crate::error::CommandError;
use crate::output::Output;

/// Show how far a backfill came: what is committed, what runs, what failed and why, and what is left. Ends with 5 where it has ended
/// and not every window is there.
#[derive(Debug, Args)]
pub(super) struct ShowBackfillArgs {
    #[command(flatten)]
    pub(super) backfill: BackfillArg,
}

impl ShowBackfillArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        place: &BackfillPlace<'_>,
    ) -> Result<u8, CommandError> {
        let progress = read_progress(place, &self.backfill.id, place.now).await?;
        output.print(&progress)?;
        Ok(progress.exit_code())
    }
}
