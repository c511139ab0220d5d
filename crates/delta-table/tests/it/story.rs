//! A made-up log: days that are delivered, replayed, covered, taken back and found empty, of a report whose columns change.

use std::collections::BTreeMap;

use definition::{ColumnType, Window};
use delivery::documents::Commit;
use delta_table::Column;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub(crate) const TENANT: &str = "acme";
pub(crate) const REPORT: &str = "Agents, by day";

/// A commit, and what its definition and its parts hold.
pub(crate) struct Told {
    pub(crate) commit: Commit,
    pub(crate) columns: Vec<Column>,
    pub(crate) parts: Vec<Part>,
}

/// A part as it is stored, before it is compressed.
pub(crate) struct Part {
    pub(crate) key: String,
    pub(crate) is_csv: bool,
    pub(crate) text: String,
}

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The column of a version on: the name, its type, and since when it is there.
const COLUMNS: [(&str, ColumnType, u64); 9] = [
    ("rowId", ColumnType::String, 1),
    ("handled", ColumnType::Long, 1),
    ("avgHandleTime", ColumnType::Double, 1),
    ("lastContact", ColumnType::Timestamp, 1),
    ("isLead", ColumnType::Boolean, 1),
    ("Team Name (short)", ColumnType::String, 1),
    ("holdTime", ColumnType::Long, 12),
    ("score,%", ColumnType::Double, 24),
    ("HANDLED", ColumnType::Long, 36),
];

fn columns_at(version: u64) -> Vec<Column> {
    let there = COLUMNS.iter().filter(|(.., since)| *since <= version);
    let columns = there.map(|(name, column_type, _)| Column {
        name: (*name).to_owned(),
        // The type of a column changes in the definition, and stays in the table.
        column_type: match (*name, version) {
            ("holdTime", 30..) => ColumnType::String,
            _ => *column_type,
        },
    });
    columns.collect()
}

/// What a window holds at some time of the story.
struct Held {
    version: u64,
    rows: Vec<Map<String, Value>>,
}

/// Tells one commit after the other.
pub(crate) struct Teller {
    dice: Dice,
    held: BTreeMap<Window, Held>,
    generations: BTreeMap<Window, u32>,
    version: u64,
    days: i64,
    rows: u64,
}

impl Teller {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed | 1),
            held: BTreeMap::new(),
            generations: BTreeMap::new(),
            version: 0,
            days: 0,
            rows: 0,
        }
    }

    pub(crate) fn tell(&mut self) -> Told {
        self.version += 1;
        let any_held = self.any_held();
        match (self.dice.below(100), any_held) {
            (0..8, Some(window)) => self.take_back(window),
            (8..16, Some(window)) => self.state_again(window),
            (16..36, Some(window)) => self.replay(window),
            (36..46, Some(_)) => match self.find_cover() {
                Some(window) => self.replay(window),
                None => self.deliver_next_day(),
            },
            _ => self.deliver_next_day(),
        }
    }

    fn any_held(&mut self) -> Option<Window> {
        let nth = self.dice.below(self.held.len().max(1) as u64);
        self.held.keys().nth(usize::try_from(nth).ok()?).copied()
    }

    /// Two or three neighbours become one window.
    fn find_cover(&mut self) -> Option<Window> {
        let count = 2 + usize::try_from(self.dice.below(2)).ok()?;
        let windows: Vec<Window> = self.held.keys().copied().collect();
        let at = self.dice.below(windows.len() as u64);
        let some = windows.get(usize::try_from(at).ok()?..)?.get(..count)?;
        Window::new(some.first()?.start(), some.last()?.end()).ok()
    }

    fn deliver_next_day(&mut self) -> Told {
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let start = first + SignedDuration::from_hours(24 * self.days);
        self.days += 1;
        let window = Window::new(start, start + SignedDuration::from_hours(24)).unwrap();
        self.replay(window)
    }

    fn replay(&mut self, window: Window) -> Told {
        let count = if self.dice.one_in(12) {
            0
        } else {
            self.dice.below(6)
        };
        let rows = (0..count).map(|_| self.make_row()).collect();
        self.commit(window, rows, false, false)
    }

    fn take_back(&mut self, window: Window) -> Told {
        self.commit(window, Vec::new(), true, false)
    }

    fn state_again(&mut self, window: Window) -> Told {
        let rows = self.held[&window].rows.clone();
        self.commit(window, rows, false, true)
    }

    fn commit(
        &mut self,
        window: Window,
        rows: Vec<Map<String, Value>>,
        withdrawn: bool,
        unchanged: bool,
    ) -> Told {
        let version = self.version;
        let generation = self.generations.entry(window).or_default();
        *generation += 1;
        let supersedes = self.held.get(&window).map(|held| held.version);
        let within = |held: &&Window| **held != window && window.contains(held);
        let replaces: Vec<Window> = self.held.keys().filter(within).copied().collect();
        let columns = columns_at(version);
        let parts = write_parts(&window, version, &columns, &rows);
        let committed_at = window.end() + SignedDuration::from_micros(12_345_678_901);
        let commit = json!({
            "v": 1, "version": version, "report": REPORT, "tenant": TENANT, "window": window, "generation": *generation,
            "definitionHash": "", "runs": [], "rows": rows.len(), "unique": rows.len(), "duplicates": 0, "replaced": 0,
            "empty": rows.is_empty() && !withdrawn, "verification": "total", "content": "", "supersedes": supersedes,
            "replaces": replaces, "withdrawn": withdrawn, "unchanged": unchanged, "committedAt": committed_at,
            "columns": columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
            "parts": parts.iter().map(|part| json!({
                "key": part.key, "rows": 0, "bytes": 0, "sha256": "",
            })).collect::<Vec<_>>(),
        });
        self.held.retain(|held, _| !window.contains(held));
        if !withdrawn {
            self.held.insert(window, Held { version, rows });
        }
        Told {
            commit: serde_json::from_value(commit).unwrap(),
            columns,
            parts,
        }
    }

    /// A row with values of all kinds, some of which don't fit.
    fn make_row(&mut self) -> Map<String, Value> {
        self.rows += 1;
        let dice = &mut self.dice;
        let mut row = Map::new();
        row.insert("rowId".to_owned(), json!(format!("r{}", self.rows)));
        let handled = match dice.below(8) {
            0 => json!("00:05:12"),
            1 => json!(1.5),
            2 => Value::Null,
            3 => json!("17"),
            _ => json!(dice.below(1000)),
        };
        row.insert("handled".to_owned(), handled);
        if !dice.one_in(5) {
            let average = if dice.one_in(6) {
                json!("n/a")
            } else {
                json!(dice.below(100_000) as f64 / 64.0)
            };
            row.insert("avgHandleTime".to_owned(), average);
        }
        let times = [
            "2026-03-01T08:30:00.123456Z",
            "2026-03-01T08:30:00+01:00",
            "yesterday",
        ];
        row.insert(
            "lastContact".to_owned(),
            json!(times[dice.below(3) as usize]),
        );
        row.insert("isLead".to_owned(), json!(dice.one_in(2)));
        let teams = ["Büro \"Nord\"", "a,b", "line\nbreak", "👩‍💻", "x"];
        row.insert(
            "Team Name (short)".to_owned(),
            json!(teams[dice.below(5) as usize]),
        );
        row.insert("holdTime".to_owned(), json!(dice.below(90)));
        row.insert("score,%".to_owned(), json!(dice.below(90)));
        row.insert("HANDLED".to_owned(), json!(7));
        row
    }
}

/// Every fifth version has CSV, the others NDJSON in one or two parts. CSV has only the columns of the definition.
fn write_parts(
    window: &Window,
    version: u64,
    columns: &[Column],
    rows: &[Map<String, Value>],
) -> Vec<Part> {
    let is_csv = version.is_multiple_of(5);
    let name = |nth: usize| {
        let extension = if is_csv { "csv" } else { "ndjson" };
        format!("data/{}/v{version}-{nth}.{extension}.gz", window.key())
    };
    if rows.is_empty() {
        return Vec::new();
    }
    if !is_csv {
        let parts = rows.chunks(rows.len().div_ceil(2)).enumerate();
        return parts
            .map(|(nth, rows)| Part {
                key: name(nth),
                is_csv,
                text: write_lines(rows.iter().map(|row| Value::from(row.clone()).to_string())),
            })
            .collect();
    }
    let mut records = vec![columns.iter().map(|column| quote(&column.name)).collect()];
    for row in rows {
        let cell = |column: &Column| match row.get(&column.name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => quote(text),
            Some(other) => other.to_string(),
        };
        records.push(columns.iter().map(cell).collect::<Vec<_>>());
    }
    let text = write_lines(records.iter().map(|cells| cells.join(",")));
    vec![Part {
        key: name(0),
        is_csv,
        text,
    }]
}

fn write_lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn quote(text: &str) -> String {
    if text.contains(['"', ',', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
