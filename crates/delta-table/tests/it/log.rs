//! The log of the table says what the commit log says.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use definition::Window;
use delta_table::{CommitRows, LogError, TableState};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};
use serde_json::{Value, json};

use crate::publisher::{Folder, checkpoint_path, publish, read_state, table_of, version_path};
use crate::story::{Teller, Told};

/// What consumers hold of each window: the version that it came with, and the ids of its rows.
type Held = BTreeMap<Window, (u64, Vec<String>)>;

/// The rule of the commit log, for those who load rows: delete what lies within the commit's window, load its parts.
fn consume(held: &mut Held, told: &Told) {
    let commit = &told.commit;
    if commit.unchanged {
        return;
    }
    held.retain(|window, _| !commit.window.contains(window));
    let text: String = told.parts.iter().map(|part| part.text.as_str()).collect();
    let mut ids: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| {
            word.len() > 1
                && word
                    .strip_prefix('r')
                    .is_some_and(|it| it.parse::<u64>().is_ok())
        })
        .map(str::to_owned)
        .collect();
    ids.sort();
    assert_eq!(ids.len() as u64, commit.unique);
    if !ids.is_empty() {
        held.insert(commit.window, (commit.version, ids));
    }
}

/// The rule of Delta's protocol, for those who read its log from version 0 on: the paths that were added and not removed since.
fn replay(folder: &Folder, version: u64) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for version in 0..=version {
        let text = std::str::from_utf8(&folder[&version_path(version)]).unwrap();
        let mut touched = BTreeSet::new();
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            assert_eq!(action.as_object().unwrap().len(), 1);
            for (kind, is_there) in [("add", true), ("remove", false)] {
                if let Some(path) = action[kind]["path"].as_str() {
                    assert!(
                        touched.insert(path.to_owned()),
                        "{path} is twice in one version"
                    );
                    let changed = if is_there {
                        paths.insert(path.to_owned())
                    } else {
                        paths.remove(path)
                    };
                    assert!(changed, "{path}");
                    assert_eq!(action[kind]["size"], folder[path].len());
                    assert_eq!(action[kind]["dataChange"], true);
                }
            }
        }
    }
    paths
}

/// What these files hold, by their rows.
fn read_files(folder: &Folder, paths: &BTreeSet<String>) -> Held {
    let mut held = Held::new();
    for path in paths {
        let reader = SerializedFileReader::new(Bytes::from(folder[path].clone())).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let of = |name: &str| {
                row.get_column_iter()
                    .position(|(it, _)| it == name)
                    .unwrap()
            };
            let time = |name| {
                jiff::Timestamp::from_microsecond(row.get_timestamp_micros(of(name)).unwrap())
                    .unwrap()
            };
            let window = Window::new(time("_window_start"), time("_window_end")).unwrap();
            let version = row.get_long(of("_version")).unwrap().cast_unsigned();
            let (held_version, ids) = held.entry(window).or_insert((version, Vec::new()));
            assert_eq!(*held_version, version);
            ids.push(row.get_string(of("rowId")).unwrap().clone());
            assert!(!matches!(
                row.get_column_iter().nth(of("_loaded_at")).unwrap().1,
                Field::Null
            ));
        }
    }
    for (_, ids) in held.values_mut() {
        ids.sort();
    }
    held
}

#[test]
fn at_every_version_the_table_holds_what_consumers_hold() {
    let mut kinds = BTreeSet::new();
    for seed in 1..=8 {
        let mut teller = Teller::new(seed * 0x9e37_79b9);
        let (mut folder, mut held) = (Folder::new(), Held::new());
        for version in 1..=130 {
            let told = teller.tell();
            let commit = &told.commit;
            kinds.extend(
                [
                    ("withdrawn", commit.withdrawn),
                    ("unchanged", commit.unchanged),
                    ("replaces", !commit.replaces.is_empty()),
                    ("replayed", commit.supersedes.is_some()),
                    ("empty", commit.empty),
                ]
                .into_iter()
                .filter_map(|(kind, is)| is.then_some(kind)),
            );
            let state = publish(&mut folder, &told, "u").unwrap();
            assert_eq!(state.version(), version);
            consume(&mut held, &told);
            let paths = replay(&folder, version);
            let ours: BTreeSet<String> = state.files().map(|add| add.path.clone()).collect();
            assert_eq!(ours, paths);
            assert_eq!(
                read_files(&folder, &paths),
                held,
                "seed {seed}, version {version}"
            );
        }
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[test]
fn a_checkpoint_says_what_the_versions_before_it_say() {
    let mut teller = Teller::new(77);
    let mut folder = Folder::new();
    let mut state = None;
    for _ in 1..=230 {
        state = Some(publish(&mut folder, &teller.tell(), "u").unwrap());
    }
    let state = state.unwrap();
    for version in [100, 200] {
        assert!(folder.contains_key(&checkpoint_path(version)));
    }
    let mut without = folder.clone();
    without.retain(|path, _| !path.contains("checkpoint"));
    let replayed = read_state(&without, 231).unwrap().unwrap();
    // It leaves out what was removed long ago, and no reader asks for.
    assert_eq!(
        replayed.files().collect::<Vec<_>>(),
        state.files().collect::<Vec<_>>()
    );
    assert_eq!(replayed.schema(), state.schema());
    assert_eq!(replayed.version(), 230);
    // The same from a checkpoint alone: the log behind it may be gone.
    let mut cut = folder.clone();
    cut.retain(|path, _| {
        *path >= format!("_delta_log/{:020}", 200) || !path.starts_with("_delta_log/")
    });
    let from_checkpoint = read_state(&cut, 231).unwrap().unwrap();
    assert_eq!(from_checkpoint, state);
    // One that can't be read is passed over.
    folder.insert(checkpoint_path(200), b"PAR1".to_vec());
    assert_eq!(
        read_state(&folder, 231).unwrap().unwrap().files().count(),
        state.files().count()
    );
}

#[test]
fn of_two_publishers_one_wins_and_the_other_goes_on_with_its_version() {
    let mut teller = Teller::new(5);
    let mut folder = Folder::new();
    let told: Vec<Told> = (0..20).map(|_| teller.tell()).collect();
    for told in &told {
        let before = folder.clone();
        let first = publish(&mut folder, told, "first").unwrap();
        // The second began when the first had not claimed yet: its files are there, and its claim is lost.
        let mut seconds = before;
        let _ = publish(&mut seconds, told, "second").unwrap();
        let mut merged = seconds;
        merged.extend(folder.clone());
        folder = merged;
        assert_eq!(
            publish(&mut folder, told, "third")
                .unwrap()
                .files()
                .collect::<Vec<_>>(),
            first.files().collect::<Vec<_>>()
        );
        let named = replay(&folder, told.commit.version);
        assert!(named.iter().all(|path| path.ends_with("-first.parquet")));
    }
}

#[test]
fn another_writers_version_is_told_apart() {
    let (tenant, report) = table_of();
    let mut teller = Teller::new(3);
    let mut folder = Folder::new();
    for _ in 0..3 {
        publish(&mut folder, &teller.tell(), "u").unwrap();
    }
    let good = |version: u64| folder[&version_path(version)].clone();
    let state = read_state(&folder, 4).unwrap().unwrap();
    let line = |value: Value| format!("{value}\n").into_bytes();
    let info = |version: u64| json!({"commitInfo": {"engineInfo": "cxone-report-pipeline", "cxone": {"version": version}}});
    for (what, stored) in [
        ("delta-rs", line(json!({"commitInfo": {"engineInfo": "delta-rs:1.6.6", "operation": "WRITE"}}))),
        ("no commitInfo", line(json!({"txn": {"appId": "x", "version": 4}}))),
        ("unknown actions", line(json!({"cdc": {"path": "x"}}))),
        ("not JSON", b"<xml/>".to_vec()),
        ("another version of ours", good(3)),
        ("another protocol", [line(info(4)), line(json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7}}))].concat()),
        ("a path of another writer", [line(info(4)), line(json!({"add": {
            "path": "part-0.parquet", "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": true}}))].concat()),
    ] {
        let mut state = state.clone();
        let error = state.read_next(&stored).unwrap_err();
        assert!(matches!(error, LogError::Foreign { version: 4, .. }), "{what}: {error}");
        assert_eq!(state.version(), 3, "{what}");
    }
    let unknown = [line(info(4)), line(json!({"later": {}}))].concat();
    assert!(matches!(
        state.clone().read_next(&unknown),
        Err(LogError::Unreadable { version: 4, .. })
    ));
    for (tenant, report) in [("other", report.as_str()), (tenant.as_str(), "Other")] {
        let first =
            TableState::read_first(&good(0), &tenant.parse().unwrap(), &report.parse().unwrap());
        assert!(matches!(first, Err(LogError::Foreign { version: 0, .. })));
    }
}

#[test]
fn a_version_without_the_rows_of_its_commit_is_not_written() {
    let mut teller = Teller::new(9);
    let mut folder = Folder::new();
    let mut told = teller.tell();
    while told.commit.unique == 0 {
        publish(&mut folder, &told, "u").unwrap();
        told = teller.tell();
    }
    let version = told.commit.version;
    let at = told.commit.committed_at;
    publish(&mut folder.clone(), &told, "u").unwrap();
    let state = read_state(&folder, version);
    let (tenant, report) = table_of();
    let state = state.unwrap_or_else(|| {
        let first = delta_table::write_first(&tenant, &report, &told.columns, at).unwrap();
        TableState::read_first(&first, &tenant, &report)
    });
    let state = state.unwrap();
    let none = CommitRows::Written(Vec::new());
    let missing = state.write_next(&told.commit, &told.columns, &none, at);
    assert!(matches!(missing, Err(LogError::Rows { .. })));
    told.commit.version += 1;
    let early = state.write_next(&told.commit, &told.columns, &none, at);
    assert!(matches!(early, Err(LogError::Order { .. })));
}
