//! The rows that a report has in a window.
//!
//! Nothing is stored. A row is a function of the seed, the report's name, the window's start and the row's
//! index, written straight into bytes, so that millions can be served, and compared with what landed.

use std::ops::Range;

use crate::row_writer::RowWriter;
use crate::shape::Shape;
use crate::window::Window;

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
        writer.write_json(index, &mut row);
        row
    })
}

/// The same rows as CSV (RFC 4180), each with its CRLF, without the header.
pub fn csv_of(
    seed: u64,
    shape: &Shape,
    window: Window,
    range: Range<u64>,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    let writer = RowWriter::new(seed, shape, window);
    range.map(move |index| {
        let mut row = Vec::with_capacity(200);
        writer.write_csv(index, &mut row);
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
