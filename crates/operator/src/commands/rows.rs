//! `cxr rows`: the rows that consumers hold of a report's windows.

use clap::Args;
use definition::text::list_first;
use definition::{OutputFormat, Window};
use delivery::documents::{Commit, CommitPart};
use jiff::Timestamp;

use crate::bucket::{PartPresence, RowExport, format_of};
use crate::error::CommandError;
use crate::output::{Format, Output};
use crate::place::PlaceArgs;
use crate::state::{Delivered, find_delivered, label_window};
use crate::survey::{LoggedReport, Survey};

/// At most so many names are listed in an error.
const NAMED_MAX: usize = 40;

/// Print the rows of a report's windows: each once, of the newest version of its window.
///
/// Nothing is printed of a window that was taken back. Without --format the rows are written as they are stored, as ndjson or
/// csv. In ndjson that is made of stored csv, every value is a text.
///
/// Before the first row is printed, every part is looked for, and each part is compared with its checksum once its last row
/// was printed. So a script looks at the exit code: with any other than 0, what was printed is not all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cxr rows daily-agent-performance yesterday | head -1
  cxr rows daily 2026-06-01..2026-06-07 --format csv --columns agentId,handleTime > week.csv
  cxr rows daily 2026-06 --key agentId=A-17

Reading rows needs the stack's ConsumerPolicy beside its OperatorPolicy.")]
pub(super) struct RowsArgs {
    /// The report, by name or the beginning of one.
    report: String,
    /// The windows: a day, yesterday, days with both ends such as 2026-06-01..2026-06-07, or a month.
    windows: String,
    /// Only these columns, in this order.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    columns: Vec<String>,
    /// Only the first N rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only rows in which a column has this value; given several times, all have to hold.
    #[arg(long = "key", value_name = "COLUMN=VALUE", value_parser = parse_pair)]
    only: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (column, value) = text
        .split_once('=')
        .ok_or("write a column and its value, such as agentId=A-17")?;
    Ok((column.to_owned(), value.to_owned()))
}

impl RowsArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let report = survey.find_log(&self.report).await?;
        let windows = report.find_windows(&self.windows, now)?;
        let naming = report.known.naming();
        let delivered = find_delivered(&report.known.commits, &windows);
        let delivered = delivered.map_err(|window| CommandError::DeliveredTogether {
            asked: self.windows.clone(),
            delivered: label_window(&window, &naming),
        })?;
        self.print_rows(output, survey, &report, &delivered).await?;
        match &delivered.absent[..] {
            [] => Ok(0),
            absent => Err(explain_absence(&report, absent)),
        }
    }

    async fn print_rows(
        &self,
        output: &mut Output<'_>,
        survey: &Survey,
        report: &LoggedReport,
        delivered: &Delivered<'_>,
    ) -> Result<(), CommandError> {
        let export = self.choose_export(output.format(), report, &delivered.commits)?;
        let commits = delivered.commits.iter();
        let parts: Vec<&CommitPart> = commits.flat_map(|commit| &commit.parts).collect();
        for (part, found) in parts.iter().zip(survey.bucket.find_parts(&parts).await?) {
            refuse_bad_part(part, &found)?;
        }
        if !export.columns.is_empty() {
            output.print_bytes(&export.header())?;
        }
        let mut left = self.limit.unwrap_or(u64::MAX);
        for part in parts {
            if left == 0 {
                break;
            }
            let write = &mut |text: &[u8]| output.print_bytes(text);
            left -= survey.bucket.copy_rows(part, &export, left, write).await?;
        }
        Ok(())
    }

    /// In which format the rows are written, and which of them.
    fn choose_export(
        &self,
        format: Format,
        report: &LoggedReport,
        commits: &[&Commit],
    ) -> Result<RowExport, CommandError> {
        let newest = commits.iter().rev().find_map(|commit| commit.parts.last());
        let stored = newest.map(|part| format_of(&part.key)).transpose()?;
        let format = match format {
            Format::Csv => OutputFormat::Csv,
            Format::Ndjson | Format::Json => OutputFormat::Ndjson,
            Format::Text => stored.unwrap_or(OutputFormat::Ndjson),
        };
        let named = name_columns(report, commits);
        let asked = self.columns.iter();
        for name in asked.chain(self.only.iter().map(|(column, _)| column)) {
            // Where nothing was delivered there are no columns either, and that is told instead.
            if commits.is_empty() {
                break;
            }
            if !named.stored.contains(name) && !named.found.contains(name) {
                return Err(CommandError::UnknownColumn {
                    name: name.clone(),
                    known: list_first(&named.all(), NAMED_MAX),
                });
            }
        }
        let columns = match format {
            _ if !self.columns.is_empty() => self.columns.clone(),
            OutputFormat::Csv => named.in_table(),
            OutputFormat::Ndjson => Vec::new(),
        };
        Ok(RowExport {
            format,
            columns,
            only: self.only.clone(),
        })
    }
}

/// The columns of some commits, each name once, in the order in which they come.
#[derive(Default)]
struct ColumnNamesKnown {
    /// Those of the definitions.
    stored: Vec<String>,
    /// Those that rows have.
    found: Vec<String>,
}

impl ColumnNamesKnown {
    fn all(&self) -> Vec<String> {
        let mut all = self.stored.clone();
        add_new(&mut all, self.found.iter().cloned());
        all
    }

    /// Those of a table: as in a stored CSV the definition's, and where it lists none, those of the rows.
    fn in_table(&self) -> Vec<String> {
        if self.stored.is_empty() {
            return self.found.clone();
        }
        self.stored.clone()
    }
}

fn name_columns(report: &LoggedReport, commits: &[&Commit]) -> ColumnNamesKnown {
    let definition = report.known.definition.as_ref();
    let names = definition.map(|it| it.pipeline.column_names);
    let names = names.unwrap_or_default();
    let mut known = ColumnNamesKnown::default();
    for commit in commits {
        add_new(&mut known.stored, commit.columns.iter().cloned());
        let found = commit.column_report.iter().flat_map(|it| &it.columns);
        let found = found.map(|column| names.rename(&column.name).into_owned());
        add_new(&mut known.found, found);
    }
    known
}

fn add_new(names: &mut Vec<String>, new: impl Iterator<Item = String>) {
    for name in new {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

fn refuse_bad_part(part: &CommitPart, found: &PartPresence) -> Result<(), CommandError> {
    let problem = match found {
        PartPresence::Stored { bytes } if *bytes == part.bytes => return Ok(()),
        PartPresence::Stored { bytes } => format!(
            "it has {bytes} bytes, and {} were committed, so that nothing was printed",
            part.bytes
        ),
        PartPresence::Deleted { .. } => {
            "somebody deleted it, so that nothing was printed".to_owned()
        }
        PartPresence::Gone => "it is gone, so that nothing was printed".to_owned(),
    };
    Err(CommandError::BadPart {
        key: part.key.clone(),
        problem,
    })
}

/// Says which windows have no rows.
fn explain_absence(report: &LoggedReport, absent: &[Window]) -> CommandError {
    let naming = report.known.naming();
    let labels: Vec<String> = absent.iter().map(|it| label_window(it, &naming)).collect();
    CommandError::Undelivered {
        address: report.address.clone(),
        windows: list_first(&labels, NAMED_MAX),
        first: labels.into_iter().next().unwrap_or_default(),
    }
}
