//! What bytes mean, written down once more: for pages by `serde_json`, for files character by character. Slow, and with
//! all of the input at hand, so that it is simple.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use definition::Definition;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a page holds.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<u8>,
    next: Option<String>,
    total: Option<u64>,
    unknown: usize,
}

/// Rows, page token, total, and how many fields are unknown.
pub(crate) type Said<'a> = (&'a [u8], Option<&'a str>, Option<u64>, usize);

impl Page {
    pub(crate) fn said(&self) -> Said<'_> {
        (&self.rows, self.next.as_deref(), self.total, self.unknown)
    }
}

/// An object as the list of its fields, so that none of them gets lost.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A page that is whole, completed, and the one that was asked for.
pub(crate) fn read_page(bytes: &[u8], max_row: usize) -> Option<Page> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Fields(fields) = serde_json::from_slice(bytes).ok()?;
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() < fields.len() || fields.len() > 64 {
        return None;
    }
    let (mut page, mut state, mut run) = (Page::default(), None, None);
    let (mut has_list, mut file) = (false, None);
    for (name, raw) in &fields {
        let raw = raw.get();
        match name.as_str() {
            "runId" => run = read_text_or_number(raw)?,
            "state" => state = read_text(raw)?,
            "errorMessage" => drop(read_text(raw)?),
            "downloadUrl" => file = read_text(raw)?,
            "nextPageToken" => page.next = read_text(raw)?.filter(|token| !token.is_empty()),
            "total" => page.total = read_count(raw)?,
            "data" if raw == "null" => {}
            "data" => (has_list, page.rows) = (true, read_rows(raw, max_row)?),
            // Within the object it is one level deeper than by itself.
            _ if is_json(&format!("[{raw}]")) => page.unknown += 1,
            _ => return None,
        }
    }
    let completed = state.is_some_and(|state| state.eq_ignore_ascii_case("completed"));
    let ours = run.is_none_or(|run| run == "run-1");
    let next = page.next.as_ref();
    let short = next.is_none_or(|next| next.len() <= 16 * 1024);
    // Where there is no row, the rows may be in a file, and none of these files is at an allowed host.
    let has_rows = !page.rows.is_empty() || (has_list && file.is_none());
    (completed && ours && short && has_rows).then_some(page)
}

#[expect(
    clippy::option_option,
    reason = "a text that is none, and nothing that is a text"
)]
fn read_text(raw: &str) -> Option<Option<String>> {
    serde_json::from_str(raw).ok()
}

#[expect(
    clippy::option_option,
    reason = "a text that is none, and nothing that is a text"
)]
fn read_text_or_number(raw: &str) -> Option<Option<String>> {
    if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Some(Some(raw.to_owned()));
    }
    read_text(raw)
}

#[expect(
    clippy::option_option,
    reason = "a count that is none, and nothing that is a count"
)]
fn read_count(raw: &str) -> Option<Option<u64>> {
    match read_text_or_number(raw)? {
        Some(text) => Some(Some(text.trim().parse().ok()?)),
        None => Some(None),
    }
}

fn read_rows(raw: &str, max_row: usize) -> Option<Vec<u8>> {
    let rows: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    let mut lines = Vec::new();
    for row in rows {
        let row = row.get();
        if !row.starts_with('{') || row.len() > max_row || !is_json(row) {
            return None;
        }
        lines.extend(row.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        lines.push(b'\n');
    }
    Some(lines)
}

/// Whether `serde_json` takes every string in a value, and its depth; the numbers, which it has seen to be numbers, are
/// put out of its sight, because it refuses those that are too large for it.
fn is_json(raw: &str) -> bool {
    let (mut without, mut chars) = (String::new(), raw.chars().peekable());
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => without.extend([Some(c), chars.next()].into_iter().flatten()),
            '-' | '0'..='9' if !quoted => {
                while chars.next_if(|c| "+-.eE0123456789".contains(*c)).is_some() {}
                without.push('0');
            }
            _ => {
                quoted ^= c == '"';
                without.push(c);
            }
        }
    }
    serde_json::from_str::<Value>(&without).is_ok()
}

/// A cell of a row: a column's name, and a text, a number as it is written, or nothing.
type Cell = (String, Result<String, String>);

/// The cells of rows that are lines of JSON.
pub(crate) fn read_cells(lines: &[u8]) -> Vec<Vec<Cell>> {
    let lines = std::str::from_utf8(lines).unwrap().lines();
    let cell = |(name, raw): (String, &RawValue)| match serde_json::from_str(raw.get()) {
        Ok(Value::String(text)) => (name, Ok(text)),
        _ => (name, Err(raw.get().to_owned())),
    };
    lines
        .map(|line| {
            let Fields(fields) = serde_json::from_str(line).unwrap();
            fields.into_iter().map(cell).collect()
        })
        .collect()
}

/// How many records a file has beside its header, and not counting the header when it comes again.
pub(crate) fn count_records(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_form(bytes).ok()?;
    let mut records = read_records(bytes).ok()?.into_iter();
    let header = records.next()?;
    Some(records.filter(|record| *record != header).count() as u64)
}

/// The cells of a file that is whole and has the columns that it should have.
pub(crate) fn read_file(
    bytes: &[u8],
    max_row: usize,
    definition: &Definition,
) -> Result<Vec<Vec<Cell>>, &'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_form(bytes)?;
    let mut records = read_records(bytes)?.into_iter();
    let header = records.next().ok_or("no header")?;
    let names: BTreeSet<&Vec<u8>> = header.iter().collect();
    let has = |column: &str| header.iter().any(|name| name == column.as_bytes());
    if names.len() < header.len() || header.iter().any(Vec::is_empty) {
        return Err("a column without a name of its own");
    }
    if header.iter().any(|name| name.len() > 256) {
        return Err("a column's name is too long");
    }
    if header.len() > 1024 || !definition.columns().into_iter().all(has) {
        return Err("not the columns");
    }
    let text = |cell: &Vec<u8>| String::from_utf8(cell.clone()).map_err(|_| "not UTF-8");
    let header_names = header.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let too_large = |record: &Vec<Vec<u8>>| record.concat().len() > max_row;
    if too_large(&header) {
        return Err("too large");
    }
    let mut rows = Vec::new();
    for record in records.filter(|record| *record != header) {
        if record.len() != header.len() || too_large(&record) {
            return Err("too large, or ragged");
        }
        let cells = header_names.iter().zip(&record).map(|(name, cell)| {
            let cell = text(cell)?;
            let is_metric = definition.metrics().contains(name);
            Ok((name.clone(), read_typed(cell, is_metric)))
        });
        rows.push(cells.collect::<Result<_, &str>>()?);
    }
    Ok(rows)
}

/// What begins like something else than CSV in UTF-8 is refused.
fn check_form(bytes: &[u8]) -> Result<(), &'static str> {
    let beginning = &bytes[..bytes.len().min(64)];
    let foreign: [&[u8]; 5] = [
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x1f\x8b",
        b"PK\x03\x04",
    ];
    let text: Vec<u8> = beginning.trim_ascii_start().to_vec();
    let is_markup = text.first() == Some(&b'<')
        && text
            .get(1)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || b"!?".contains(byte));
    if is_markup || foreign.iter().any(|form| bytes.starts_with(form)) {
        return Err("not CSV");
    }
    Ok(())
}

fn read_typed(cell: String, is_metric: bool) -> Result<String, String> {
    let begins = cell.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match serde_json::from_str::<&RawValue>(&cell) {
        _ if is_metric && cell.is_empty() => Err("null".to_owned()),
        Ok(number) if is_metric && begins && number.get() == cell => Err(cell),
        _ => Ok(cell),
    }
}

/// RFC 4180: any line end ends a record, an empty line is none, a quote in the middle of an unquoted field is a quote, and
/// behind a quote that closes a field the field has to end.
fn read_records(bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, &'static str> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), Vec::new());
    let (mut quoted, mut begun, mut fresh) = (false, false, true);
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted => match bytes.next_if_eq(&b'"') {
                Some(quote) => field.push(quote),
                None if bytes.peek().is_none_or(|next| b",\r\n".contains(next)) => quoted = false,
                None => return Err("something behind a closing quote"),
            },
            _ if quoted => field.push(byte),
            b'"' if fresh => (quoted, begun, fresh) = (true, true, false),
            b',' => {
                record.push(std::mem::take(&mut field));
                (begun, fresh) = (true, true);
            }
            b'\n' | b'\r' => {
                if begun {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                (begun, fresh) = (false, true);
            }
            _ => {
                field.push(byte);
                (begun, fresh) = (true, false);
            }
        }
    }
    if quoted {
        return Err("cut off inside of quotes");
    }
    if begun {
        record.push(field);
        records.push(record);
    }
    Ok(records)
}

/// RFC 1952, one member after the other. The reserved flags are not looked at: neither does the decoder, and what
/// counts are the checksum and the length.
pub(crate) fn gunzip(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let member = bytes;
        let (header, rest) = bytes.split_first_chunk::<10>()?;
        if header[..3] != [0x1f, 0x8b, 8] {
            return None;
        }
        bytes = rest;
        if header[3] & 4 != 0 {
            let (length, rest) = bytes.split_first_chunk()?;
            bytes = rest.get(usize::from(u16::from_le_bytes(*length))..)?;
        }
        for text in [8, 16] {
            if header[3] & text != 0 {
                let end = bytes.iter().position(|byte| *byte == 0)?;
                bytes = &bytes[end + 1..];
            }
        }
        if header[3] & 2 != 0 {
            let mut sum = Crc::new();
            sum.update(&member[..member.len() - bytes.len()]);
            let (right, rest) = bytes.split_first_chunk::<2>()?;
            if sum.sum().to_le_bytes()[..2] != *right {
                return None;
            }
            bytes = rest;
        }
        let (mut data, mut sum) = (Vec::new(), Crc::new());
        let mut decoder = DeflateDecoder::new(bytes);
        decoder.read_to_end(&mut data).ok()?;
        bytes = decoder.into_inner();
        sum.update(&data);
        let (trailer, rest) = bytes.split_first_chunk::<8>()?;
        let right = [sum.sum().to_le_bytes(), sum.amount().to_le_bytes()].concat();
        if *trailer != *right {
            return None;
        }
        bytes = rest;
        all.append(&mut data);
    }
    Some(all)
}
