//! `cxr show`: what is known of a window, or of an execution.

mod execution;
mod window;

pub(super) use execution::Explanation;
pub(super) use window::ShownWindows;

use clap::Args;
use jiff::Timestamp;

use crate::account::Deployment;
use crate::address::is_window;
use crate::error::CommandError;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::survey::Survey;

/// Show a window of a report, or an execution: what happened, why, and what to do about it.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A report, by name or the beginning of one; or an execution, by name or ARN.
    #[arg(value_name = "REPORT|EXECUTION")]
    what: String,
    /// The window of the report: a day, yesterday, or what cxr status calls it.
    #[arg(value_name = "WINDOW")]
    window: Option<String>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl ShowArgs {
    /// Whether it is about a window, for which the bucket is read.
    pub(super) fn is_about_window(&self) -> bool {
        self.window.is_some()
    }

    pub(super) async fn run_for_window(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        output.set_kind("windows");
        let windows = self.window.unwrap_or_default();
        window::show_windows(output, survey, &self.what, &windows, now).await
    }

    pub(super) async fn run_for_execution(
        self,
        output: &mut Output<'_>,
        deployment: &Deployment,
    ) -> Result<u8, CommandError> {
        refuse_what_is_no_execution(&self.what)?;
        execution::show_execution(output, deployment, &self.place, &self.what).await
    }
}

/// Says what is meant by what can't be an execution.
fn refuse_what_is_no_execution(text: &str) -> Result<(), CommandError> {
    let hint = if text.trim().is_empty() {
        "write cxr show REPORT DAY, or cxr show EXECUTION"
    } else if is_window(text) {
        "write the report before the day: cxr show REPORT DAY; cxr status shows the reports"
    } else {
        return Ok(());
    };
    Err(CommandError::NotAnExecution {
        text: text.to_owned(),
        hint: hint.to_owned(),
    })
}
