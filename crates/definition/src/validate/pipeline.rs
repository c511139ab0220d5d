//! The `pipeline` block, which is ours.

use crate::api::{RawReport, Report};
use crate::enums::{Compression, OnConflict, OutputFormat};
use crate::finding_code::FindingCode;
use crate::ids::TenantId;
use crate::pipeline::{CsvOptions, Pipeline, TableOptions};
use crate::raw::{RawDefinition, RawPipeline, RawTable};
use crate::schedule::Schedule;
use crate::validator::Validator;

use super::key::are_known;

const AT: &str = "/pipeline";

impl Validator<'_> {
    pub(super) fn check_pipeline(
        &mut self,
        raw: &RawDefinition,
        report: Option<&Report>,
        schedule: Option<&Schedule>,
    ) -> Option<Pipeline> {
        let Some(pipeline) = &raw.pipeline else {
            self.report_missing_pipeline();
            return None;
        };
        let columns = raw
            .report
            .as_ref()
            .map(RawReport::columns)
            .unwrap_or_default();
        let tenant = self.check_tenant(pipeline);
        let format = self.parse_optional_enum("/pipeline/format", pipeline.format.as_deref());
        let compression =
            self.parse_optional_enum("/pipeline/compression", pipeline.compression.as_deref());
        let key = self.check_key(pipeline, raw.api(), &columns);
        let on_conflict =
            self.parse_optional_enum("/pipeline/onConflict", pipeline.on_conflict.as_deref());
        let max_runs = self.check_max_runs(pipeline.max_runs.unwrap_or(3));
        let narrow = self.check_narrow(pipeline.narrow.as_ref(), &columns, report);
        let split = self.check_split(pipeline.split.as_ref(), report);
        let fallback = self.check_fallback(pipeline.fallback.as_ref(), raw.api(), &columns, &key);
        let settling = self.check_settling(pipeline, report, schedule);
        let window_zone = self.check_window_zone(pipeline, report, schedule);
        let restate = self.check_restate(pipeline, report, schedule);
        let expected_by = self.check_expected_by(pipeline);
        let schema = self.parse_optional_enum("/pipeline/schema", pipeline.schema.as_deref());
        let empty_messages = self.check_empty_messages(raw);
        let total_labels = self.check_total_labels(raw);
        let at = "/pipeline/columnNames";
        let column_names = self.parse_optional_enum(at, pipeline.column_names.as_deref());
        let declare = self.check_declared(raw);
        let target = self.parse_optional_enum("/pipeline/target", pipeline.target.as_deref());
        let table = self.check_table(pipeline.table.as_ref());
        let names = column_names.flatten().unwrap_or_default();
        self.compare_columns(raw.api(), &columns, names);
        let api = self.parse_optional_enum("/pipeline/api", pipeline.api.as_deref());
        if format == Some(Some(OutputFormat::Csv)) && !are_known(raw.api(), &columns) {
            self.report_missing_columns();
        }
        Some(Pipeline {
            tenant: tenant?,
            format: format?.unwrap_or(OutputFormat::Ndjson),
            compression: compression?.unwrap_or(Compression::Gzip),
            csv: csv_options(pipeline),
            key,
            on_conflict: on_conflict?.unwrap_or(OnConflict::Fail),
            max_runs: max_runs?,
            narrow,
            split,
            fallback,
            settling: settling?,
            api: api?.unwrap_or_default(),
            window_zone: window_zone?,
            restate: restate?,
            expected_by: expected_by?,
            schema: schema?.unwrap_or_default(),
            empty_messages,
            total_labels,
            column_names: column_names?.unwrap_or_default(),
            declare: declare?,
            target: target?,
            table: table?,
        })
    }

    fn report_missing_pipeline(&mut self) {
        if self.is_spoiled(AT) {
            return;
        }
        let message = "the pipeline block is missing";
        let hint = "add \"pipeline\": {\"tenant\": \"…\"}; everything else in it has a default, \
                    and none of it is sent to CXone";
        self.report_finding(FindingCode::PipelineMissing, AT, message, hint);
    }

    fn check_tenant(&mut self, raw: &RawPipeline) -> Option<TenantId> {
        let text = self.require("/pipeline/tenant", raw.tenant.as_ref())?;
        let tenant = TenantId::new(text.as_str());
        if let Err(error) = &tenant {
            let at = "/pipeline/tenant";
            self.report_finding(FindingCode::TenantInvalid, at, error.to_string(), "");
        }
        tenant.ok()
    }

    fn check_max_runs(&mut self, runs: i64) -> Option<u32> {
        let valid = u32::try_from(runs)
            .ok()
            .filter(|runs| (1..=10).contains(runs));
        if valid.is_none() {
            let message = format!("{runs} is not a number from 1 to 10");
            self.report_finding(FindingCode::MaxRunsRange, "/pipeline/maxRuns", message, "");
        }
        valid
    }

    /// `Some(None)` if no table is asked for, `None` if it is not said which.
    #[expect(
        clippy::option_option,
        reason = "a table that is left out is none, and one of an unknown form is wrong"
    )]
    fn check_table(&mut self, raw: Option<&RawTable>) -> Option<Option<TableOptions>> {
        let Some(raw) = raw else {
            return Some(None);
        };
        let format = self.parse_enum("/pipeline/table/format", raw.format.as_deref())?;
        Some(Some(TableOptions { format }))
    }

    fn report_missing_columns(&mut self) {
        let hint = "name the columns that the file has, or use pipeline.format \"ndjson\"";
        let message =
            "a CSV file has the same columns every day, and this report does not name its columns";
        let at = "/report/columns";
        self.report_finding(FindingCode::ColumnsMissing, at, message, hint);
    }
}

/// `None` if every option has its default, so that writing the defaults down does not change the definition's hash.
fn csv_options(pipeline: &RawPipeline) -> Option<CsvOptions> {
    let formula_guard = pipeline.csv.as_ref()?.formula_guard?;
    formula_guard.then_some(CsvOptions { formula_guard })
}
