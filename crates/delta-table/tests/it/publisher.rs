//! A publisher over a folder in memory: what a handler does with the crate, with S3 left out.

use std::collections::BTreeMap;

use definition::{ReportName, TenantId};
use delta_table::{
    CommitRows, FileWriter, LogError, NewFile, RowStamp, Schema, TableState, checkpoints_before,
    file_path, write_first,
};
use jiff::{SignedDuration, Timestamp};

use crate::story::{Part, REPORT, TENANT, Told};

/// The table's folder.
pub(crate) type Folder = BTreeMap<String, Vec<u8>>;

pub(crate) fn version_path(version: u64) -> String {
    format!("_delta_log/{version:020}.json")
}

pub(crate) fn checkpoint_path(version: u64) -> String {
    format!("_delta_log/{version:020}.checkpoint.parquet")
}

pub(crate) fn table_of() -> (TenantId, ReportName) {
    (TENANT.parse().unwrap(), REPORT.parse().unwrap())
}

/// Stores an object unless there is one; gives what is stored.
fn claim(folder: &mut Folder, path: String, bytes: Vec<u8>) -> Vec<u8> {
    folder.entry(path).or_insert(bytes).clone()
}

/// Some time after the commit, and later from version to version.
fn published_at(told: &Told) -> Timestamp {
    let version = i64::try_from(told.commit.version).unwrap();
    let first: Timestamp = "2026-08-01T00:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours(version)
}

/// Reads what is published, from the newest checkpoint on.
pub(crate) fn read_state(folder: &Folder, before: u64) -> Option<Result<TableState, LogError>> {
    let (tenant, report) = table_of();
    let from_checkpoint = checkpoints_before(before).find_map(|version| {
        let stored = folder.get(&checkpoint_path(version))?.clone();
        TableState::read_checkpoint(version, stored, &tenant, &report).ok()
    });
    let state = match from_checkpoint {
        Some(state) => Ok(state),
        None => TableState::read_first(folder.get(&version_path(0))?, &tenant, &report),
    };
    Some(state.and_then(|mut state| {
        while let Some(stored) = folder.get(&version_path(state.version() + 1)) {
            state.read_next(stored)?;
        }
        Ok(state)
    }))
}

/// Publishes a commit whose predecessors are published.
pub(crate) fn publish(
    folder: &mut Folder,
    told: &Told,
    unique: &str,
) -> Result<TableState, LogError> {
    let (tenant, report) = table_of();
    let at = published_at(told);
    let mut state = if let Some(state) = read_state(folder, told.commit.version) {
        state?
    } else {
        let first = write_first(&tenant, &report, &told.columns, at)?;
        TableState::read_first(&claim(folder, version_path(0), first), &tenant, &report)?
    };
    if state.version() < told.commit.version {
        let mut files = Vec::new();
        if state.needs_rows(&told.commit) {
            let grown = state.grow(&told.columns);
            files = write_files(folder, told, &grown.schema, unique);
        }
        let rows = CommitRows::Written(files);
        let next = state.write_next(&told.commit, &told.columns, &rows, at)?;
        let stored = claim(folder, version_path(told.commit.version), next);
        state.read_next(&stored)?;
    }
    if state.has_checkpoint() {
        let checkpoint = state.write_checkpoint(at)?;
        claim(folder, checkpoint_path(state.version()), checkpoint);
    }
    Ok(state)
}

/// Writes the rows of a commit into one file, or into one for each part, as it happens.
fn write_files(folder: &mut Folder, told: &Told, schema: &Schema, unique: &str) -> Vec<NewFile> {
    let mut groups: Vec<&[Part]> = vec![&told.parts];
    if told.commit.version.is_multiple_of(2) {
        groups = told.parts.chunks(1).collect();
    }
    let mut files = Vec::new();
    for (nth, parts) in groups.into_iter().enumerate() {
        let mut writer = FileWriter::new(schema, RowStamp::from(&told.commit)).unwrap();
        let mut bytes = Vec::new();
        for part in parts {
            push_part(&mut writer, part);
            bytes.extend(writer.take_encoded().unwrap());
        }
        let (rest, written) = writer.finish().unwrap();
        bytes.extend(rest);
        assert_eq!(bytes.len() as u64, written.bytes);
        let path = file_path(&told.commit, nth, unique);
        assert!(folder.insert(path.clone(), bytes).is_none());
        files.push(NewFile { path, written });
    }
    files
}

fn push_part(writer: &mut FileWriter, part: &Part) {
    if !part.is_csv {
        for row in part.text.split_inclusive('\n') {
            writer.push_json(row.as_bytes()).unwrap();
        }
        return;
    }
    let mut is_quoted = false;
    let records: Vec<&str> = part
        .text
        .split_inclusive(|c| {
            is_quoted ^= c == '"';
            c == '\n' && !is_quoted
        })
        .collect();
    // The one name with a comma is the only one in quotes.
    let header = records[0].trim_end().replace("\"score,%\"", "score\u{1}%");
    let names: Vec<String> = header
        .split(',')
        .map(|name| name.replace('\u{1}', ","))
        .collect();
    for record in &records[1..] {
        writer.push_csv(&names, record.as_bytes()).unwrap();
    }
}
