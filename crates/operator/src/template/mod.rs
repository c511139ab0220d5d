//! The generated templates: the schedules of all reports, which the stack nests, and those of their loads into a warehouse, which the
//! stack of the loads nests.

mod loads;
mod render;
mod report;
mod schedule;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use crate::definition_file;
use crate::error::CommandError;

pub(crate) use loads::render_loads;
pub(crate) use render::{make_event, render};
pub(crate) use report::ScheduledReport;
pub(crate) use schedule::{PlannedSchedule, plan_schedules};

/// The most that `CloudFormation` accepts in one template.
const MAX_BYTES: usize = 1_000_000;
const MAX_RESOURCES: usize = 500;

/// What a generated template is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateKind {
    /// To deliver reports.
    Reports,
    /// To load them into Redshift.
    RedshiftLoads,
}

impl TemplateKind {
    /// What is typed behind `cxr schedules` to make one.
    pub(crate) fn arguments(self) -> &'static str {
        match self {
            Self::Reports => "REPORTS",
            Self::RedshiftLoads => "--load redshift REPORTS",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Reports => render::DESCRIPTION,
            Self::RedshiftLoads => loads::DESCRIPTION,
        }
    }
}

/// Reads what was generated before: nothing, if there is no such file yet.
pub(crate) fn read_template(path: &Path, kind: TemplateKind) -> Result<String, CommandError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        read => read.map_err(|error| definition_file::unreadable(path, error))?,
    };
    let template = serde_json::from_str::<Value>(&text).unwrap_or_default();
    if template["Description"] != kind.description() {
        return Err(CommandError::Template {
            file: path.to_owned(),
            reason: format!(
                "it was not made by cxr schedules {}, and would be overwritten",
                kind.arguments()
            ),
        });
    }
    Ok(text)
}

/// Fails if `CloudFormation` would refuse the template because of its size.
pub(crate) fn check_size(template: &str, path: &Path) -> Result<(), CommandError> {
    let resources = resources_of(template).len();
    if template.len() <= MAX_BYTES && resources <= MAX_RESOURCES {
        return Ok(());
    }
    Err(CommandError::Template {
        file: path.to_owned(),
        reason: format!(
            "it would have {resources} resources and {} bytes, and CloudFormation takes {MAX_RESOURCES} and {MAX_BYTES} at most; put some reports into the folder of a second stack",
            template.len()
        ),
    })
}

/// The resources that are missing, superfluous or different in the second of two templates.
pub(crate) fn differing_resources(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (resources_of(old), resources_of(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |name: &&String| old.get(*name) != new.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}

/// The resources of a template by name; none, if there is no template yet.
pub(crate) fn resources_of(template: &str) -> Map<String, Value> {
    let mut template: Value = serde_json::from_str(template).unwrap_or_default();
    match template.get_mut("Resources").map(Value::take) {
        Some(Value::Object(resources)) => resources,
        _ => Map::new(),
    }
}
