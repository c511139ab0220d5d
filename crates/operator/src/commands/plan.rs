//! `cxr plan`: what an execution of a definition would do, without a network.

use std::fmt;

use clap::Args;
use definition::{Api, Definition, Window};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::definition_file::CatalogueArg;
use crate::error::CommandError;
use crate::grid::describe_nearest;
use crate::output::Output;
use crate::target::{Target, WindowChoice};

/// Print what a definition would do (no network).
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    catalogue: CatalogueArg,
}

impl PlanArgs {
    pub(super) fn run(self, output: &mut Output<'_>, now: Timestamp) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let (file, choice) = self.target.read(&catalogue, now)?;
        output.print(&ExecutionPlan::new(&file.definition, choice)?)?;
        Ok(0)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionPlan {
    tenant: String,
    report: String,
    window: Window,
    hours: i64,
    /// The report's own windows at its beginning and end; none if it is one of them.
    nearest: Option<String>,
    settled_at: Timestamp,
    /// How long an execution that starts at the scheduled time waits until the window is final.
    waits_minutes: i64,
    schedule: String,
    columns: Vec<String>,
    key: Vec<String>,
    stored_as: String,
    max_runs: u32,
    smallest_window: Option<String>,
    fallback_drops: Vec<String>,
    definition_hash: String,
    /// The body of the request that registers the schedule at CXone; only the guide's API has one.
    #[schemars(with = "Option<serde_json::Value>")]
    registered: Option<Box<RawValue>>,
}

impl ExecutionPlan {
    fn new(definition: &Definition, choice: WindowChoice) -> Result<Self, CommandError> {
        let window = choice.window_of(definition)?;
        let settled_at = definition.settled_at(&window);
        let waits = match choice {
            WindowChoice::ScheduledAt(at) => settled_at.duration_since(at).as_mins().max(0),
            WindowChoice::Window(_) => 0,
        };
        let pipeline = &definition.pipeline;
        let registered = (pipeline.api == Api::Analytics).then(|| {
            let text = String::from_utf8_lossy(&definition.registered_body()).into_owned();
            RawValue::from_string(text).unwrap_or_default()
        });
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        Ok(Self {
            tenant: pipeline.tenant.to_string(),
            report: definition.name.to_string(),
            window,
            hours: window.duration().as_hours(),
            nearest: describe_nearest(definition, window),
            settled_at,
            waits_minutes: waits,
            schedule: format!(
                "{} at {} UTC",
                definition.schedule.recurrence, definition.schedule.time
            ),
            columns: owned(definition.columns()),
            key: owned(definition.key_columns()),
            stored_as: format!("{}, compression {}", pipeline.format, pipeline.compression),
            max_runs: pipeline.max_runs,
            smallest_window: pipeline
                .narrow
                .as_ref()
                .map(|narrow| narrow.smallest_window.to_string()),
            fallback_drops: pipeline
                .fallback
                .as_ref()
                .map(|fallback| fallback.drop.clone())
                .unwrap_or_default(),
            definition_hash: definition.hash(),
            registered,
        })
    }
}

impl fmt::Display for ExecutionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "report      {} (tenant {})", self.report, self.tenant)?;
        writeln!(f, "window      {} ({} h)", self.window, self.hours)?;
        if let Some(nearest) = &self.nearest {
            writeln!(
                f,
                "            none of the report's own: nearest are {nearest}"
            )?;
        }
        write!(f, "final       {}", self.settled_at)?;
        match self.waits_minutes {
            0 => writeln!(f)?,
            minutes => writeln!(f, ", so that the execution waits {minutes} min")?,
        }
        writeln!(f, "schedule    {}", self.schedule)?;
        if self.columns.is_empty() {
            writeln!(f, "columns     all that CXone sends")?;
        } else {
            writeln!(f, "columns     {}", self.columns.join(", "))?;
        }
        writeln!(f, "key         {}", self.key.join(", "))?;
        writeln!(f, "stored as   {}", self.stored_as)?;
        writeln!(f, "runs        at most {} a segment", self.max_runs)?;
        if let Some(smallest) = &self.smallest_window {
            writeln!(f, "narrowed    into halves down to {smallest}")?;
        }
        if !self.fallback_drops.is_empty() {
            writeln!(f, "fallback    without {}", self.fallback_drops.join(", "))?;
        }
        writeln!(f, "definition  sha256 {}", self.definition_hash)?;
        match &self.registered {
            Some(registered) => writeln!(f, "registered  {registered}"),
            None => Ok(()),
        }
    }
}
