//! What the pipeline is told about the rows: `emptyMessages`, `totalLabels`, `declare`.

use std::collections::BTreeMap;

use crate::api::{Api, Columns, RawReport, Report};
use crate::catalogue::ReportType;
use crate::column_meaning::{ColumnMeaning, RawColumnMeaning};
use crate::declare::Declared;
use crate::definition::Definition;
use crate::enums::{ColumnNames, ColumnType};
use crate::finding_code::FindingCode;
use crate::hint::suggest_near;
use crate::raw::RawDefinition;
use crate::text::quote;
use crate::validator::Validator;

const EMPTY: &str = "/pipeline/emptyMessages";
const LABELS: &str = "/pipeline/totalLabels";
/// A shorter text could be a part of any message, and would turn a failure into an empty day.
const SHORTEST_MESSAGE: usize = 6;
const LONGEST_MESSAGE: usize = 256;
const LONGEST_UNIT: usize = 32;
const LONGEST_DESCRIPTION: usize = 256;

impl Validator<'_> {
    pub(super) fn check_empty_messages(&mut self, raw: &RawDefinition) -> Vec<String> {
        let list = raw
            .pipeline
            .as_ref()
            .and_then(|p| p.empty_messages.as_ref());
        let list = list.map(Vec::as_slice).unwrap_or_default();
        let api = raw.api();
        if !list.is_empty() && !api.capabilities().has_messages {
            let message =
                format!("{api} have no runs that end with a message, so this has no effect");
            let hint = "take it out; without contacts the API answers with an empty list";
            self.report_finding(FindingCode::EmptyMessagesIgnored, EMPTY, message, hint);
        }
        self.check_duplicates(EMPTY, list);
        for (i, text) in list.iter().enumerate() {
            let length = text.trim().len();
            let fits = (SHORTEST_MESSAGE..=LONGEST_MESSAGE).contains(&length)
                && !text.contains(char::is_control);
            if !fits {
                let message = format!("{} is not usable", quote(text));
                let hint = "use 6 to 256 bytes of what CXone says; a shorter text could be a part of any message";
                let at = format!("{EMPTY}/{i}");
                self.report_finding(FindingCode::EmptyMessageInvalid, at, message, hint);
            }
        }
        list.to_vec()
    }

    pub(super) fn check_total_labels(&mut self, raw: &RawDefinition) -> Option<Vec<String>> {
        let list = raw.pipeline.as_ref()?.total_labels.as_ref()?;
        let api = raw.api();
        if !api.capabilities().has_total_rows {
            let message = format!("{api} come as JSON, which has no total row");
            self.refuse_for_api(LABELS, &message, "take it out");
        }
        if !list.is_empty() {
            self.check_names(LABELS, "label", Some(list));
        }
        Some(list.clone())
    }

    /// Warns of labels in the report, which those of `pipeline` replace.
    pub(super) fn warn_of_two_label_lists(&mut self, definition: &Definition) {
        let Report::ReportJobs(report) = &definition.report else {
            return;
        };
        if definition.pipeline.total_labels.is_some() && !report.total_labels.is_empty() {
            let message =
                "pipeline.totalLabels counts instead, so that these labels have no effect";
            let hint = "take them out, or name all labels in pipeline.totalLabels";
            let at = "/report/totalLabels";
            self.report_finding(FindingCode::LabelsTwice, at, message, hint);
        }
    }

    pub(super) fn check_declared(&mut self, raw: &RawDefinition) -> Option<Declared> {
        let report_type = raw.report.as_ref().and_then(RawReport::report_type);
        let Some(raw) = raw.pipeline.as_ref().and_then(|p| p.declare.as_ref()) else {
            return Some(Declared::default());
        };
        let metrics = self.check_declared_half("metrics", raw.metrics.as_ref());
        let dimensions = self.check_declared_half("dimensions", raw.dimensions.as_ref());
        let declared = Declared {
            metrics: metrics?,
            dimensions: dimensions?,
        };
        self.report_declared_twice(&declared);
        self.compare_with_catalogue(&declared, report_type);
        Some(declared)
    }

    fn check_declared_half(
        &mut self,
        half: &str,
        raw: Option<&BTreeMap<String, RawColumnMeaning>>,
    ) -> Option<BTreeMap<String, ColumnMeaning>> {
        let columns: Vec<_> = (raw.into_iter().flatten())
            .map(|(name, column)| {
                self.check_column_name(&format!("/pipeline/declare/{half}"), name);
                let at = format!("/pipeline/declare/{half}/{name}");
                Some((name.clone(), self.check_meaning(&at, column)?))
            })
            .collect();
        columns.into_iter().collect()
    }

    /// Reports what is declared against the catalogue: a dimension that is a metric, the other way round, or a metric whose
    /// values are no numbers. What the catalogue knows already may be declared.
    fn compare_with_catalogue(&mut self, declared: &Declared, report_type: Option<ReportType>) {
        let (Some(catalogue), Some(report_type)) = (self.catalogue, report_type) else {
            return;
        };
        let metrics: Vec<&str> = catalogue.metrics(report_type).collect();
        let dimensions: Vec<&str> = catalogue.dimensions(report_type).collect();
        let mut report = |half: &str, name: &str, what: &str| {
            let at = format!("/pipeline/declare/{half}/{name}");
            let message = format!(
                "the catalogue has {} as {what} of {report_type} reports",
                quote(name)
            );
            self.report_finding(
                FindingCode::DeclaredOtherwise,
                at,
                message,
                "take the declaration out",
            );
        };
        for (name, column) in &declared.metrics {
            let is_number = matches!(column.column_type, ColumnType::Long | ColumnType::Double);
            if dimensions.contains(&name.as_str()) {
                report("metrics", name, "a dimension");
            } else if metrics.contains(&name.as_str()) && !is_number {
                report("metrics", name, "a number");
            }
        }
        for name in declared
            .dimensions
            .keys()
            .filter(|name| metrics.contains(&name.as_str()))
        {
            report("dimensions", name, "a metric");
        }
    }

    /// Checks what is said of the values of a column, wherever it is said.
    pub(crate) fn check_meaning(
        &mut self,
        at: &str,
        raw: &RawColumnMeaning,
    ) -> Option<ColumnMeaning> {
        let mut check_words = |field: &str, longest: usize, words: Option<&String>| {
            let fits = |words: &&String| {
                (1..=longest).contains(&words.len()) && !words.contains(char::is_control)
            };
            if let Some(words) = words.filter(|words| !fits(words)) {
                let message = format!("{} is not usable", quote(words));
                let hint = format!("use 1 to {longest} bytes without control characters");
                let code = FindingCode::WrongValue;
                self.report_finding(code, format!("{at}/{field}"), message, hint);
            }
        };
        check_words("unit", LONGEST_UNIT, raw.unit.as_ref());
        check_words("description", LONGEST_DESCRIPTION, raw.description.as_ref());
        Some(ColumnMeaning {
            column_type: self.parse_enum(&format!("{at}/type"), raw.column_type.as_deref())?,
            unit: raw.unit.clone(),
            description: raw.description.clone(),
        })
    }

    /// Reports columns of which the report block says another type than `declare`.
    pub(super) fn compare_declarations(&mut self, definition: &Definition) {
        let declared = &definition.pipeline.declare;
        for (i, name) in definition.columns().into_iter().enumerate() {
            let (Some(here), Some(there)) =
                (definition.report.meaning_of(name), declared.find(name))
            else {
                continue;
            };
            if here != there {
                let message = format!("{} is declared otherwise in pipeline.declare", quote(name));
                let hint = "say it in one of the two places";
                let at = format!("/report/columns/{i}");
                self.report_finding(FindingCode::DeclaredOtherwise, at, message, hint);
            }
        }
    }

    fn report_declared_twice(&mut self, declared: &Declared) {
        let is_metric = |name: &&String| declared.metrics.contains_key(*name);
        for name in declared.dimensions.keys().filter(is_metric) {
            let at = format!("/pipeline/declare/dimensions/{name}");
            let message = format!("{} is declared as a metric too", quote(name));
            self.report_finding(FindingCode::DeclaredOtherwise, at, message, "");
        }
    }

    /// Looks at the columns together: twins by case, names that become one, and names that the API does not document.
    pub(super) fn compare_columns(
        &mut self,
        api: Api,
        columns: &Columns<'_>,
        column_names: ColumnNames,
    ) {
        let names: Vec<&str> = columns.all().collect();
        let stored: Vec<_> = names.iter().map(|it| column_names.rename(it)).collect();
        let lower: Vec<_> = names.iter().map(|it| it.to_lowercase()).collect();
        for (i, name) in names.iter().enumerate() {
            let at = columns.pointer(i, api.capabilities().names_every_column);
            let others = || (0..i).filter(|other| names[*other] != *name);
            if let Some(other) = others().find(|other| stored[*other] == stored[i]) {
                let message = format!(
                    "{} and {} are both stored as {}",
                    quote(name),
                    quote(names[other]),
                    quote(&stored[i])
                );
                self.report_finding(FindingCode::ColumnsCollide, at.clone(), message, "");
            } else if let Some(other) = others().find(|other| lower[*other] == lower[i]) {
                let message = format!(
                    "{} and {} differ only in upper and lower case",
                    quote(name),
                    quote(names[other])
                );
                let hint = "most warehouses take them for one column";
                self.report_finding(FindingCode::ColumnTwins, at.clone(), message, hint);
            }
            self.compare_with_documented(&at, name, api);
        }
    }

    fn compare_with_documented(&mut self, at: &str, name: &str, api: Api) {
        let Some(documented) = api.capabilities().documented_columns else {
            return;
        };
        let is_declared = self
            .declared
            .is_some_and(|it| it.has_metric(name) || it.has_dimension(name));
        let mut names = documented.iter().map(|(name, ..)| *name);
        if names.clone().any(|it| it == name) || is_declared {
            return;
        }
        let message = format!(
            "{} is not among the columns that CXone documents for {api}",
            quote(name)
        );
        let hint = suggest_near(name, &mut names)
            .unwrap_or_else(|| "if your tenant has it, name it in pipeline.declare".to_owned());
        self.report_finding(FindingCode::ColumnUnknown, at, message, hint);
    }
}
