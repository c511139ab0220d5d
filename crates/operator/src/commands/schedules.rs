//! `cxr schedules`: writes the schedules and alarms that follow from the definitions into the SAM template.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use definition::Catalogue;
use jiff::Timestamp;
use serde::Serialize;

use crate::definition_check::check_files;
use crate::definition_file;
use crate::error::CommandError;
use crate::output::{Output, count_of};
use crate::template::{ScheduledReport, Template, plan_schedules, render};

/// Write the schedules and alarms of all definitions into the SAM template (no network).
#[derive(Debug, Args)]
pub(super) struct SchedulesArgs {
    /// The folder of the definitions.
    reports: PathBuf,
    /// The template, in which the text between the two marker lines is replaced.
    template: PathBuf,
    /// Write nothing; fail if the template is out of date.
    #[arg(long)]
    check: bool,
}

impl SchedulesArgs {
    /// Writes nothing if a definition has an error.
    pub(super) fn run(self, output: &mut Output<'_>, now: Timestamp) -> Result<u8, CommandError> {
        let folder = [self.reports.clone()];
        let verdict = check_files(&folder, Catalogue::builtin())?;
        if !verdict.passes(false) {
            output.print(&verdict)?;
            return Ok(1);
        }
        let files = definition_file::expand_folders(&folder)?;
        let reports: Vec<ScheduledReport> = files
            .iter()
            .map(|file| ScheduledReport::read(file))
            .collect::<Result<_, _>>()?;
        let outcome = self.update_template(&reports, now)?;
        output.print(&outcome)?;
        Ok(outcome.exit_code())
    }

    fn update_template(
        self,
        reports: &[ScheduledReport],
        now: Timestamp,
    ) -> Result<TemplateOutcome, CommandError> {
        let planned = plan_schedules(reports)?;
        let (passed, coming): (Vec<_>, Vec<_>) = planned
            .iter()
            .partition(|schedule| schedule.passed(now).is_some());
        let block = render(reports, &coming)?;
        let template = Template::read(&self.template)?;
        // A template does not become wrong by the time that passes: what it deployed may stay.
        let is_of_before =
            self.check && template.block() == render(reports, &planned.iter().collect::<Vec<_>>())?;
        let out_of_date = template.block() != block && !is_of_before;
        let written = out_of_date && !self.check;
        if written {
            std::fs::write(&self.template, template.with_block(&block))?;
        }
        Ok(TemplateOutcome {
            differing: template.differing_resources(&block),
            template: self.template,
            reports: reports.len(),
            warnings: passed
                .iter()
                .filter_map(|it| Some(it.describe_passed(it.passed(now)?)))
                .collect(),
            out_of_date,
            written,
        })
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct TemplateOutcome {
    template: PathBuf,
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
        let names = self.differing.join(", ");
        if self.written {
            return writeln!(f, "{template} has {reports} now; changed: {names}");
        }
        writeln!(
            f,
            "{template} is out of date: {names}; run: cxr schedules REPORTS {template}"
        )
    }
}
