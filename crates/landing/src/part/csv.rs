//! Rows as RFC 4180, and where a record ends.
//!
//! A part begins with a header line; columns come in the definition's order. A string is written as
//! its text, a number or a truth value as CXone wrote it, an array or object as compact JSON.
//! `null` and a missing member are an empty cell; the empty string is `""`, so that readers that
//! care can tell them apart. Cells are quoted only where they have to be. The one deviation from
//! the RFC: lines end with LF, as Athena's and most other readers take CR for part of the last cell.
//! A text that a spreadsheet would take for a formula may get a `'` before it ([`guarded`]).
//! In a table of one column an empty cell is written `""`, as readers skip an empty line.

use memchr::{memchr, memchr2, memchr3};

use super::Malformed;
use super::row::{Scanner, Value};

/// The header line.
pub(super) fn header(out: &mut Vec<u8>, columns: &[String]) {
    for (nth, column) in columns.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        text(out, column.as_bytes());
    }
    out.push(b'\n');
}

/// The record of the row that was scanned last.
pub(super) fn record(
    out: &mut Vec<u8>,
    scanner: &Scanner,
    row: &[u8],
    guards: bool,
) -> Result<(), Malformed> {
    let columns = scanner.columns();
    for column in 0..columns {
        if column > 0 {
            out.push(b',');
        }
        match scanner.value(row, column)? {
            Value::Missing | Value::Other(b"null") if columns == 1 => {
                out.extend_from_slice(b"\"\"");
            }
            Value::Missing | Value::Other(b"null") => {}
            Value::Text(value) if guards && is_formula(&value) => text(out, &guarded(&value)),
            Value::Text(value) => text(out, &value),
            Value::Other(json @ [b'{' | b'[', ..]) => text(out, &compact(json)),
            Value::Other(json) => out.extend_from_slice(json),
        }
    }
    out.push(b'\n');
    Ok(())
}

/// Whether a spreadsheet may take a text for a formula, or take the guard of another text for this one's own.
fn is_formula(text: &[u8]) -> bool {
    const WIDE: [&str; 4] = ["＝", "＋", "－", "＠"];
    matches!(
        text.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\'' | b'\t' | b'\r' | b'\n')
    ) || WIDE.iter().any(|wide| text.starts_with(wide.as_bytes()))
}

/// A text with a `'` before it. Whoever takes one `'` from the beginning of a cell has every text back.
fn guarded(text: &[u8]) -> Vec<u8> {
    [b"'", text].concat()
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    let quoted = text.is_empty()
        || memchr3(b',', b'"', b'\n', text).is_some()
        || memchr(b'\r', text).is_some();
    if !quoted {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    let mut rest = text;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// JSON without the spaces between its tokens.
fn compact(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in json {
        if !in_string && byte.is_ascii_whitespace() {
            continue;
        }
        out.push(byte);
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = in_string;
        } else if byte == b'"' {
            in_string = !in_string;
        }
    }
    out
}

/// Finds the ends of records in CSV that comes in pieces. Every quote opens or closes: one
/// inside a quoted cell is doubled, and there is none in another cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Records {
    quoted: bool,
}

impl Records {
    /// Behind the line end of the record that these bytes begin with or go on with; none if
    /// it goes on behind them.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.quoted {
                at += memchr(b'"', &bytes[at..])? + 1;
                self.quoted = false;
            } else {
                at += memchr2(b'"', b'\n', &bytes[at..])? + 1;
                if bytes[at - 1] == b'\n' {
                    return Some(at);
                }
                self.quoted = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use definition::{Compression, OutputFormat};
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::super::{Limits, PartSpec};
    use super::*;

    fn written(columns: &[&str], rows: &[String]) -> Vec<u8> {
        written_with(false, columns, rows)
    }

    fn written_with(formula_guard: bool, columns: &[&str], rows: &[String]) -> Vec<u8> {
        let spec = PartSpec {
            format: OutputFormat::Csv,
            compression: Compression::None,
            formula_guard,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            key: Vec::new(),
            limits: Limits::default(),
        };
        let mut scanner = Scanner::new(&spec);
        let mut out = Vec::new();
        header(&mut out, &spec.columns);
        for row in rows {
            let row = scanner.scan(row.as_bytes()).unwrap().to_owned();
            record(&mut out, &scanner, &row, spec.formula_guard).unwrap();
        }
        out
    }

    fn check(columns: &[&str], row: &str, expected: &str) {
        let csv = String::from_utf8(written(columns, &[row.to_owned()])).unwrap();
        assert_eq!(csv.split_once('\n').unwrap().1, expected);
    }

    fn any_cell() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
            "[a\",;\r\n \\t'é]{0,12}".prop_map(Into::into),
            prop::collection::vec(any::<String>(), 0..3).prop_map(Into::into),
        ]
    }

    /// What another reader should find.
    fn text_of(cell: Option<&Json>) -> String {
        match cell {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    proptest! {
        #[test]
        fn another_reader_finds_the_same_cells(
            columns in prop::collection::btree_set("[a-z\",\n]{1,4}", 1..4),
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(any_cell()), 3), 0..8),
        ) {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let rows: Vec<serde_json::Map<String, Json>> = rows
                .into_iter()
                .map(|cells| {
                    let present = |(name, cell): (&&str, Option<Json>)| Some((String::from(*name), cell?));
                    columns.iter().zip(cells).filter_map(present).collect()
                })
                .collect();
            let lines: Vec<String> = rows.iter().map(|row| Json::Object(row.clone()).to_string()).collect();
            let csv = written(&columns, &lines);

            let mut reader = csv::Reader::from_reader(&csv[..]);
            prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns.clone());
            let found: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            let expected: Vec<Vec<String>> = rows
                .iter()
                .map(|row| columns.iter().map(|name| text_of(row.get(*name))).collect())
                .collect();
            prop_assert_eq!(found, expected);

            let mut rest = &csv[..];
            let mut records = 0;
            while let Some(end) = Records::default().end(rest) {
                rest = &rest[end..];
                records += 1;
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(records, rows.len() + 1);
        }
    }

    /// A cell as a text that may be a formula, or one that is none.
    fn any_formula() -> impl Strategy<Value = String> {
        prop_oneof![
            "[=+@'\t\r\n＝＋－＠-]?[=+@'\t\r\n1A(,\" -]{0,6}",
            any::<String>()
        ]
    }

    proptest! {
        #[test]
        fn no_guarded_cell_is_a_formula_and_every_text_can_be_had_back(
            texts in prop::collection::vec(any_formula(), 1..6),
        ) {
            let lines: Vec<String> = texts.iter().map(|text| serde_json::json!({"a": text, "b": -5}).to_string()).collect();
            let csv = written_with(true, &["a", "b"], &lines);
            let mut reader = csv::Reader::from_reader(&csv[..]);
            let mut cells = Vec::new();
            for record in reader.records() {
                let record = record.unwrap();
                prop_assert_eq!(&record[1], "-5", "a number is none");
                cells.push(record[0].to_owned());
            }
            for cell in &cells {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']));
            }
            let back: Vec<&str> = cells.iter().map(|cell| cell.strip_prefix('\'').unwrap_or(cell)).collect();
            prop_assert_eq!(back, texts);
        }
    }

    #[test]
    fn formulas_stay_as_they_are_unless_the_definition_says_otherwise() {
        let row = r#"{"a":"=HYPERLINK(1)","b":"'x"}"#.to_owned();
        let unguarded = written_with(false, &["a", "b"], std::slice::from_ref(&row));
        assert_eq!(unguarded, b"a,b\n=HYPERLINK(1),'x\n");
        let guarded = written_with(true, &["a", "b"], &[row]);
        assert_eq!(guarded, b"a,b\n'=HYPERLINK(1),''x\n");
    }

    #[test]
    fn null_missing_and_empty_stay_apart() {
        check(&["a", "b", "c"], r#"{"a":null,"c":""}"#, ",,\"\"\n");
        check(&["a"], r#"{"a":null}"#, "\"\"\n");
    }

    #[test]
    fn numbers_are_verbatim_and_columns_in_the_definitions_order() {
        check(
            &["a", "b", "c", "d"],
            r#"{"d":-0,"c":1e400,"b":123456789012345678901,"a":205.50}"#,
            "205.50,123456789012345678901,1e400,-0\n",
        );
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        check(
            &["a", "b", "c"],
            r#"{"a":"Zoë \"Zed\"","b":"Billing, EU","c":"two\r\nlines"}"#,
            "\"Zoë \"\"Zed\"\"\",\"Billing, EU\",\"two\r\nlines\"\n",
        );
        check(
            &["a", "b"],
            r#"{"a":"cr\r","b":" plain "}"#,
            "\"cr\r\", plain \n",
        );
    }

    #[test]
    fn nested_values_are_compact_json() {
        check(
            &["a", "b"],
            r#"{"a":{ "x" : [1, "a \" b"] },"b":true}"#,
            "\"{\"\"x\"\":[1,\"\"a \\\"\" b\"\"]}\",true\n",
        );
    }

    #[test]
    fn records_end_outside_quotes_only() {
        let csv = b"a,\"b\n\"\"c\"\"\n\",d\nnext\n";
        for cut in 0..csv.len() {
            let mut records = Records::default();
            let (head, tail) = csv.split_at(cut);
            let first = match records.end(head) {
                Some(end) => end,
                None => cut + records.end(tail).unwrap(),
            };
            assert_eq!(&csv[first..], b"next\n", "cut at {cut}");
        }
    }
}
