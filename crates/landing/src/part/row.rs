//! Finding the members of a row without parsing it.
//!
//! Rows of a page have the same members in the same order and no spaces between them. So a row is
//! first tried as one like the row before, whose names only have to be compared; any other row is
//! taken member by member, and becomes what the next one is compared with. A row is well-formed
//! JSON (its page was checked); text that is not ends in an error or in odd cells, never in a panic.

use std::borrow::Cow;

use cxone::OutputFormat;
use memchr::memchr2;
use xxhash_rust::xxh3::xxh3_128;

use super::{Malformed, PartSpec};

/// No more names of unknown members are kept, and no more characters of one.
const EXTRA_COLUMNS: usize = 16;
const EXTRA_LENGTH: usize = 64;

/// No more members of the row before are remembered.
const LAYOUT: usize = 1024;

/// The value of a column in a row, as JSON.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    start: usize,
    /// 0: the row has no such member.
    end: usize,
    /// A string with escapes.
    escaped: bool,
}

/// Bytes of a name that are compared at once.
const NAME: usize = 32;

/// A member of the row before.
#[derive(Debug)]
struct Member {
    /// What stands before its value where there are no spaces: `{"name":` or `,"name":`.
    before: Vec<u8>,
    /// The same, filled up with zeros, and ones where it has bytes; if it is not too long.
    padded: Option<([u64; NAME / 8], [u64; NAME / 8])>,
    column: Option<usize>,
}

/// Scans rows one after the other.
#[derive(Debug)]
pub(super) struct Scanner {
    columns: Vec<String>,
    /// Places of the key columns among the columns.
    key: Vec<usize>,
    /// Columns of which a second value is an error.
    once: Vec<bool>,
    layout: Vec<Member>,
    cells: Vec<Cell>,
    extra: Vec<String>,
    canonical: Vec<u8>,
}

impl Scanner {
    pub(super) fn new(spec: &PartSpec) -> Self {
        let mut columns = spec.columns.clone();
        let mut key = Vec::new();
        for name in &spec.key {
            let place = columns.iter().position(|column| column == name);
            key.push(place.unwrap_or(columns.len()));
            if place.is_none() {
                columns.push(name.clone());
            }
        }
        // NDJSON keeps both values of a member that is there twice; CSV would lose one.
        let csv = spec.format == OutputFormat::Csv;
        Self {
            once: (0..columns.len())
                .map(|place| csv || key.contains(&place))
                .collect(),
            cells: vec![Cell::default(); columns.len()],
            layout: Vec::new(),
            extra: Vec::new(),
            canonical: Vec::new(),
            columns,
            key,
        }
    }

    /// The number of columns.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn extra_columns(&self) -> &[String] {
        &self.extra
    }

    /// Finds the cells of the first of these rows; gives the row without its line end.
    #[inline]
    pub(super) fn scan<'a>(&mut self, lines: &'a [u8]) -> Result<&'a [u8], Malformed> {
        match self.scan_alike(lines) {
            Some(end) => Ok(&lines[..end]),
            None => self.scan_any(lines),
        }
    }

    /// Finds the cells of a row whose members are those of the row before, so that
    /// exactly the same cells are found; gives the row's end.
    #[inline]
    fn scan_alike(&mut self, lines: &[u8]) -> Option<usize> {
        if self.layout.is_empty() {
            return None;
        }
        let mut at = 0;
        for member in &self.layout {
            let start = at + member.length_in(lines.get(at..)?)?;
            let escaped;
            (at, escaped) = match lines.get(start)? {
                b'"' => string_end(lines, start + 1)?,
                b'{' | b'[' => (nested_end(lines, start)?, false),
                _ => (start + scalar_length(&lines[start..])?, false),
            };
            if let Some(column) = member.column {
                self.cells[column] = Cell {
                    start,
                    end: at,
                    escaped,
                };
            }
        }
        (lines.get(at..at + 2)? == b"}\n").then_some(at + 1)
    }

    /// Finds the cells of any row.
    fn scan_any<'a>(&mut self, lines: &'a [u8]) -> Result<&'a [u8], Malformed> {
        self.cells.fill(Cell::default());
        let mut nth = 0;
        let mut at = skip_space(lines, 0);
        if lines.get(at) != Some(&b'{') {
            return Err(Malformed::NotAnObject);
        }
        at = skip_space(lines, at + 1);
        if lines.get(at) == Some(&b'}') {
            self.layout.clear();
            return row_end(lines, at + 1);
        }
        loop {
            let column;
            (column, at) = self.name(lines, at, nth).ok_or(Malformed::NotAnObject)?;
            let start = skip_space(lines, at);
            let escaped;
            (at, escaped) = value_end(lines, start).ok_or(Malformed::NotAnObject)?;
            if let Some(column) = column {
                if self.cells[column].end != 0 && self.once[column] {
                    return Err(Malformed::Twice(self.columns[column].clone()));
                }
                self.cells[column] = Cell {
                    start,
                    end: at,
                    escaped,
                };
            }
            nth += 1;
            at = skip_space(lines, at);
            match lines.get(at) {
                Some(b',') => at = skip_space(lines, at + 1),
                Some(b'}') => break,
                _ => return Err(Malformed::NotAnObject),
            }
        }
        // A row of too many members is not remembered, so that none is like it.
        self.layout.truncate(if nth > LAYOUT { 0 } else { nth });
        row_end(lines, at + 1)
    }

    /// XXH3-128 over the key columns of the row that was scanned last, in order: for each a tag
    /// (1 for a string, 2 for any other value), the length of what follows in four bytes, little-endian,
    /// and the string without its quotes and escapes, or the other value as it was written.
    pub(super) fn key_hash(&mut self, row: &[u8]) -> Result<u128, Malformed> {
        let mut canonical = std::mem::take(&mut self.canonical);
        canonical.clear();
        for column in &self.key {
            let (tag, value) = match self.value(row, *column)? {
                Value::Text(text) => (1, text),
                Value::Other(json) => (2, Cow::Borrowed(json)),
                Value::Missing => return Err(Malformed::Missing(self.columns[*column].clone())),
            };
            canonical.push(tag);
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
            canonical.extend_from_slice(&length.to_le_bytes());
            canonical.extend_from_slice(&value);
        }
        let hash = xxh3_128(&canonical);
        self.canonical = canonical;
        Ok(hash)
    }

    /// The value of a column in the row that was scanned last.
    pub(super) fn value<'a>(&self, row: &'a [u8], column: usize) -> Result<Value<'a>, Malformed> {
        let cell = self.cells[column];
        let Some(json) = row
            .get(cell.start..cell.end)
            .filter(|json| !json.is_empty())
        else {
            return Ok(Value::Missing);
        };
        Ok(match json {
            [b'"', ..] if cell.escaped => Value::Text(Cow::Owned(
                serde_json::from_slice::<String>(json)
                    .map_err(|_| Malformed::Text(self.columns[column].clone()))?
                    .into_bytes(),
            )),
            [b'"', text @ .., b'"'] => Value::Text(Cow::Borrowed(text)),
            _ => Value::Other(json),
        })
    }

    /// The column that the nth member belongs to, and where its name and colon end.
    fn name(&mut self, lines: &[u8], at: usize, nth: usize) -> Option<(Option<usize>, usize)> {
        if lines.get(at) != Some(&b'"') {
            return None;
        }
        let (end, escaped) = string_end(lines, at + 1)?;
        let colon = skip_space(lines, end);
        if lines.get(colon) != Some(&b':') {
            return None;
        }
        let quoted = &lines[at..end];
        let name = if escaped {
            Cow::Owned(serde_json::from_slice::<String>(quoted).ok()?)
        } else {
            String::from_utf8_lossy(&quoted[1..quoted.len() - 1])
        };
        let column = self.columns.iter().position(|column| *column == name);
        if column.is_none() {
            self.note_extra(&name);
        }
        if nth < LAYOUT {
            let before = if nth == 0 { b"{" } else { b"," };
            let member = Member::new([before, quoted, b":"].concat(), column);
            self.layout.truncate(nth);
            self.layout.push(member);
        }
        Some((column, colon + 1))
    }

    fn note_extra(&mut self, name: &str) {
        let name: String = name
            .chars()
            .filter(|c| !c.is_control())
            .take(EXTRA_LENGTH)
            .collect();
        if self.extra.len() < EXTRA_COLUMNS && !self.extra.contains(&name) {
            self.extra.push(name);
        }
    }
}

impl Member {
    fn new(before: Vec<u8>, column: Option<usize>) -> Self {
        let words = |bytes: [u8; NAME]| {
            let (words, _) = bytes.as_chunks::<8>();
            std::array::from_fn(|nth| u64::from_le_bytes(words[nth]))
        };
        let padded = (before.len() <= NAME).then(|| {
            let mut bytes = [0; NAME];
            bytes[..before.len()].copy_from_slice(&before);
            (
                words(bytes),
                words(bytes.map(|byte| if byte == 0 { 0 } else { 0xff })),
            )
        });
        Self {
            before,
            padded,
            column,
        }
    }

    /// The length of what stands before the value, if the text begins with it.
    #[inline]
    fn length_in(&self, text: &[u8]) -> Option<usize> {
        let alike = match (&self.padded, text.first_chunk::<NAME>()) {
            (Some((name, mask)), Some(bytes)) => {
                let (words, _) = bytes.as_chunks::<8>();
                let differs = |nth: usize| (u64::from_le_bytes(words[nth]) & mask[nth]) ^ name[nth];
                differs(0) | differs(1) | differs(2) | differs(3) == 0
            }
            _ => text.starts_with(&self.before),
        };
        alike.then_some(self.before.len())
    }
}

/// A value, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// There is none.
    Missing,
    /// A string's text.
    Text(Cow<'a, [u8]>),
    /// Anything else, as JSON.
    Other(&'a [u8]),
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[inline]
fn skip_space(lines: &[u8], mut at: usize) -> usize {
    while lines.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

/// The row up to its line end, which is the next thing that is not a space.
fn row_end(lines: &[u8], at: usize) -> Result<&[u8], Malformed> {
    let end = skip_space(lines, at);
    match lines.get(end) {
        None | Some(b'\n') => Ok(&lines[..end]),
        Some(_) => Err(Malformed::NotAnObject),
    }
}

/// Where the value that begins here ends, and whether it is a string with escapes.
#[inline]
fn value_end(lines: &[u8], start: usize) -> Option<(usize, bool)> {
    match lines.get(start)? {
        b'"' => string_end(lines, start + 1),
        b'{' | b'[' => Some((nested_end(lines, start)?, false)),
        _ => {
            let length = lines[start..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n') || is_space(*byte))?;
            (length > 0).then_some((start + length, false))
        }
    }
}

/// Behind the closing quote of the string whose text begins here.
#[inline]
fn string_end(lines: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += quote_or_backslash(&lines[at..])?;
        if lines[at] == b'"' {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at = (at + 2).min(lines.len());
    }
}

/// Most strings are shorter than it takes to set a vector search up: the first
/// sixteen bytes are looked at eight at a time.
#[inline]
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    for (nth, word) in words.iter().take(2).enumerate() {
        let found = matches_in(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(nth * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let looked_at = words.len().min(2) * 8;
    memchr2(b'"', b'\\', &text[looked_at..]).map(|at| looked_at + at)
}

/// The length of a number or literal that a comma or a closing brace follows at once.
#[inline]
fn scalar_length(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    for (nth, word) in words.iter().take(4).enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ eight(b',')) | zero_bytes(word ^ eight(b'}')) | bytes_to_space(word);
        if found != 0 {
            let length = nth * 8 + found.trailing_zeros() as usize / 8;
            return (length > 0 && text[length] > b' ').then_some(length);
        }
    }
    None
}

/// A word of eight such bytes.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of the first byte that is zero; bits above it mean nothing.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(eight(1)) & !word & eight(0x80)
}

/// The high bit of the first byte that is a space or less; bits above it mean nothing.
#[inline]
const fn bytes_to_space(word: u64) -> u64 {
    word.wrapping_sub(eight(b' ' + 1)) & !word & eight(0x80)
}

/// The high bit of the first byte that is a quote or a backslash; bits above it mean nothing.
#[inline]
fn matches_in(word: u64) -> u64 {
    zero_bytes(word ^ eight(b'"')) | zero_bytes(word ^ eight(b'\\'))
}

/// Behind the bracket that closes the one here.
fn nested_end(lines: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match lines.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                (at, _) = string_end(lines, at + 1)?;
                continue;
            }
            b'\n' => return None,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use cxone::Compression;
    use proptest::prelude::*;

    use super::super::Limits;
    use super::*;

    fn scanner(columns: &[&str], key: &[&str]) -> Scanner {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Scanner::new(&PartSpec {
            format: OutputFormat::Ndjson,
            compression: Compression::None,
            columns: owned(columns),
            key: owned(key),
            limits: Limits::default(),
        })
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

    #[test]
    fn unknown_members_are_named_once_and_not_without_end() {
        let mut scanner = scanner(&["a"], &["a"]);
        for row in [r#"{"a":1,"x":1}"#, r#"{"x":2,"a":1}"#] {
            scanner.scan(row.as_bytes()).unwrap();
        }
        assert_eq!(scanner.extra_columns(), ["x"]);
        for n in 0..100 {
            scanner
                .scan(format!(r#"{{"a":1,"n{n}":1}}"#).as_bytes())
                .unwrap();
        }
        assert_eq!(scanner.extra_columns().len(), EXTRA_COLUMNS);
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
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(
            prop::sample::select(b"{}[]\",:\\ \nau0".to_vec()), 0..40)) {
            let mut scanner = scanner(&["a"], &["a"]);
            if let Ok(row) = scanner.scan(&bytes) {
                let row = row.to_owned();
                let _ = scanner.key_hash(&row);
            }
        }

        #[test]
        fn the_first_quote_or_backslash_is_found(text in prop::collection::vec(
            prop::sample::select(b"aaaaaa!#[]\xa2\xdc\x00\xff\"\\".to_vec()), 0..40)) {
            let expected = text.iter().position(|b| matches!(b, b'"' | b'\\'));
            prop_assert_eq!(quote_or_backslash(&text), expected);
        }
    }

    fn any_row() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
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
}
