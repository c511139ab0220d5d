//! `cxr schedules`: writes the template of the schedules that follow from the definitions, or of those that load the reports into a
//! warehouse.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::{Catalogue, Warehouse};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ddl::warehouse_parser;
use crate::definition_check::check_files;
use crate::definition_file;
use crate::error::CommandError;
use crate::output::{Output, count_of};
use crate::template::{
    PlannedSchedule, ScheduledReport, TemplateKind, check_size, differing_resources,
    plan_schedules, read_template, render, render_loads, resources_of,
};

/// The warehouses that a state machine loads.
const LOADED: &[Warehouse] = &[Warehouse::Redshift];

/// Write the template of the schedules of all definitions (no network).
#[derive(Debug, Args)]
pub(super) struct SchedulesArgs {
    /// The folder of the definitions.
    reports: PathBuf,
    /// The file to write, infra/reports.template.json; without it the template is printed.
    template: Option<PathBuf>,
    /// Write nothing; fail if the template is out of date.
    #[arg(long, requires = "template")]
    check: bool,
    /// Write the schedules that load the reports into this warehouse instead: infra/redshift/loads.template.json.
    #[arg(long, value_name = "WAREHOUSE", value_parser = warehouse_parser(LOADED))]
    load: Option<Warehouse>,
}

/// A template for a moment, and what gets no schedule any more.
struct Rendered {
    template: String,
    /// The template together with those schedules of an older one whose times have passed since it was written.
    aged: String,
    warnings: Vec<String>,
}

impl SchedulesArgs {
    /// Writes nothing if a definition has an error.
    pub(super) fn run(self, output: &mut Output<'_>, now: Timestamp) -> Result<u8, CommandError> {
        // The folder may be empty: somebody else makes the schedules then.
        let files = definition_file::list_folder(&self.reports)?;
        let verdict = check_files(&files, Catalogue::builtin())?;
        if !verdict.passes(false) {
            output.set_kind("check");
            output.print(&verdict)?;
            return Ok(1);
        }
        let reports: Vec<ScheduledReport> = files
            .iter()
            .map(|file| ScheduledReport::read(file))
            .collect::<Result<_, _>>()?;
        let kind = match self.load {
            None => TemplateKind::Reports,
            Some(_) => TemplateKind::RedshiftLoads,
        };
        let Some(path) = self.template else {
            output.print_text(&render_at(kind, &reports, now, "")?.template)?;
            return Ok(0);
        };
        let old = read_template(&path, kind)?;
        let rendered = render_at(kind, &reports, now, &old)?;
        check_size(&rendered.template, &path)?;
        let outcome = update_template(path, &old, self.check, (kind, reports.len()), rendered)?;
        output.print(&outcome)?;
        Ok(outcome.exit_code())
    }
}

fn render_at(
    kind: TemplateKind,
    reports: &[ScheduledReport],
    now: Timestamp,
    old: &str,
) -> Result<Rendered, CommandError> {
    if kind == TemplateKind::RedshiftLoads {
        let template = render_loads(reports)?;
        return Ok(Rendered {
            aged: template.clone(),
            template,
            warnings: Vec::new(),
        });
    }
    let planned = plan_schedules(reports)?;
    let old = resources_of(old);
    let coming = |it: &&PlannedSchedule<'_>| it.passed(now).is_none();
    let kept = |it: &&PlannedSchedule<'_>| coming(it) || it.is_among(&old);
    Ok(Rendered {
        template: render(&planned.iter().filter(coming).collect::<Vec<_>>())?,
        aged: render(&planned.iter().filter(kept).collect::<Vec<_>>())?,
        warnings: planned
            .iter()
            .filter_map(|it| it.describe_passed(it.passed(now)?))
            .collect(),
    })
}

fn update_template(
    path: PathBuf,
    old: &str,
    check: bool,
    (kind, reports): (TemplateKind, usize),
    rendered: Rendered,
) -> Result<TemplateOutcome, CommandError> {
    // A template does not become wrong by the time that passes: what it deployed may stay.
    let out_of_date = old != rendered.template && !(check && old == rendered.aged);
    let written = out_of_date && !check;
    if written {
        std::fs::write(&path, &rendered.template)?;
    }
    Ok(TemplateOutcome {
        differing: differing_resources(old, &rendered.template),
        template: path,
        remedy: kind.arguments(),
        reports,
        warnings: rendered.warnings,
        out_of_date,
        written,
    })
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct TemplateOutcome {
    template: PathBuf,
    /// What is typed behind `cxr schedules` to make it.
    #[serde(skip)]
    remedy: &'static str,
    reports: usize,
    /// What gets no schedule, and why.
    warnings: Vec<String>,
    /// The resources that are missing, superfluous or different.
    differing: Vec<String>,
    out_of_date: bool,
    written: bool,
}

impl TemplateOutcome {
    /// 1 for a template that is out of date and stays so.
    fn exit_code(&self) -> u8 {
        u8::from(self.out_of_date && !self.written)
    }
}

impl fmt::Display for TemplateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        let template = self.template.display();
        let reports = count_of(self.reports, "report");
        if !self.out_of_date {
            return writeln!(f, "{template} is up to date: {reports}");
        }
        let names = match self.differing.join(", ") {
            names if names.is_empty() => "its form".to_owned(),
            names => names,
        };
        if self.written {
            return writeln!(f, "{template} has {reports} now; changed: {names}");
        }
        writeln!(
            f,
            "{template} is out of date: {names}; run: cxr schedules {} {template}",
            self.remedy
        )
    }
}
