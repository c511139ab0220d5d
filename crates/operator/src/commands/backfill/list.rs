//! `cxr backfill list`: the backfills that there are.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::BackfillPlace;
use crate::backfill::{BackfillRun, BackfillStatus};
use crate::error::CommandError;
use crate::layout::{Align, lay_out};
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::state::minute;

/// List the newest backfills of the last 90 days.
#[derive(Debug, Args)]
pub(super) struct ListBackfillsArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::commands) struct BackfillList {
    backfills: Vec<ListedBackfill>,
    #[serde(skip)]
    width: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListedBackfill {
    id: String,
    tenant: String,
    report: String,
    windows: usize,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    status: BackfillStatus,
}

impl ListBackfillsArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        place: &BackfillPlace<'_>,
    ) -> Result<u8, CommandError> {
        let runs = place.backfills.list(place.now).await?;
        output.print(&BackfillList {
            backfills: runs.iter().map(ListedBackfill::new).collect(),
            width: output.width(),
        })?;
        Ok(0)
    }
}

impl ListedBackfill {
    fn new(run: &BackfillRun) -> Self {
        Self {
            id: run.input.id.clone(),
            tenant: run.input.tenant.clone(),
            report: run.input.report.clone(),
            windows: run.input.windows().len(),
            started_at: run.started_at,
            stopped_at: run.stopped_at,
            status: run.status,
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            format!("{} / {}", self.tenant, self.report),
            self.windows.to_string(),
            minute(self.started_at),
            self.status.as_str().to_owned(),
        ]
    }
}

impl fmt::Display for BackfillList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backfills.is_empty() {
            return writeln!(f, "no backfill in the last 90 days");
        }
        let heading = ["BACKFILL", "REPORT", "WINDOWS", "STARTED", "STATE"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        rows.extend(self.backfills.iter().map(ListedBackfill::cells));
        let align = [
            Align::Left,
            Align::Left,
            Align::Right,
            Align::Left,
            Align::Left,
        ];
        for line in lay_out(&rows, &align, &[3, 2], self.width) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
