//! The scanner and the parser of the envelope against `serde_json`, however the bytes are cut and mangled.

use std::fmt;

use definition::PageToken;
use definition::rows::ValueKind;
use proptest::prelude::*;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::envelope::Envelope;
use super::parser::{EnvelopeParser, ParserStep};
use crate::error::Error;
use crate::page::chunk::RowChunk;
use crate::page::scan;

/// An envelope of which only the rows matter.
struct OnlyRows;

impl Envelope for OnlyRows {
    fn rows_field(&self) -> &'static str {
        "data"
    }

    fn keep_field(&mut self, _: &str, _: &[u8]) -> Result<bool, String> {
        Ok(true)
    }

    fn conclude(&self, _: u64, _: bool) -> Result<(Option<PageToken>, Option<u64>), Error> {
        Ok((None, None))
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// What the parser makes of a body that comes in pieces of these lengths: rows as lines, or `None` for an error.
fn parsed(body: &[u8], cuts: &[usize]) -> Option<Vec<u8>> {
    let mut chunk = RowChunk::new();
    let mut lines = parse_into(body, cuts, &mut chunk)?;
    lines.extend_from_slice(chunk.bytes());
    chunk.is_utf8().then_some(lines)
}

/// Parses a body that comes in pieces of these lengths. The last rows are left in the chunk; gives those before them.
fn parse_into(body: &[u8], cuts: &[usize], chunk: &mut RowChunk) -> Option<Vec<u8>> {
    let mut parser = EnvelopeParser::new(OnlyRows, 1 << 20);
    let mut lines = Vec::new();
    let (mut at, mut end, mut cuts) = (0, 0, cuts.iter().cycle());
    loop {
        let (taken, step) = parser.parse(&body[at..end], chunk).ok()?;
        at += taken;
        match step {
            ParserStep::More(wanted) if end == body.len() => {
                assert!(wanted > 0);
                return None;
            }
            ParserStep::End if end == body.len() => return Some(lines),
            ParserStep::More(_) | ParserStep::End => {
                end = body
                    .len()
                    .min(end.saturating_add(cuts.next().copied().unwrap_or(1)));
            }
            ParserStep::Rows => {}
            ParserStep::Full => {
                lines.extend_from_slice(chunk.bytes());
                chunk.clear();
            }
        }
    }
}

/// The members of a row in their order, a name that is there twice included.
struct Members<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<IgnoredAny, &RawValue>()? {
                    values.push(value);
                }
                Ok(Members(values))
            }
        }
        deserializer.deserialize_map(Values)
    }
}

/// The values of a row, and what stands between them.
fn split_row(row: &str) -> (Vec<&str>, Vec<&str>) {
    let Members(values) = serde_json::from_str(row).unwrap();
    let values: Vec<&str> = values.into_iter().map(RawValue::get).collect();
    let (mut between, mut at) = (Vec::new(), 0);
    for value in &values {
        let start = value.as_ptr().addr() - row.as_ptr().addr();
        between.push(&row[at..start]);
        at = start + value.len();
    }
    between.push(&row[at..]);
    (values, between)
}

fn kind_of(value: &str) -> ValueKind {
    match value.as_bytes()[0] {
        b'"' => ValueKind::Text,
        b'{' => ValueKind::Object,
        b'[' => ValueKind::List,
        b'n' => ValueKind::Null,
        b't' | b'f' => ValueKind::Boolean,
        _ if value.contains(['.', 'e', 'E']) => ValueKind::Decimal,
        _ => ValueKind::Integer,
    }
}

/// Compares the values that are known of some rows with what `serde_json` finds; gives how many rows are known.
fn check_values(rows: &[String], cuts: &[usize]) -> usize {
    let body = format!("{{\"data\":[{}]}}", rows.join(","));
    let mut chunk = RowChunk::new();
    parse_into(body.as_bytes(), cuts, &mut chunk).unwrap();
    let (mut known, mut at, mut before) = (0, chunk.rows(), Vec::new());
    for row in chunk.iter().map(|row| str::from_utf8(row).unwrap()) {
        let (values, between) = split_row(row);
        if let Some((of_row, said)) = at.known_row() {
            known += 1;
            assert_eq!(of_row, row.as_bytes());
            let said: Vec<_> = said
                .iter()
                .map(|it| (it.length(), it.kind(), it.is_escaped()))
                .collect();
            let is_escaped = |value: &str| value.starts_with('"') && value.contains('\\');
            let expected = values
                .iter()
                .map(|it| (it.len(), kind_of(it), is_escaped(it)));
            assert_eq!(said, expected.collect::<Vec<_>>(), "{row}");
            assert_eq!(between, before, "{row}");
            let is_compact = |it: &&str| it[1..].starts_with('"') && it.ends_with("\":");
            let (end, names) = between.split_last().unwrap();
            assert!(*end == "}" && names.iter().all(is_compact), "{row}");
        }
        at.pass_row(row.len());
        before = between;
    }
    known
}

/// Rows of a few forms, so that many are like the row before.
fn similar_rows() -> impl Strategy<Value = Vec<String>> {
    let form = prop_oneof![
        4 => Just("{\"a\":V,\"a name of more than thirty-two bytes\":V,\"\\u0062\":V}"),
        2 => Just("{\"a\":V,\"a name of more than thirty-two bytes\":V}"),
        2 => Just("{\"a\":V,\"b\":V,\"a\":V}"),
        1 => Just("{\"a\":V, \"b\":V,\"a\":V}"),
        1 => Just("{\"a\":V,\"b\" :V,\"a\":V}"),
        1 => Just("{\"a\":V,\"b\": V,\"a\":V}"),
        1 => Just("{\"a\":V,\"b\":V ,\"a\":V}"),
        1 => Just("{\"a\":V,\"b\":V,\"a\":V }"),
        1 => Just("{ \"a\":V,\"b\":V,\"a\":V}"),
        1 => Just("{}"),
    ];
    let fill = |(form, values): (&str, [String; 3])| {
        let mut values = values.into_iter();
        let pieces: Vec<&str> = form.split('V').collect();
        let (last, first) = pieces.split_last().unwrap();
        let first = first
            .iter()
            .map(|piece| format!("{piece}{}", values.next().unwrap()));
        first.collect::<String>() + last
    };
    proptest::collection::vec(
        (form, proptest::array::uniform3(value())).prop_map(fill),
        0..12,
    )
}

#[test]
fn values_are_known_of_rows_that_are_like_the_row_before() {
    let rows: Vec<String> = (0..5)
        .map(|nth| format!("{{\"a\":{nth},\"b\":\"x\"}}"))
        .collect();
    assert_eq!(check_values(&rows, &[usize::MAX / 2]), 4);
    // Each row is read again whenever a byte of it has come.
    assert_eq!(check_values(&rows, &[1]), 4);
    let long = |length: usize| vec![format!("{{\"{}\":1}}", "n".repeat(length)); 3];
    assert_eq!(check_values(&long(1_022), &[usize::MAX / 2]), 2);
    assert_eq!(check_values(&long(1_023), &[usize::MAX / 2]), 0);
    let members: Vec<String> = (0..1_025).map(|nth| format!("\"{nth}\":1")).collect();
    let wide = |count: usize| vec![format!("{{{}}}", members[..count].join(",")); 3];
    assert_eq!(check_values(&wide(1_024), &[usize::MAX / 2]), 2);
    assert_eq!(check_values(&wide(1_025), &[usize::MAX / 2]), 0);
}

/// What `serde_json` makes of it.
fn expected(body: &[u8]) -> Option<Vec<u8>> {
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    let mut lines = Vec::new();
    for row in page.data {
        if !row.get().starts_with('{') || !is_json(row.get().as_bytes()) {
            return None;
        }
        lines.extend(row.get().bytes().filter(|b| !matches!(b, b'\n' | b'\r')));
        lines.push(b'\n');
    }
    Some(lines)
}

/// Whether `serde_json` takes a value and every string in it. A number that is too large for it is fine.
fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
        && match serde_json::from_slice::<serde_json::Value>(bytes) {
            Ok(_) => true,
            Err(error) => error.to_string().starts_with("number out of range"),
        }
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\u00e9\ud83e\udd80\/\b\"\\""#.to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("[{}]", list.join(" ,\n"))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let field = (".{0,6}", "[ \t\r\n]{0,2}", value).prop_map(|(name, space, value)| {
        format!(
            "{}{space}:{space}{value}",
            serde_json::to_string(&name).unwrap()
        )
    });
    proptest::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

fn body() -> impl Strategy<Value = String> {
    let rows = proptest::collection::vec(object(value()), 0..6);
    (rows, value(), 0..3_usize, "[ \t\r\n]{0,3}").prop_map(|(rows, other, turn, space)| {
        let mut fields = [
            format!("\"data\":{space}[{space}{}{space}]", rows.join(",")),
            format!("\"x\":{other}"),
            "\"total\":3".to_owned(),
        ];
        fields.rotate_left(turn);
        format!("{space}{{{}}}{space}", fields.join(","))
    })
}

proptest! {
    #[test]
    fn rows_are_the_bytes_that_serde_json_finds(body in body(), cuts in proptest::collection::vec(1..40_usize, 1..8)) {
        let expected = expected(body.as_bytes());
        prop_assert!(expected.is_some());
        prop_assert_eq!(parsed(body.as_bytes(), &cuts), expected);
    }

    #[test]
    fn a_mangled_body_is_taken_only_if_serde_json_takes_it_and_with_the_same_rows(
        body in body(),
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cuts in proptest::collection::vec(1..40_usize, 1..8),
    ) {
        let mut body = body.into_bytes();
        for (at, byte) in hits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let parsed_in_pieces = parsed(&body, &cuts);
        prop_assert_eq!(&parsed_in_pieces, &parsed(&body, &[usize::MAX / 2]));
        if let (Some(rows), Ok(_)) = (parsed_in_pieces, serde_json::from_slice::<Page<'_>>(&body)) {
            prop_assert_eq!(Some(rows), expected(&body));
        }
    }

    #[test]
    fn known_values_are_those_that_serde_json_finds(
        rows in similar_rows(),
        cuts in proptest::collection::vec(1..200_usize, 1..8),
    ) {
        check_values(&rows, &cuts);
    }

    #[test]
    fn a_cut_off_body_is_never_whole(body in body(), at in any::<proptest::sample::Index>()) {
        let body = body.trim_end().as_bytes();
        prop_assert_eq!(parsed(&body[..at.index(body.len())], &[7]), None);
    }

    #[test]
    fn a_value_is_json_exactly_if_serde_json_says_so(
        text in value(),
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let expected = is_json(&bytes);
        bytes.push(b',');
        let ours = scan::scan_value(&bytes, 0).is_ok_and(|end| {
            let rest = &bytes[end..bytes.len() - 1];
            rest.iter().all(|b| b" \t\r\n".contains(b)) && std::str::from_utf8(&bytes).is_ok()
        });
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parsed(&bytes, &[3]);
        let _ = parsed(&[b"{\"data\":[{\"", bytes.as_slice()].concat(), &[3]);
    }
}
