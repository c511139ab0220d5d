//! `cxr drift`: whether what is scheduled is what the files say.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::list_differences;
use definition::text::quote;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::NOT_WELL;
use crate::definition_file;
use crate::error::CommandError;
use crate::output::{Output, count_of};
use crate::scheduler::{ScheduleGroup, StoredSchedule};
use crate::template::{PlannedSchedule, ScheduledReport, make_event, plan_schedules};

/// `GetSchedule` allows more calls a second than these can make.
const READ_AT_ONCE: usize = 8;

/// Compare the definitions of a folder with the schedules that are deployed.
///
/// A schedule holds the definition that it was deployed with, so that a file which was changed and not deployed changes nothing.
/// A difference is named by where it is in the definition, with what is scheduled and what the file says. Nothing is written, and
/// what is registered at CXone is not looked at.
#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    /// The folder of the definitions, such as infra/reports.
    folder: PathBuf,
    /// Exit code 5 if anything differs.
    #[arg(long)]
    check: bool,
}

impl DriftArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        group: &ScheduleGroup,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let files = definition_file::list_folder(&self.folder)?;
        let reports = files.iter().map(|file| ScheduledReport::read(file));
        let reports: Vec<ScheduledReport> = reports.collect::<Result<_, _>>()?;
        let mut planned = plan_schedules(&reports)?;
        planned.retain(|schedule| schedule.passed(now).is_none());
        let drift = compare_schedules(group, &planned).await?;
        output.print(&drift)?;
        let differs = self.check && !drift.differing.is_empty();
        Ok(if differs { NOT_WELL } else { 0 })
    }
}

async fn compare_schedules(
    group: &ScheduleGroup,
    planned: &[PlannedSchedule<'_>],
) -> Result<Drift, CommandError> {
    let stored = group.list().await?;
    let compared = stream::iter(planned).map(|schedule| {
        let name = group.name_schedule(&schedule.name);
        let is_stored = stored.iter().any(|it| it.name == name);
        compare_schedule(group, schedule, name, is_stored)
    });
    let compared: Vec<Option<Differing>> = compared.buffered(READ_AT_ONCE).try_collect().await?;
    let of_file = |name: &String| {
        planned
            .iter()
            .any(|it| group.name_schedule(&it.name) == *name)
    };
    let others = stored
        .iter()
        .map(|it| &it.name)
        .filter(|name| !of_file(name));
    let others = others.map(|name| Differing::new(name.clone(), DriftKind::NoFile));
    let mut differing: Vec<Differing> = compared.into_iter().flatten().chain(others).collect();
    differing.sort_by(|a, b| a.schedule.cmp(&b.schedule));
    Ok(Drift {
        schedules: stored.len(),
        differing,
    })
}

async fn compare_schedule(
    group: &ScheduleGroup,
    schedule: &PlannedSchedule<'_>,
    name: String,
    is_stored: bool,
) -> Result<Option<Differing>, CommandError> {
    if !is_stored {
        return Ok(Some(Differing::new(name, DriftKind::NotScheduled)));
    }
    let fields = compare_fields(&group.read(&name).await?, schedule);
    Ok((!fields.is_empty()).then(|| Differing {
        fields,
        ..Differing::new(name, DriftKind::Changed)
    }))
}

fn compare_fields(stored: &StoredSchedule, schedule: &PlannedSchedule<'_>) -> Vec<DriftField> {
    let mut fields = Vec::new();
    let expression = schedule.timing.expression();
    if stored.expression != expression {
        fields.push(DriftField {
            pointer: "ScheduleExpression".to_owned(),
            scheduled: quote(&stored.expression),
            file: quote(&expression),
        });
    }
    // What is no event has nothing of what the file says.
    let input: Value = serde_json::from_str(&stored.input).unwrap_or_default();
    let event = serde_json::to_value(make_event(schedule)).unwrap_or_default();
    for pointer in list_differences(&input["detail"], &event["detail"]) {
        let [scheduled, file] = [&input, &event].map(|it| describe_at(&it["detail"], &pointer));
        let of_definition = pointer.strip_prefix("/definition").map(str::to_owned);
        let pointer = of_definition
            .filter(|rest| !rest.is_empty())
            .unwrap_or(pointer);
        fields.push(DriftField {
            pointer,
            scheduled,
            file,
        });
    }
    fields
}

/// What stands there, cut short.
fn describe_at(detail: &Value, pointer: &str) -> String {
    match detail.pointer(if pointer == "/" { "" } else { pointer }) {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => quote(text),
        Some(value) => quote(&value.to_string()),
    }
}

/// What differs between files and schedules.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Drift {
    /// How many schedules the deployment has.
    schedules: usize,
    differing: Vec<Differing>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Differing {
    schedule: String,
    how: DriftKind,
    /// Where they differ, if both are there.
    fields: Vec<DriftField>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum DriftKind {
    /// The schedule was deployed with another file.
    Changed,
    /// A file asks for it, and it is not there.
    NotScheduled,
    /// It is there, and no file asks for it.
    NoFile,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DriftField {
    /// A JSON pointer into the definition, or the field of the schedule.
    pointer: String,
    scheduled: String,
    file: String,
}

impl Differing {
    fn new(schedule: String, how: DriftKind) -> Self {
        Self {
            schedule,
            how,
            fields: Vec::new(),
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for differing in &self.differing {
            let how = match differing.how {
                DriftKind::Changed => "was deployed with another file",
                DriftKind::NotScheduled => "is in the files, and not deployed",
                DriftKind::NoFile => "is deployed, and no file asks for it",
            };
            writeln!(f, "{}  {how}", differing.schedule)?;
            for field in &differing.fields {
                let (pointer, scheduled, file) = (&field.pointer, &field.scheduled, &field.file);
                writeln!(
                    f,
                    "    {pointer}: {scheduled} is deployed, the file says {file}"
                )?;
            }
        }
        let schedules = count_of(self.schedules, "schedule");
        match self.differing.len() {
            0 => writeln!(f, "{schedules}, all as in the files"),
            differing => writeln!(
                f,
                "{schedules} deployed, {differing} not as in the files; cxr schedules writes the template to deploy"
            ),
        }
    }
}
