//! Holds what is about to be committed against the definition, and against what the report usually is.

use std::collections::BTreeMap;

use definition::text::count_of;
use definition::{ColumnNames, OutputFormat, SchemaPolicy};

use crate::columns::{ColumnCounts, ColumnReport, Expected, NewColumns};
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::finalize::merge::WindowContent;
use crate::flow::finalize::pages::RunPages;
use crate::gaps::{Gap, describe_gaps};
use crate::{Failure, FailureName};

/// What a commit says about its data beside the figures.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) column_report: Option<ColumnReport>,
    pub(super) rows_median: Option<u64>,
    pub(super) warnings: Vec<String>,
    pub(super) gaps: Vec<Gap>,
}

impl Finalizer<'_> {
    /// Looks at columns and rows; `head` is the last version of the log. Fails where the definition does not allow its
    /// columns to be other than they were.
    pub(super) async fn examine(
        &self,
        content: &WindowContent,
        head: u64,
    ) -> Result<Examined, Failure> {
        let earlier = self.read_earlier_commits(head).await?;
        let pipeline = &self.record.definition.pipeline;
        let report = self.report_columns(content, &earlier.column_reports);
        let mut warnings = Vec::new();
        if let Some(report) = &report {
            refuse_same_names(pipeline.column_names, report)?;
            warnings = report.drift(self.judge_new_columns());
            if pipeline.schema == SchemaPolicy::Strict {
                if !warnings.is_empty() {
                    return Err(refuse_drift(&warnings));
                }
                warnings.extend(self.judge_strictness(report));
            }
            warnings.extend(report.remarks(pipeline.column_names));
        }
        let merged = &content.merged;
        let unique = merged.rows - merged.duplicates - merged.replaced;
        let median = earlier.median_rows();
        warnings.extend(median.and_then(|(median, of)| judge_rows(unique, median, of)));
        warnings.extend(judge_replaced(merged.replaced, merged.rows));
        warnings.extend(judge_quotes(&content.runs));
        let gaps = self.find_gaps(&earlier).await?;
        let (definition, now) = (&self.record.definition, self.message.now);
        warnings.extend(describe_gaps(definition, &gaps, now));
        Ok(Examined {
            column_report: report,
            rows_median: median.map(|(median, _)| median),
            warnings,
            gaps,
        })
    }

    /// Sums up what was counted in all segments; none where there is nothing, or where a slot does not say.
    fn report_columns(
        &self,
        content: &WindowContent,
        earlier: &[ColumnReport],
    ) -> Option<ColumnReport> {
        let mut sum = ColumnCounts::default();
        for pages in &content.runs {
            sum.add(pages.columns.clone()?);
        }
        let rows = content.runs.iter().map(|pages| pages.rows).sum();
        let expected = Expected {
            rows,
            columns: self.expected_columns(content),
            earlier,
        };
        (rows > 0).then(|| ColumnReport::new(sum, &expected))
    }

    /// Whether a strict definition could be held to nothing: it lists no columns, and no earlier window shows them.
    fn judge_strictness(&self, report: &ColumnReport) -> Option<String> {
        let is_blind =
            report.compared_with == Some(0) && self.record.definition.columns().is_empty();
        is_blind.then(|| {
            "the definition's pipeline.schema is strict, but it lists no columns and no earlier window shows them, so that it was only checked that all rows of this one have the same columns, with values of one kind".to_owned()
        })
    }

    fn judge_new_columns(&self) -> NewColumns {
        let definition = &self.record.definition;
        if definition.columns().is_empty() {
            return NewColumns::Unusual;
        }
        match definition.pipeline.format {
            OutputFormat::Csv => NewColumns::LeftOut,
            OutputFormat::Ndjson => NewColumns::Unnamed,
        }
    }

    /// The columns of the definition, and how many rows should have each: a run of the fallback asks for fewer columns.
    fn expected_columns(&self, content: &WindowContent) -> Vec<(&str, u64)> {
        let definition = &self.record.definition;
        let simple = definition.simplified();
        let simple = simple.as_ref().map(|simple| simple.columns());
        let rows_of = |name: &str| {
            let asks = |is_simple: bool| {
                let columns = simple.as_ref().filter(|_| is_simple);
                columns.is_none_or(|columns| columns.contains(&name))
            };
            let runs = content.runs.iter();
            let runs = runs.filter(|pages| asks(pages.run.simplified));
            runs.map(|pages| pages.rows).sum()
        };
        let columns = definition.columns().into_iter();
        columns.map(|name| (name, rows_of(name))).collect()
    }
}

/// Two batches may each have one of two columns that are stored under the same name.
fn refuse_same_names(names: ColumnNames, report: &ColumnReport) -> Result<(), Failure> {
    let mut taken = BTreeMap::new();
    for column in &report.columns {
        let stored = names.rename(&column.name);
        if let Some(other) = taken.insert(stored, &column.name) {
            let message = ColumnNames::describe_collision(other, &column.name);
            return Err(Failure::new(FailureName::Contract, message));
        }
    }
    Ok(())
}

fn refuse_drift(drift: &[String]) -> Failure {
    Failure::new(
        FailureName::Contract,
        format!(
            "{}. The definition's pipeline.schema is strict, so that nothing was committed. If the columns are right, correct those of the definition or set pipeline.schema to warn, then replay the window with it; what three windows were like is as usual, so that it may be strict again. Another run of the same definition would end the same",
            drift.join("; ")
        ),
    )
}

/// A window with fewer than half or more than double the usual rows is worth a look.
fn judge_rows(rows: u64, median: u64, windows: usize) -> Option<String> {
    let than = if rows < median.div_ceil(2) {
        "fewer than half"
    } else if median > 0 && rows > median.saturating_mul(2) {
        "more than double"
    } else {
        return None;
    };
    Some(format!(
        "{} {} {than} of {median}, the median of the last {windows} windows of the same weekday and length",
        count_of(rows, "row"),
        if rows == 1 { "is" } else { "are" }
    ))
}

/// A row in a hundred may be corrected on a later page; more of them say that the key does not tell rows apart.
fn judge_replaced(replaced: u64, rows: u64) -> Option<String> {
    (replaced > rows / 100).then(|| {
        format!(
            "{replaced} of {} {} replaced by a later one with the same key; look whether pipeline.key tells all rows apart",
            count_of(rows, "row"),
            if replaced == 1 { "was" } else { "were" }
        )
    })
}

/// A file with a quote that was never closed may be whole by the rules of CSV. Only the first run is told: others have more of
/// the same.
fn judge_quotes(runs: &[RunPages]) -> Option<String> {
    let mut suspect = runs.iter().filter(|it| !it.suspect_records.is_empty());
    let pages = suspect.next()?;
    let numbers: Vec<String> = (pages.suspect_records.iter().map(u64::to_string)).collect();
    let also = match suspect.count() {
        0 => String::new(),
        also => format!(", and the files of {also} more runs have such records"),
    };
    Some(format!(
        "record {} of the file of run {} may hold other rows: a quoted cell of it has several lines, each with as many commas as the header, which is record 1, as where a quote was never closed{also}. Compare the row with CXone; if rows are within it, have the text there corrected and `cxr replay` the window",
        numbers.join(", "),
        pages.run.run_id
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_double_are_usual_and_what_is_beyond_is_not() {
        for (rows, median, expected) in [
            (50, 100, None),
            (49, 100, Some("fewer than half")),
            (3, 5, None),
            (2, 5, Some("fewer than half")),
            (0, 1, Some("fewer than half")),
            (200, 100, None),
            (201, 100, Some("more than double")),
            (u64::MAX, u64::MAX, None),
            (5, 0, None),
            (0, 0, None),
        ] {
            let said = judge_rows(rows, median, 10);
            let matches = match (&said, expected) {
                (Some(said), Some(expected)) => said.contains(expected),
                (said, expected) => said.is_some() == expected.is_some(),
            };
            assert!(matches, "{rows} of {median}: {said:?}");
        }
    }

    #[test]
    fn a_few_rows_may_be_replaced() {
        assert_eq!(judge_replaced(0, 0), None);
        assert_eq!(judge_replaced(1, 100), None);
        assert!(judge_replaced(2, 199).is_some());
        assert!(judge_replaced(23_991, 25_000).is_some());
    }
}
