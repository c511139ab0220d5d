//! The oracle: which rows a report has in a window.
//!
//! Nothing is stored. A row is a function of the seed, the report's name, the window's start and the row's
//! index, written straight into bytes, so that millions can be served, and compared with what landed.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;

use crate::values::{self, Text};

const SECONDS_A_DAY: u64 = 86_400;
/// How many values a key column takes before the next one counts up; the last one is not bounded.
const RADIX: u64 = 1_009;

/// A half-open span of time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first moment inside.
    pub start: Timestamp,
    /// The first moment after.
    pub end: Timestamp,
}

impl Window {
    /// Its length in whole seconds, 0 when it is upside down.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.end.as_second() - self.start.as_second()).unwrap_or(0)
    }

    /// How many rows it holds when a full day holds `rows_per_day`.
    #[must_use]
    pub fn rows(&self, rows_per_day: u64) -> u64 {
        let rows =
            u128::from(rows_per_day) * u128::from(self.seconds()) / u128::from(SECONDS_A_DAY);
        u64::try_from(rows).unwrap_or(u64::MAX)
    }
}

/// What of a definition decides its rows: the columns, and which of them are the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The report's name.
    pub name: String,
    /// The text columns, in order.
    pub dimensions: Vec<String>,
    /// The number columns, which follow the dimensions.
    pub metrics: Vec<String>,
    /// The columns whose values together are unique in a window; empty means all dimensions.
    pub grouping: Vec<String>,
}

impl Shape {
    /// All columns in the order of a row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .chain(&self.metrics)
            .map(String::as_str)
    }
}

/// The rows `range` of a window as raw JSON objects: exactly the bytes between the commas of a `data` array.
pub fn rows_of(
    seed: u64,
    shape: &Shape,
    window: Window,
    range: Range<u64>,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    let writer = RowWriter::new(seed, shape, window);
    range.map(move |index| {
        let mut row = Vec::with_capacity(320);
        writer.json(index, &mut row);
        row
    })
}

/// The same rows as records of RFC 4180, each with its CRLF, without the header.
pub fn csv_of(
    seed: u64,
    shape: &Shape,
    window: Window,
    range: Range<u64>,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    let writer = RowWriter::new(seed, shape, window);
    range.map(move |index| {
        let mut row = Vec::with_capacity(200);
        writer.csv(index, &mut row);
        row
    })
}

/// The header line of the CSV form, with its CRLF.
#[must_use]
pub fn csv_header(shape: &Shape) -> Vec<u8> {
    let mut line = shape.columns().collect::<Vec<_>>().join(",").into_bytes();
    line.extend_from_slice(b"\r\n");
    line
}

/// Writes single rows of one report and window.
#[derive(Debug, Clone)]
pub(crate) struct RowWriter {
    base: u64,
    start: Timestamp,
    dimensions: Vec<Dimension>,
    metrics: Vec<Metric>,
}

#[derive(Debug, Clone)]
struct Dimension {
    label: Vec<u8>,
    text: Text,
    digit: Digit,
}

/// Where a dimension's number comes from.
#[derive(Debug, Clone, Copy)]
enum Digit {
    /// A digit of the row's index, so that the key is unique.
    Index { divisor: u64, last: bool },
    /// Any number: the column is not part of the key.
    Hash { salt: u64 },
}

#[derive(Debug, Clone)]
struct Metric {
    label: Vec<u8>,
    decimal: bool,
    salt: u64,
}

impl RowWriter {
    pub(crate) fn new(seed: u64, shape: &Shape, window: Window) -> Self {
        let start = window.start.as_second().cast_unsigned();
        let base = values::mix(
            values::mix(seed, values::hash(shape.name.as_bytes())),
            start,
        );
        let key = key_columns(shape);
        let plain: Vec<_> = key.iter().map(|name| values::canonical(name)).collect();
        let entities = key_entities(&plain);
        let dimensions = shape.dimensions.iter().enumerate();
        let dimensions = dimensions.map(|(at, name)| Dimension {
            label: label(name, at == 0),
            text: Text::of(name, seed, key.contains(name)),
            digit: digit(&values::canonical(name), &entities),
        });
        let metrics = shape.metrics.iter().enumerate();
        let metrics = metrics.map(|(at, name)| Metric {
            label: label(name, at == 0 && shape.dimensions.is_empty()),
            decimal: values::is_decimal(&values::canonical(name)),
            salt: values::hash(values::canonical(name).as_bytes()),
        });
        Self {
            base,
            start: window.start,
            dimensions: dimensions.collect(),
            metrics: metrics.collect(),
        }
    }

    /// Appends the row as a JSON object.
    pub(crate) fn json(&self, index: u64, out: &mut Vec<u8>) {
        self.json_variant(index, 0, out);
    }

    /// The row with the same key; another `variant` gives other metrics.
    pub(crate) fn json_variant(&self, index: u64, variant: u64, out: &mut Vec<u8>) {
        let salt = values::mix(self.base, index);
        out.push(b'{');
        for dimension in &self.dimensions {
            out.extend_from_slice(&dimension.label);
            dimension
                .text
                .json(dimension.number(index, salt), self.start, out);
        }
        for metric in &self.metrics {
            out.extend_from_slice(&metric.label);
            if !metric.write(salt.wrapping_add(variant), out) {
                out.extend_from_slice(b"null");
            }
        }
        out.push(b'}');
    }

    /// Appends the row as a CSV record; a null is an empty field, an empty text a quoted empty field.
    pub(crate) fn csv(&self, index: u64, out: &mut Vec<u8>) {
        self.csv_variant(index, 0, out);
    }

    /// The record of [`RowWriter::json_variant`].
    pub(crate) fn csv_variant(&self, index: u64, variant: u64, out: &mut Vec<u8>) {
        let salt = values::mix(self.base, index);
        let begin = out.len();
        for dimension in &self.dimensions {
            separate(begin, out);
            dimension
                .text
                .csv(dimension.number(index, salt), self.start, out);
        }
        for (at, metric) in self.metrics.iter().enumerate() {
            if at > 0 || !self.dimensions.is_empty() {
                out.push(b',');
            }
            metric.write(salt.wrapping_add(variant), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl Dimension {
    fn number(&self, index: u64, salt: u64) -> u64 {
        match self.digit {
            Digit::Index {
                divisor,
                last: true,
            } => index / divisor,
            Digit::Index {
                divisor,
                last: false,
            } => index / divisor % RADIX,
            Digit::Hash { salt: column } => values::mix(salt, column) % 997,
        }
    }
}

impl Metric {
    /// Appends the number, or nothing and `false` for a null.
    fn write(&self, salt: u64, out: &mut Vec<u8>) -> bool {
        values::number(values::mix(salt, self.salt), self.decimal, out)
    }
}

fn key_columns(shape: &Shape) -> &[String] {
    if shape.grouping.is_empty() {
        &shape.dimensions
    } else {
        &shape.grouping
    }
}

/// The things that the key columns name, each once: `agentId` and `agentName` are both the agent.
fn key_entities<'k>(key: &'k [Cow<'_, str>]) -> Vec<&'k str> {
    let mut entities: Vec<&str> = Vec::new();
    for name in key.iter().map(|name| values::entity(name)) {
        if !entities.contains(&name) && !values::is_temporal(name) {
            entities.push(name);
        }
    }
    if entities.is_empty() {
        // Only times in the key: the first of them has to carry the number.
        entities.extend(key.first().map(|name| &**name));
    }
    entities
}

fn digit(name: &str, entities: &[&str]) -> Digit {
    let entity = values::entity(name);
    match entities.iter().position(|known| *known == entity) {
        Some(at) => Digit::Index {
            divisor: RADIX.saturating_pow(u32::try_from(at).unwrap_or(u32::MAX)),
            last: at + 1 == entities.len(),
        },
        None => Digit::Hash {
            salt: values::hash(entity.as_bytes()),
        },
    }
}

fn label(name: &str, first: bool) -> Vec<u8> {
    format!("{}\"{name}\":", if first { "" } else { "," }).into_bytes()
}

fn separate(begin: usize, out: &mut Vec<u8>) {
    if out.len() > begin {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn window(start: &str, end: &str) -> Window {
        Window {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
        }
    }

    fn day() -> Window {
        window("2026-01-14T00:00:00Z", "2026-01-15T00:00:00Z")
    }

    fn shape(dimensions: &[&str], metrics: &[&str], grouping: &[&str]) -> Shape {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Shape {
            name: "Daily".into(),
            dimensions: own(dimensions),
            metrics: own(metrics),
            grouping: own(grouping),
        }
    }

    fn sample() -> Shape {
        shape(
            &["agentId", "agentName", "queueId", "queueName"],
            &[
                "handleTime",
                "talkTime",
                "wrapUpTime",
                "callsHandled",
                "avgHandleTime",
            ],
            &["agentId", "queueId"],
        )
    }

    #[test]
    fn a_row_is_the_definitions_columns_in_order_and_about_260_bytes() {
        let rows: Vec<_> = rows_of(7, &sample(), day(), 0..10_000).collect();
        for row in &rows {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(row).unwrap();
            assert!(
                object
                    .keys()
                    .all(|name| sample().columns().any(|column| column == name))
            );
            assert_eq!(object.len(), 9);
        }
        let mean = rows.iter().map(Vec::len).sum::<usize>() / rows.len();
        assert!((230..290).contains(&mean), "{mean}");
        assert!(rows[0].starts_with(br#"{"agentId":"agent-"#));
    }

    #[test]
    fn the_key_is_unique_whatever_the_grouping() {
        for grouping in [
            &["agentId", "queueId"][..],
            &["agentName"],
            &["queueName", "agentId"],
            &["status"],
            &["date"],
            &["date", "agentId"],
            &["hour", "interval"],
            &[],
        ] {
            let dimensions = [
                "agentId",
                "agentName",
                "queueId",
                "queueName",
                "status",
                "date",
                "hour",
                "interval",
            ];
            let shape = shape(&dimensions, &["talkTime"], grouping);
            let key = if grouping.is_empty() {
                &dimensions[..]
            } else {
                grouping
            };
            let keys: HashSet<Vec<String>> = rows_of(1, &shape, day(), 0..20_000)
                .map(|row| {
                    let object: serde_json::Value = serde_json::from_slice(&row).unwrap();
                    key.iter().map(|name| object[name].to_string()).collect()
                })
                .collect();
            assert_eq!(keys.len(), 20_000, "{grouping:?}");
        }
    }

    #[test]
    fn seed_name_start_and_index_decide_and_the_end_does_not() {
        let first =
            |seed, shape: &Shape, window| rows_of(seed, shape, window, 5..6).next().unwrap();
        let other = Shape {
            name: "Other".into(),
            ..sample()
        };
        let row = first(7, &sample(), day());
        assert_eq!(
            row,
            first(
                7,
                &sample(),
                window("2026-01-14T00:00:00Z", "2026-01-14T12:00:00Z")
            )
        );
        assert_ne!(row, first(8, &sample(), day()));
        assert_ne!(row, first(7, &other, day()));
        assert_ne!(
            row,
            first(
                7,
                &sample(),
                window("2026-01-14T12:00:00Z", "2026-01-15T00:00:00Z")
            )
        );
    }

    #[test]
    fn half_a_day_has_half_the_rows() {
        assert_eq!(day().rows(1_000), 1_000);
        assert_eq!(
            window("2026-01-14T00:00:00Z", "2026-01-14T12:00:00Z").rows(1_000),
            500
        );
        assert_eq!(
            window("2026-01-15T00:00:00Z", "2026-01-14T00:00:00Z").rows(1_000),
            0
        );
    }

    #[test]
    fn the_csv_form_says_the_same() {
        let records: Vec<u8> = csv_header(&sample())
            .into_iter()
            .chain(csv_of(7, &sample(), day(), 0..5_000).flatten())
            .collect();
        let mut reader = csv::ReaderBuilder::new().from_reader(records.as_slice());
        let mut count = 0;
        for (record, row) in reader.records().zip(rows_of(7, &sample(), day(), 0..5_000)) {
            let object: serde_json::Value = serde_json::from_slice(&row).unwrap();
            for (field, column) in record.unwrap().iter().zip(sample().columns()) {
                match &object[column] {
                    serde_json::Value::String(text) => assert_eq!(field, text),
                    serde_json::Value::Null => assert_eq!(field, ""),
                    _ => assert!(
                        row.windows(field.len() + 1)
                            .any(|bytes| bytes[0] == b':' && &bytes[1..] == field.as_bytes())
                    ),
                }
            }
            count += 1;
        }
        assert_eq!(count, 5_000);
    }

    #[test]
    fn a_million_rows_are_made_without_holding_them() {
        let bytes: usize = rows_of(7, &sample(), day(), 0..1_000_000)
            .map(|row| row.len())
            .sum();
        assert!(bytes > 230_000_000, "{bytes}");
    }
}
