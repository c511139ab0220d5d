use delivery::columns::{MAX_COLUMN_NAME, MAX_COLUMNS};
use proptest::prelude::*;

use super::*;

fn scanner(columns: &[&str], key: &[&str]) -> Scanner {
    let owned =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    Scanner::new(&owned(columns), &owned(key), true)
}

fn key_of(row: &str) -> Result<u128, Malformed> {
    let mut scanner = scanner(&["a", "b"], &["a", "b"]);
    let row = scanner.scan(row.as_bytes())?.to_owned();
    scanner.key_hash(&row)
}

fn check_same(one: &str, other: &str) {
    assert_eq!(
        key_of(one).unwrap(),
        key_of(other).unwrap(),
        "{one} {other}"
    );
}

fn check_differs(one: &str, other: &str) {
    assert_ne!(
        key_of(one).unwrap(),
        key_of(other).unwrap(),
        "{one} {other}"
    );
}

#[test]
fn a_key_does_not_depend_on_how_its_text_is_written() {
    check_same(
        r#"{"a":"x","b":1}"#,
        r#" { "b" : 1 , "z":[{"a":"}"}], "\u0061" : "\u0078" } "#,
    );
    check_same(r#"{"a":"\"","b":"é"}"#, r#"{"a":"\u0022","b":"\u00e9"}"#);
    check_differs(r#"{"a":"1","b":1}"#, r#"{"a":1,"b":1}"#);
    check_differs(r#"{"a":"","b":"x"}"#, r#"{"a":"x","b":""}"#);
    check_differs(r#"{"a":null,"b":1}"#, r#"{"a":"null","b":1}"#);
    check_differs(r#"{"a":1.0,"b":1}"#, r#"{"a":1,"b":1}"#);
}

#[test]
fn a_key_column_is_there_exactly_once() {
    assert_eq!(
        key_of(r#"{"a":1,"z":1}"#),
        Err(Malformed::Missing("b".to_owned()))
    );
    assert_eq!(key_of("{}"), Err(Malformed::Missing("a".to_owned())));
    assert_eq!(
        key_of(r#"{"a":1,"b":1,"a":1}"#),
        Err(Malformed::Twice("a".to_owned()))
    );
}

#[test]
fn text_that_is_no_row_is_refused() {
    for text in [
        "",
        "[]",
        "1",
        "{",
        r#"{"a""#,
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"{"a":"x\"#,
        r#"{"a":1}x"#,
        r#"{"a":[1}"#,
        "{a:1}",
        "{\"a\":[\n1]}",
        r#"{"a":,"b":1}"#,
        r#"{"a":1,}"#,
    ] {
        // A bracket of the wrong kind is the page reader's business; it ends in an error here too.
        assert!(key_of(text).is_err(), "{text}");
    }
    assert_eq!(
        key_of(r#"{"a":"\ud800","b":1}"#),
        Err(Malformed::Text("a".to_owned()))
    );
}

/// The counts of some rows, as the commit has them; empty texts among the kinds.
fn counted(columns: &[&str], rows: &[&str]) -> serde_json::Value {
    let mut scanner = scanner(columns, &[]);
    for row in rows {
        let line = format!("{row}\n{{");
        scanner.scan(line.as_bytes()).unwrap();
    }
    let counts = scanner.column_counts();
    let columns = counts.columns.into_iter();
    let all = columns.map(|column| {
        let mut kinds = serde_json::json!(column.kinds);
        let empty_texts = column.empty_texts.unwrap();
        if empty_texts > 0 {
            kinds["empty text"] = empty_texts.into();
        }
        (column.name, kinds)
    });
    all.collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn values_are_counted_by_column_and_kind() {
    let row =
        r#"{"a":"1","n":null,"i":-12,"d":1.5,"e":12E3,"t":true,"o":{"x":[1.5]},"l":[null],"s":""}"#;
    let spaced = r#" { "l" : [] , "a" : 1 , "d": -0.0, "t":false , "s" : "" } "#;
    assert_eq!(
        counted(&["a", "missing"], &[row, row, spaced, row]),
        serde_json::json!({
            "a": {"text": 3, "integer": 1}, "n": {"null": 3}, "i": {"integer": 3}, "d": {"decimal": 4},
            "e": {"decimal": 3}, "t": {"boolean": 4}, "o": {"object": 3}, "l": {"list": 4},
            "s": {"text": 4, "empty text": 4},
        })
    );
}

#[test]
fn a_row_counts_once_in_a_column_that_it_has_twice() {
    let row = r#"{"a":1,"b":"x","b":2}"#;
    let expected = serde_json::json!({"a": {"integer": 3}, "b": {"text": 3}});
    assert_eq!(counted(&["a"], &[row, row, row]), expected);
}

#[test]
fn columns_without_end_and_names_without_end_are_counted_together() {
    let mut scanner = scanner(&["a"], &["a"]);
    let long = "x".repeat(MAX_COLUMN_NAME + 1);
    for n in 0..2 * MAX_COLUMNS {
        let row = format!(r#"{{"a":1,"n{n}":1,"{long}":[]}}"#);
        scanner.scan(row.as_bytes()).unwrap();
    }
    let counts = scanner.column_counts();
    assert_eq!(counts.columns.len(), MAX_COLUMNS);
    let rows: u64 = counts.columns.iter().map(|column| column.rows).sum();
    assert_eq!(rows + counts.unlisted, 3 * 2 * MAX_COLUMNS as u64);
}

proptest! {
    #[test]
    fn cells_are_what_a_parser_finds(rows in prop::collection::vec(any_row(), 1..8)) {
        let names = ["a", "b", "quite a long name"];
        let mut scanner = scanner(&names, &[]);
        // The second time, a row is one like the row before.
        for row in rows.iter().flat_map(|row| [row, row]) {
            let line = format!("{row}\n{{");
            let found = scanner.scan(line.as_bytes()).unwrap();
            prop_assert_eq!(found, &line.as_bytes()[..line.len() - 2]);
            for (column, name) in names.iter().enumerate() {
                let value = scanner.value(found, column).unwrap();
                match &row[*name] {
                    serde_json::Value::String(text) => {
                        prop_assert_eq!(value, Value::Text(text.as_bytes().into()));
                    }
                    other if row.get(*name).is_some() => {
                        let json = other.to_string();
                        prop_assert_eq!(value, Value::Other(json.as_bytes()));
                    }
                    _ => prop_assert_eq!(value, Value::Missing),
                }
            }
        }
    }

    #[test]
    fn kinds_are_what_a_parser_finds(rows in prop::collection::vec(any_row(), 1..8)) {
        let mut expected = std::collections::BTreeMap::<(String, &str), u64>::new();
        // The second time, a row is one like the row before.
        let lines: Vec<String> = rows.iter().flat_map(|row| [row.to_string(), row.to_string()]).collect();
        for (name, value) in rows.iter().flat_map(|row| row.as_object().unwrap()) {
            let kind = match value {
                serde_json::Value::Null => "null",
                serde_json::Value::Bool(_) => "boolean",
                serde_json::Value::Number(number) if number.is_f64() => "decimal",
                serde_json::Value::Number(_) => "integer",
                serde_json::Value::String(_) => "text",
                serde_json::Value::Array(_) => "list",
                serde_json::Value::Object(_) => "object",
            };
            *expected.entry((name.clone(), kind)).or_default() += 2;
            if value == "" {
                *expected.entry((name.clone(), "empty text")).or_default() += 2;
            }
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let found = counted(&["a", "c"], &lines);
        let found = found.as_object().unwrap().iter().flat_map(|(name, kinds)| {
            let kinds = kinds.as_object().unwrap().iter();
            kinds.map(|(kind, count)| ((name.clone(), kind.clone()), count.as_u64().unwrap()))
        });
        let found: std::collections::BTreeMap<_, _> = found.collect();
        let expected = expected.into_iter().map(|((name, kind), count)| ((name, kind.to_owned()), count)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(
        prop::sample::select(b"{}[]\",:\\ \nau0".to_vec()), 0..40)) {
        let mut scanner = scanner(&["a"], &["a"]);
        if let Ok(row) = scanner.scan(&bytes) {
            let row = row.to_owned();
            let _ = scanner.key_hash(&row);
        }
    }
}

fn any_row() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e6..1e6).prop_map(Into::into),
        Just("".into()),
        "[a-z\"\\\\\n,é]{0,30}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("[a-c\"]{1,3}", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(
        prop::sample::select(vec!["a", "b", "quite a long name", "c", "d\""]),
        value,
        0..5,
    )
    .prop_map(|map| {
        serde_json::Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    })
}
