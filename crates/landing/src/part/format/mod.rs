//! Formats: each has its own file, and this one is the only place that asks which format it is.
//!
//! To add a format, add a file for it and an arm to each `match` below; the compiler names them.
//! A format whose rows are not delimited text (a columnar one) gives [`RowWriter`] its encoder
//! and [`copy_rows`] its own way to read a stored part.

mod csv;
mod delimited;
mod export;
mod ndjson;
mod renamed;

use std::collections::BTreeMap;

use definition::{ColumnNames, Compression, OutputFormat};
use delivery::effects::Answered;

use super::data::DataWriter;
use super::reader::PartReader;
use super::row::{Malformed, Scanner};
use super::spec::PartSpec;
use delimited::FindRecordEnd as _;

pub(super) use csv::read_names;
pub use export::RowExport;

/// What the columns of a row hold, as it is written.
pub(crate) type Cells = BTreeMap<String, String>;

/// What is the same for every part of a format.
struct Traits {
    /// Ending of an uncompressed part's name.
    extension: &'static str,
    /// Media type of an uncompressed part.
    content_type: &'static str,
    /// Whether a column that is twice in a row is stored twice. Otherwise it is an error, as one
    /// value would be lost.
    keeps_repeated_columns: bool,
}

fn traits(format: OutputFormat) -> &'static Traits {
    match format {
        OutputFormat::Ndjson => &ndjson::TRAITS,
        OutputFormat::Csv => &csv::TRAITS,
    }
}

/// The ending of a part's name: `.ndjson.gz`, `.csv` and so on.
pub(super) fn extension(spec: &PartSpec) -> String {
    format_extension(spec.format, spec.compression)
}

fn format_extension(format: OutputFormat, compression: Compression) -> String {
    let compression = match compression {
        Compression::Gzip => ".gz",
        Compression::Zstd => ".zst",
        Compression::None => "",
    };
    format!("{}{compression}", traits(format).extension)
}

/// How a part is written, by the ending of its name.
pub(super) fn parse_extension(key: &str) -> Option<(OutputFormat, Compression)> {
    let formats = OutputFormat::ALL.iter().copied();
    let mut all = formats.flat_map(|format| {
        [Compression::Gzip, Compression::Zstd, Compression::None].map(|it| (format, it))
    });
    all.find(|(format, compression)| key.ends_with(&format_extension(*format, *compression)))
}

/// Finds where the records of a stored part end.
#[derive(Debug)]
pub(super) enum RecordSplitter {
    Ndjson,
    Csv(csv::RecordEnds),
}

impl RecordSplitter {
    pub(super) fn new(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Csv => Self::Csv(csv::RecordEnds::default()),
        }
    }

    /// Whether the first record names the columns.
    pub(super) fn has_header(&self) -> bool {
        match self {
            Self::Ndjson => ndjson::LineEnds::HAS_HEADER,
            Self::Csv(_) => csv::RecordEnds::HAS_HEADER,
        }
    }

    /// The position behind the end of the record that `bytes` begin with or continue, if it is in them.
    pub(super) fn find_record_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Ndjson => ndjson::LineEnds.find_record_end(bytes),
            Self::Csv(ends) => ends.find_record_end(bytes),
        }
    }
}

/// The media type of the stored bytes. No `Content-Encoding` is set: a client that decompresses
/// by itself would hand out other bytes than the checksum is of.
pub(super) fn content_type(spec: &PartSpec) -> &'static str {
    match spec.compression {
        Compression::Gzip => "application/gzip",
        Compression::Zstd => "application/zstd",
        Compression::None => traits(spec.format).content_type,
    }
}

/// A scanner for the rows of a part.
pub(super) fn row_scanner(spec: &PartSpec) -> Scanner {
    let keeps_repeated_columns = traits(spec.format).keeps_repeated_columns;
    Scanner::new(&spec.columns, &spec.key, keeps_repeated_columns)
}

/// Writes the rows of one part.
#[derive(Debug)]
pub(super) enum RowWriter {
    /// Rows are stored as CXone sent them.
    Ndjson,
    /// Rows are stored with other names of their columns.
    Renamed(renamed::RenamingWriter),
    /// Each row is encoded.
    Csv(csv::RecordWriter),
}

impl RowWriter {
    /// A writer for a new part. What stands before the first row is written with the first rows.
    pub(super) fn new(spec: &PartSpec) -> Self {
        match spec.format {
            OutputFormat::Ndjson if spec.column_names == ColumnNames::AsIs => Self::Ndjson,
            OutputFormat::Ndjson => Self::Renamed(renamed::RenamingWriter::new(spec.column_names)),
            OutputFormat::Csv => {
                let columns = spec.columns.iter();
                let names = columns.map(|name| spec.column_names.rename(name).into_owned());
                let names: Vec<String> = names.collect();
                Self::Csv(csv::RecordWriter::new(&names, spec.formula_guard))
            }
        }
    }

    /// Encodes the row that was scanned last.
    #[inline]
    pub(super) fn encode_row(&mut self, scanner: &Scanner, row: &[u8]) -> Result<(), Malformed> {
        match self {
            Self::Ndjson => Ok(()),
            Self::Renamed(writer) => writer.encode_row(row),
            Self::Csv(writer) => writer.encode_row(scanner, row),
        }
    }

    /// Writes the rows that were encoded since the last call. `rows` are the same rows as CXone
    /// sent them, each with its line end.
    pub(super) fn write_rows(&mut self, rows: &[u8], data: &mut DataWriter) -> Answered<()> {
        match self {
            Self::Ndjson => data.write(rows),
            Self::Renamed(writer) => writer.write_encoded(data),
            Self::Csv(writer) => writer.write_encoded(data),
        }
    }
}

/// Reads the rows of these numbers, which ascend: for each its columns and what they hold, as it is written.
pub(super) async fn pick_rows(
    format: OutputFormat,
    stored: &mut PartReader<'_>,
    numbers: &[u32],
) -> Answered<Vec<Cells>> {
    Ok(match format {
        OutputFormat::Ndjson => {
            let (_, rows) = delimited::pick_records(ndjson::LineEnds, stored, numbers).await?;
            rows.iter().map(|row| ndjson::split_row(row)).collect()
        }
        OutputFormat::Csv => {
            let ends = csv::RecordEnds::default();
            let (header, rows) = delimited::pick_records(ends, stored, numbers).await?;
            let names = csv::read_names(&header);
            let of_columns = |row: &Vec<u8>| names.iter().cloned().zip(csv::split_record(row));
            rows.iter().map(|row| of_columns(row).collect()).collect()
        }
    })
}

/// Copies the rows of a stored part without those of the numbers in `without`, which ascend.
/// Gives the number of rows in the stored part; none if the last one is not complete.
pub(super) async fn copy_rows(
    format: OutputFormat,
    stored: &mut PartReader<'_>,
    without: &[u32],
    data: &mut DataWriter,
) -> Answered<Option<u64>> {
    match format {
        OutputFormat::Ndjson => delimited::copy_rows(ndjson::LineEnds, stored, without, data).await,
        OutputFormat::Csv => {
            delimited::copy_rows(csv::RecordEnds::default(), stored, without, data).await
        }
    }
}
