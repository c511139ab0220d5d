//! Rows come back from Parquet as they were committed.

use bytes::Bytes;
use definition::{ColumnType, Window};
use delta_table::{Column, FileWriter, RowStamp, Schema, WrittenFile};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const TYPES: [ColumnType; 5] = [
    ColumnType::String,
    ColumnType::Long,
    ColumnType::Double,
    ColumnType::Boolean,
    ColumnType::Timestamp,
];

fn schema() -> Schema {
    let columns = TYPES.map(|column_type| Column {
        name: column_type.to_string(),
        column_type,
    });
    Schema::new(&columns)
}

fn stamp() -> RowStamp {
    let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
    RowStamp {
        window,
        version: 7,
        loaded_at: window.end(),
    }
}

fn finish(writer: FileWriter, mut bytes: Vec<u8>) -> (WrittenFile, Vec<Map<String, Value>>) {
    let (rest, written) = writer.finish().unwrap();
    bytes.extend(rest);
    assert_eq!(written.bytes, bytes.len() as u64);
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let cells = row.get_column_iter().map(|(name, field)| {
            let value = match field {
                Field::Null => Value::Null,
                Field::Bool(value) => json!(value),
                Field::Long(value) => json!(value),
                Field::Double(value) => json!(value),
                Field::Str(text) => json!(text),
                Field::TimestampMicros(micros) => {
                    json!(
                        jiff::Timestamp::from_microsecond(*micros)
                            .unwrap()
                            .to_string()
                    )
                }
                other => panic!("{other:?}"),
            };
            (name.clone(), value)
        });
        cells.collect()
    });
    (written, rows.collect())
}

/// A value as it is sent, and what the table has of it; `None` if it does not fit.
type Sent = (Value, Option<Value>);

fn any_value(column_type: ColumnType) -> BoxedStrategy<Sent> {
    let fits = |value: Value| (value.clone(), Some(value));
    let good = match column_type {
        ColumnType::String => any::<String>()
            .prop_map(move |text| fits(json!(text)))
            .boxed(),
        ColumnType::Long => any::<i64>()
            .prop_map(move |number| fits(json!(number)))
            .boxed(),
        ColumnType::Double => any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(move |number| fits(json!(number)))
            .boxed(),
        ColumnType::Boolean => any::<bool>().prop_map(move |it| fits(json!(it))).boxed(),
        ColumnType::Timestamp => (0_i64..4_000_000_000_000_000)
            .prop_map(move |micros| {
                let time = jiff::Timestamp::from_microsecond(micros).unwrap();
                fits(json!(time.to_string()))
            })
            .boxed(),
    };
    let bad = if column_type == ColumnType::String {
        Just((json!([1, {"a": "b"}]), Some(json!("[1,{\"a\":\"b\"}]")))).boxed()
    } else {
        prop_oneof![
            Just(json!("n/a")),
            Just(json!({"a": [1, "é\""]})),
            Just(json!("1 2"))
        ]
        .prop_map(|value| (value, None))
        .boxed()
    };
    prop_oneof![6 => good, 1 => Just((Value::Null, Some(Value::Null))), 2 => bad].boxed()
}

fn any_row() -> impl Strategy<Value = (Vec<Option<Sent>>, Option<(String, String)>)> {
    let cells: Vec<_> = TYPES
        .iter()
        .map(|column_type| prop::option::weighted(0.9, any_value(*column_type)))
        .collect();
    (
        cells,
        prop::option::weighted(0.3, ("new[a-z\"é]{0,3}", any::<String>())),
    )
}

proptest! {
    #[test]
    fn a_row_comes_back_as_it_was_sent(rows in prop::collection::vec(any_row(), 1..40)) {
        let mut writer = FileWriter::new(&schema(), stamp()).unwrap();
        let mut expected = Vec::new();
        let (mut misfits, mut unplaced) = (0, 0);
        for (cells, new) in &rows {
            let (mut sent, mut row, mut extra) = (Map::new(), Map::new(), Map::new());
            for (column_type, cell) in TYPES.iter().zip(cells) {
                let name = column_type.to_string();
                let (value, held) = cell.clone().unwrap_or((Value::Null, Some(Value::Null)));
                if cell.is_some() {
                    sent.insert(name.clone(), value.clone());
                }
                if held.is_none() {
                    extra.insert(name.clone(), value);
                    misfits += 1;
                }
                row.insert(name, held.unwrap_or_default());
            }
            if let Some((name, text)) = new {
                sent.insert(name.clone(), json!(text));
                extra.insert(name.clone(), json!(text));
                unplaced += 1;
            }
            writer.push_json(Value::Object(sent).to_string().as_bytes()).unwrap();
            row.insert("_window_start".to_owned(), json!("2026-11-21T00:00:00Z"));
            row.insert("_window_end".to_owned(), json!("2026-11-22T00:00:00Z"));
            row.insert("_version".to_owned(), json!(7));
            row.insert("_loaded_at".to_owned(), json!("2026-11-22T00:00:00Z"));
            expected.push((row, extra));
        }
        let encoded = writer.take_encoded().unwrap();
        let (written, found) = finish(writer, encoded);
        prop_assert_eq!(written.rows, rows.len() as u64);
        prop_assert_eq!(written.tally.nulled.values().sum::<u64>(), misfits);
        prop_assert_eq!(written.tally.unplaced.values().sum::<u64>(), unplaced);
        for ((row, extra), mut found) in expected.into_iter().zip(found) {
            let kept = found.remove("_extra").unwrap();
            let kept = kept.as_str().map_or(json!({}), |text| serde_json::from_str(text).unwrap());
            prop_assert_eq!(kept, Value::Object(extra));
            prop_assert_eq!(found, row);
        }
    }
}

/// What a row has in the columns of texts and of whole numbers, and in `_extra`.
fn check(writer: FileWriter, expected: &[(Value, Value, Value)], tally: &Value) {
    let (written, found) = finish(writer, Vec::new());
    let found = found.into_iter().map(|mut row| {
        let mut take = |name: &str| row.remove(name).unwrap();
        (take("string"), take("long"), take("_extra"))
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(json!(written.tally), *tally);
}

#[test]
fn json_of_every_form_is_taken() {
    let mut writer = FileWriter::new(&schema(), stamp()).unwrap();
    let null = Value::Null;
    let mut expected = Vec::new();
    for (row, string, long, extra) in [
        (
            r#"{"string":"a","long":1}"#,
            json!("a"),
            json!(1),
            null.clone(),
        ),
        (
            " { \"long\" : 2 , \"string\" : \"a\\u00e9\\n\" } \n",
            json!("aé\n"),
            json!(2),
            null.clone(),
        ),
        (
            r#"{"long":1,"long":2}"#,
            null.clone(),
            json!(2),
            json!(r#"{"long":1}"#),
        ),
        (
            r#"{"long":12345678901234567890,"other":1.50}"#,
            null.clone(),
            null.clone(),
            json!(r#"{"other":1.50,"long":12345678901234567890}"#),
        ),
        (
            r#"{"string":"\ud800"}"#,
            json!("\"\\ud800\""),
            null.clone(),
            null.clone(),
        ),
        (
            r#"{"_version":9,"LONG":3}"#,
            null.clone(),
            null.clone(),
            json!(r#"{"_version":9,"LONG":3}"#),
        ),
        ("{}", null.clone(), null.clone(), null.clone()),
    ] {
        writer.push_json(row.as_bytes()).unwrap();
        expected.push((string, long, extra));
    }
    for bad in ["[1]", "{", "", "{\"a\":1} {}"] {
        assert!(writer.push_json(bad.as_bytes()).is_err(), "{bad}");
    }
    let unplaced = json!({"long": 1, "other": 1, "_version": 1, "LONG": 1});
    check(
        writer,
        &expected,
        &json!({"nulled": {"long": 1}, "unplaced": unplaced}),
    );
}

#[test]
fn csv_of_every_form_is_taken() {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let mut writer = FileWriter::new(&schema(), stamp()).unwrap();
    let null = Value::Null;
    let mut expected = Vec::new();
    for (columns, record, string, long, extra) in [
        (
            ["string", "long"],
            "\"a \"\"b\"\", c\",3\n",
            json!("a \"b\", c"),
            json!(3),
            null.clone(),
        ),
        (
            ["long", "string"],
            ",\"\"\n",
            json!(""),
            null.clone(),
            null.clone(),
        ),
        (
            ["long", "string"],
            "\"\",\n",
            null.clone(),
            null.clone(),
            null.clone(),
        ),
        (
            ["long", "other"],
            "1 h,\"x\ny\"\n",
            null.clone(),
            null.clone(),
            json!(r#"{"other":"x\ny","long":"1 h"}"#),
        ),
    ] {
        writer
            .push_csv(&names(&columns), record.as_bytes())
            .unwrap();
        expected.push((string, long, extra));
    }
    assert!(writer.push_csv(&names(&["long"]), b"1,2\n").is_err());
    let tally = json!({"nulled": {"long": 1}, "unplaced": {"other": 1}});
    check(writer, &expected, &tally);
}

#[test]
fn a_large_file_is_written_row_group_by_row_group() {
    let mut writer = FileWriter::new(&schema(), stamp()).unwrap();
    let (mut bytes, mut largest, text) = (Vec::new(), 0, "x".repeat(900));
    for nth in 0..40_000 {
        let row = json!({"string": format!("{nth}{text}{nth}"), "long": nth, "double": 0.5});
        writer.push_json(row.to_string().as_bytes()).unwrap();
        let encoded = writer.take_encoded().unwrap();
        largest = largest.max(encoded.len());
        bytes.extend(encoded);
    }
    assert!(!writer.is_full());
    assert!(largest < 12 * 1024 * 1024, "{largest}");
    let groups = {
        let (rest, _) = writer.finish().unwrap();
        bytes.extend(rest);
        let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 40_000);
        reader.num_row_groups()
    };
    assert!((4..=6).contains(&groups), "{groups}");
}
