//! A published table, read by the rules of Delta's protocol and with no code of ours, held against the log.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use definition::Window;
use delivery::documents::Commit;
use jiff::Timestamp;
use local::world::BUCKET;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value};

use super::Pipeline;
use super::landed::lines;

/// The folder of the report's table.
const FOLDER: &str = "reports/acme/Daily_Agent_Performance_Aggregation/table/";

/// The table's log, version by version.
pub struct Table {
    /// The actions of each version, from 0.
    pub versions: Vec<Vec<Value>>,
}

/// The rows of each window, each as JSON and in the order of their texts.
type Held = BTreeMap<Window, Vec<String>>;

impl Pipeline {
    /// The table as it is stored; none if there is none. No version is missing.
    pub fn table(&self) -> Option<Table> {
        let store = self.world.store();
        let mut keys = store.keys(BUCKET, &format!("{FOLDER}_delta_log/"));
        keys.retain(|key| !key.ends_with(".checkpoint.parquet"));
        let read = |(version, key): (usize, &String)| {
            assert_eq!(*key, format!("{FOLDER}_delta_log/{version:020}.json"));
            let stored = store.read(BUCKET, key).unwrap();
            let actions = lines(&stored).map(|line| serde_json::from_slice(line).unwrap());
            actions.collect()
        };
        let versions: Vec<Vec<Value>> = keys.iter().enumerate().map(read).collect();
        (!versions.is_empty()).then_some(Table { versions })
    }

    /// The table has a version for each commit, and a reader of any version sees the rows that consumers of the log hold at it.
    pub fn check_table(&self) -> Table {
        let table = self.table().expect("there is a table");
        let log = self.log();
        assert_eq!(table.versions.len(), log.len() + 1);
        let (mut paths, mut held) = (BTreeSet::new(), Held::new());
        for (actions, commit) in table.versions[1..].iter().zip(&log) {
            apply(&mut paths, actions);
            if !commit.unchanged {
                held.retain(|window, _| !commit.window.contains(window));
                held.insert(commit.window, self.rows_of(commit));
            }
            held.retain(|_, rows| !rows.is_empty());
            assert_eq!(self.read_files(&paths), held, "version {}", commit.version);
        }
        table
    }

    /// The rows of a commit's parts.
    fn rows_of(&self, commit: &Commit) -> Vec<String> {
        let mut rows = Vec::new();
        for part in &commit.parts {
            let text = self.world.part(part).unwrap();
            let parse = |line| serde_json::from_slice::<Map<String, Value>>(line).unwrap();
            rows.extend(lines(&text).map(|line| render(parse(line))));
        }
        rows.sort_unstable();
        rows
    }

    /// The rows of files, without the columns that are ours, by the windows that these say.
    fn read_files(&self, paths: &BTreeSet<String>) -> Held {
        let mut held = Held::new();
        for path in paths {
            let key = format!("{FOLDER}{path}");
            let file = Bytes::from(self.world.store().read(BUCKET, &key).unwrap());
            let reader = SerializedFileReader::new(file).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                let (window, row) = read_row(&row.unwrap());
                held.entry(window).or_default().push(row);
            }
        }
        for rows in held.values_mut() {
            rows.sort_unstable();
        }
        held
    }
}

fn apply(paths: &mut BTreeSet<String>, actions: &[Value]) {
    for action in actions {
        if let Some(path) = action["add"]["path"].as_str() {
            assert!(paths.insert(path.to_owned()), "{path} is added twice");
        }
        if let Some(path) = action["remove"]["path"].as_str() {
            assert!(paths.remove(path), "{path} is not there");
        }
    }
}

/// A row without nulls, with each number as one that holds it.
fn render(row: Map<String, Value>) -> String {
    let mut cells = BTreeMap::new();
    for (name, value) in row {
        let value = value.as_f64().map_or(value, Value::from);
        if !value.is_null() {
            cells.insert(name, value);
        }
    }
    serde_json::to_string(&cells).unwrap()
}

fn read_row(row: &Row) -> (Window, String) {
    let (mut cells, mut times) = (Map::new(), BTreeMap::new());
    for (name, field) in row.get_column_iter() {
        // What does not fit its column stands here as it was sent.
        if let ("_extra", Field::Str(extra)) = (name.as_str(), field) {
            cells.extend(serde_json::from_str::<Map<String, Value>>(extra).unwrap());
        }
        let value = match field {
            Field::Null => Value::Null,
            Field::Str(text) => text.as_str().into(),
            Field::Bool(truth) => (*truth).into(),
            Field::Long(number) => (*number).into(),
            Field::Double(number) => (*number).into(),
            Field::TimestampMicros(time) => {
                times.insert(name.as_str(), Timestamp::from_microsecond(*time).unwrap());
                continue;
            }
            other => panic!("{name} is {other:?}"),
        };
        if !name.starts_with('_') && !value.is_null() {
            cells.insert(name.clone(), value);
        }
    }
    assert!(times.contains_key("_loaded_at"));
    let window = Window::new(times["_window_start"], times["_window_end"]);
    (window.unwrap(), render(cells))
}
