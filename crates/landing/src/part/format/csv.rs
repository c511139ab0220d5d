//! CSV after RFC 4180.
//!
//! A part begins with a header line, and columns stand in the definition's order. A string is
//! written as its text, a number or boolean as CXone wrote it, an array or object as compact JSON.
//! `null` and a missing field are an empty cell; the empty string is `""`, so that a reader that
//! tells the two apart can. Cells are quoted only where they have to be. Lines end with LF instead
//! of the RFC's CRLF, because Athena and most other readers take CR for a part of the last cell.
//! A text that a spreadsheet would take for a formula may get a `'` before it ([`with_guard`]).
//! In a table of one column an empty cell is written `""`, because readers skip an empty line.

use delivery::effects::Answered;
use memchr::{memchr, memchr2, memchr3};

use super::Traits;
use super::delimited::FindRecordEnd;
use crate::part::data::DataWriter;
use crate::part::row::{Malformed, Scanner, Value};

pub(super) const TRAITS: Traits = Traits {
    extension: ".csv",
    content_type: "text/csv; charset=utf-8; header=present",
    keeps_repeated_columns: false,
};

/// Encodes rows as records.
#[derive(Debug)]
pub(in crate::part) struct RecordWriter {
    /// What was encoded and not written yet.
    encoded: Vec<u8>,
    formula_guard: bool,
}

impl RecordWriter {
    /// A writer that begins with the header.
    pub(super) fn new(columns: &[String], formula_guard: bool) -> Self {
        let mut encoded = Vec::new();
        for (nth, column) in columns.iter().enumerate() {
            if nth > 0 {
                encoded.push(b',');
            }
            push_text(&mut encoded, column.as_bytes());
        }
        encoded.push(b'\n');
        Self {
            encoded,
            formula_guard,
        }
    }

    /// Encodes the row that was scanned last.
    pub(super) fn encode_row(&mut self, scanner: &Scanner, row: &[u8]) -> Result<(), Malformed> {
        let out = &mut self.encoded;
        let columns = scanner.column_count();
        for column in 0..columns {
            if column > 0 {
                out.push(b',');
            }
            match scanner.value(row, column)? {
                Value::Missing | Value::Other(b"null") if columns == 1 => {
                    out.extend_from_slice(b"\"\"");
                }
                Value::Missing | Value::Other(b"null") => {}
                Value::Text(text) if self.formula_guard && is_formula(&text) => {
                    push_text(out, &with_guard(&text));
                }
                Value::Text(text) => push_text(out, &text),
                Value::Other(json @ [b'{' | b'[', ..]) => push_text(out, &compact_json(json)),
                Value::Other(json) => out.extend_from_slice(json),
            }
        }
        out.push(b'\n');
        Ok(())
    }

    pub(super) fn write_encoded(&mut self, data: &mut DataWriter) -> Answered<()> {
        data.write(&self.encoded)?;
        self.encoded.clear();
        Ok(())
    }
}

/// Whether a spreadsheet may take the text for a formula, or its first `'` for a guard.
fn is_formula(text: &[u8]) -> bool {
    const FULL_WIDTH: [&str; 4] = ["＝", "＋", "－", "＠"];
    matches!(
        text.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\'' | b'\t' | b'\r' | b'\n')
    ) || FULL_WIDTH
        .iter()
        .any(|sign| text.starts_with(sign.as_bytes()))
}

/// The text with a `'` before it. Removing one `'` from the beginning of a cell restores every text.
fn with_guard(text: &[u8]) -> Vec<u8> {
    [b"'", text].concat()
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    let is_quoted = text.is_empty()
        || memchr3(b',', b'"', b'\n', text).is_some()
        || memchr(b'\r', text).is_some();
    if !is_quoted {
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
pub(super) fn compact_json(json: &[u8]) -> Vec<u8> {
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

/// The names of the columns in a header.
pub(in crate::part) fn read_names(header: &[u8]) -> Vec<String> {
    let cells = read_cells(header).into_iter();
    cells.map(Option::unwrap_or_default).collect()
}

/// The texts of a record's cells; none for an empty one.
pub(super) fn read_cells(record: &[u8]) -> Vec<Option<String>> {
    let within = |cell: &str| Some(cell.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let cells = split_record(record).into_iter();
    let texts = cells.map(|cell| match within(&cell) {
        Some(text) => Some(text.replace("\"\"", "\"")),
        None => Some(cell).filter(|cell| !cell.is_empty()),
    });
    texts.collect()
}

/// The cells of a record, as they are written.
pub(super) fn split_record(record: &[u8]) -> Vec<String> {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    let mut is_quoted = false;
    let cells = record.split(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    });
    cells
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect()
}

/// Finds the ends of records. Every quote opens or closes a cell: one inside a quoted cell is
/// doubled, and an unquoted cell holds none.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::part) struct RecordEnds {
    is_quoted: bool,
}

impl FindRecordEnd for RecordEnds {
    const HAS_HEADER: bool = true;

    fn find_record_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.is_quoted {
                at += memchr(b'"', &bytes[at..])? + 1;
                self.is_quoted = false;
            } else {
                at += memchr2(b'"', b'\n', &bytes[at..])? + 1;
                if bytes[at - 1] == b'\n' {
                    return Some(at);
                }
                self.is_quoted = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    fn written(columns: &[&str], rows: &[String]) -> Vec<u8> {
        written_with(false, columns, rows)
    }

    fn written_with(formula_guard: bool, columns: &[&str], rows: &[String]) -> Vec<u8> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut scanner = Scanner::new(&columns, &[], TRAITS.keeps_repeated_columns);
        let mut writer = RecordWriter::new(&columns, formula_guard);
        for row in rows {
            let row = scanner.scan(row.as_bytes()).unwrap().to_owned();
            writer.encode_row(&scanner, &row).unwrap();
        }
        writer.encoded
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
            while let Some(end) = RecordEnds::default().find_record_end(rest) {
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
    fn names_of_a_header_are_had_back() {
        let columns = ["plain", "a \"b\"", "\"c,\nd\"", "\"", "e\r"];
        assert_eq!(read_names(&written(&columns, &[])), columns);
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
            let mut records = RecordEnds::default();
            let (head, tail) = csv.split_at(cut);
            let first = match records.find_record_end(head) {
                Some(end) => end,
                None => cut + records.find_record_end(tail).unwrap(),
            };
            assert_eq!(&csv[first..], b"next\n", "cut at {cut}");
        }
    }
}
