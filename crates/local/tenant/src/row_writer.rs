//! Writes rows as JSON and CSV.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::shape::Shape;
use crate::values::{self, Text};
use crate::window::Window;

/// How many values a key column takes before the next one counts up; the last one is not bounded.
const RADIX: u64 = 1_009;

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

/// The source of a dimension's number.
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
        let base = values::mix_bits(
            values::mix_bits(seed, values::hash_bytes(shape.name.as_bytes())),
            start,
        );
        let key = key_columns(shape);
        let plain: Vec<_> = key
            .iter()
            .map(|name| values::canonical_name(name))
            .collect();
        let entities = key_entities(&plain);
        let dimensions = shape.dimensions.iter().enumerate();
        let dimensions = dimensions.map(|(at, name)| Dimension {
            label: json_label(name, at == 0),
            text: Text::for_column(name, seed, key.contains(name)),
            digit: key_digit(&values::canonical_name(name), &entities),
        });
        let metrics = shape.metrics.iter().enumerate();
        let metrics = metrics.map(|(at, name)| Metric {
            label: json_label(name, at == 0 && shape.dimensions.is_empty()),
            decimal: values::is_decimal(&values::canonical_name(name)),
            salt: values::hash_bytes(values::canonical_name(name).as_bytes()),
        });
        Self {
            base,
            start: window.start,
            dimensions: dimensions.collect(),
            metrics: metrics.collect(),
        }
    }

    /// Appends the row as a JSON object.
    pub(crate) fn write_json(&self, index: u64, out: &mut Vec<u8>) {
        self.write_json_variant(index, 0, out);
    }

    /// The row with the same key; another `variant` gives other metrics.
    pub(crate) fn write_json_variant(&self, index: u64, variant: u64, out: &mut Vec<u8>) {
        let salt = values::mix_bits(self.base, index);
        out.push(b'{');
        for dimension in &self.dimensions {
            out.extend_from_slice(&dimension.label);
            dimension
                .text
                .write_json(dimension.pick_number(index, salt), self.start, out);
        }
        for metric in &self.metrics {
            out.extend_from_slice(&metric.label);
            if !metric.write_number(salt.wrapping_add(variant), out) {
                out.extend_from_slice(b"null");
            }
        }
        out.push(b'}');
    }

    /// Appends the row as a CSV record; a null is an empty field, an empty text a quoted empty field.
    pub(crate) fn write_csv(&self, index: u64, out: &mut Vec<u8>) {
        self.write_csv_variant(index, 0, out);
    }

    /// The record of [`RowWriter::json_variant`].
    pub(crate) fn write_csv_variant(&self, index: u64, variant: u64, out: &mut Vec<u8>) {
        let salt = values::mix_bits(self.base, index);
        let begin = out.len();
        for dimension in &self.dimensions {
            write_comma(begin, out);
            dimension
                .text
                .write_csv(dimension.pick_number(index, salt), self.start, out);
        }
        for (at, metric) in self.metrics.iter().enumerate() {
            if at > 0 || !self.dimensions.is_empty() {
                out.push(b',');
            }
            metric.write_number(salt.wrapping_add(variant), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl Dimension {
    fn pick_number(&self, index: u64, salt: u64) -> u64 {
        match self.digit {
            Digit::Index {
                divisor,
                last: true,
            } => index / divisor,
            Digit::Index {
                divisor,
                last: false,
            } => index / divisor % RADIX,
            Digit::Hash { salt: column } => values::mix_bits(salt, column) % 997,
        }
    }
}

impl Metric {
    /// Appends the number, or nothing and `false` for a null.
    fn write_number(&self, salt: u64, out: &mut Vec<u8>) -> bool {
        values::write_number(values::mix_bits(salt, self.salt), self.decimal, out)
    }
}

fn key_columns(shape: &Shape) -> &[String] {
    if shape.grouping.is_empty() {
        &shape.dimensions
    } else {
        &shape.grouping
    }
}

/// The entities of the key columns, each once: `agentId` and `agentName` are both the agent.
fn key_entities<'k>(key: &'k [Cow<'_, str>]) -> Vec<&'k str> {
    let mut entities: Vec<&str> = Vec::new();
    for name in key.iter().map(|name| values::entity_name(name)) {
        if !entities.contains(&name) && !values::is_temporal(name) {
            entities.push(name);
        }
    }
    if entities.is_empty() {
        // The key has only times, so the first of them gets the number.
        entities.extend(key.first().map(|name| &**name));
    }
    entities
}

fn key_digit(name: &str, entities: &[&str]) -> Digit {
    let entity = values::entity_name(name);
    match entities.iter().position(|known| *known == entity) {
        Some(at) => Digit::Index {
            divisor: RADIX.saturating_pow(u32::try_from(at).unwrap_or(u32::MAX)),
            last: at + 1 == entities.len(),
        },
        None => Digit::Hash {
            salt: values::hash_bytes(entity.as_bytes()),
        },
    }
}

fn json_label(name: &str, first: bool) -> Vec<u8> {
    format!("{}\"{name}\":", if first { "" } else { "," }).into_bytes()
}

fn write_comma(begin: usize, out: &mut Vec<u8>) {
    if out.len() > begin {
        out.push(b',');
    }
}
