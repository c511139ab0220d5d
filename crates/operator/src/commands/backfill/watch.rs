//! `cxr backfill watch`: stays until a backfill has ended.

use clap::Args;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::progress::read_progress;
use super::{BackfillArg, BackfillPlace};
use crate::error::CommandError;
use crate::output::Output;

/// Stay until a backfill has ended, and tell each change. Ctrl-C ends the watching and not the backfill. Ends with 5 where not every
/// window is there in the end.
#[derive(Debug, Args)]
pub(super) struct WatchBackfillArgs {
    #[command(flatten)]
    pub(super) backfill: BackfillArg,
}

impl WatchBackfillArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        place: &BackfillPlace<'_>,
    ) -> Result<u8, CommandError> {
        watch(output, place, &self.backfill.id).await
    }
}

/// Tells how far a backfill is, whenever that changes, until it ends. AWS not answering is no reason to give up.
#[expect(
    clippy::disallowed_methods,
    reason = "a person waits for work that takes hours, and a look costs calls that others need too"
)]
pub(super) async fn watch(
    output: &mut Output<'_>,
    place: &BackfillPlace<'_>,
    id: &str,
) -> Result<u8, CommandError> {
    let (begun, mut told) = (Instant::now(), None);
    loop {
        let elapsed = SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
        match read_progress(place, id, place.now + elapsed).await {
            Ok(progress) if !progress.is_running() => {
                output.print(&progress)?;
                return Ok(progress.exit_code());
            }
            Ok(progress) => {
                let counts = (
                    progress.committed,
                    progress.running.len(),
                    progress.left,
                    progress.waits_until,
                );
                if told != Some(counts) {
                    output.tell(&progress.summarize())?;
                    told = Some(counts);
                }
            }
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(place.executions.pause() * 30).await;
    }
}
