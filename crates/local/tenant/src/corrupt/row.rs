//! Corrupts rows of JSON.

use super::{Change, Corruption, combine, first_only};
use crate::fault::Fault;
use crate::run::Plan;

/// The corruption of a page's rows, if a fault asks for one.
pub(crate) fn row_corruption(plan: &Plan, page: u64) -> Option<Corruption> {
    let acts = |fault: &&Fault| {
        fault.page() == page || fault.name() == "schema-drift" && fault.page() <= page
    };
    let spoils =
        plan.faults.iter().filter(acts).filter_map(|fault| {
            page_wide(fault).or_else(|| single_row(plan, fault).map(first_only))
        });
    combine(spoils.collect())
}

/// A corruption of all rows of the page.
fn page_wide(fault: &Fault) -> Option<Corruption> {
    let text = fault.text("as").to_owned();
    Some(match fault.name() {
        "schema-drift" => Box::new(move |_, row| drift_row(&text, row)),
        "nested" => Box::new(|at, row| {
            if at % 2 == 0 {
                append_field(
                    row,
                    br#""breakdown":{"p50":1.50,"p95":[2,{"x":"]}"}],"":{}}"#,
                );
            }
        }),
        "odd-numbers" => Box::new(odd_number),
        "pretty" => Box::new(|_, row| *row = pretty_print(row)),
        "data-shape" => {
            Box::new(|at, row| *row = [&b"1"[..], b"\"row\"", b"[]", b"null"][at % 4].to_vec())
        }
        "absent" => Box::new(blank_values),
        _ => return None,
    })
}

/// A corruption of the first row of the page.
fn single_row(plan: &Plan, fault: &Fault) -> Option<Change> {
    let size = |name| usize::try_from(fault.number(name)).unwrap_or(usize::MAX);
    let text = fault.text("as").to_owned();
    let shape = &*plan.shape;
    Some(match fault.name() {
        "huge-row" => {
            let bytes = size("bytes");
            Box::new(move |row| {
                let pad = vec![b'x'; bytes.saturating_sub(row.len() + 10)];
                append_field(row, &[b"\"note\":\"", pad.as_slice(), b"\""].concat());
            })
        }
        "depth-bomb" => {
            let deep = [
                b"\"deep\":".to_vec(),
                vec![b'['; size("depth")],
                vec![b']'; size("depth")],
            ]
            .concat();
            Box::new(move |row| append_field(row, &deep))
        }
        "invalid-utf8" => Box::new(|row| into_text(row, b"\xff\xfe\xc0\xaf")),
        "lone-surrogate" => Box::new(|row| into_text(row, br"\ud800")),
        "nan" => Box::new(move |row| set_last(row, text.as_bytes())),
        "duplicate-keys" => {
            let key = shape
                .grouping
                .first()
                .or(shape.dimensions.first())
                .map(|name| format!("\"{name}\":\"again\""));
            let metric = shape.metrics.last().map(|name| format!("\"{name}\":1"));
            let field = if fault.text("column") == "key" {
                key?
            } else {
                metric?
            };
            Box::new(move |row| append_field(row, field.as_bytes()))
        }
        _ => return None,
    })
}

/// Adds a field at the end of an object.
fn append_field(row: &mut Vec<u8>, field: &[u8]) {
    row.pop();
    row.push(b',');
    row.extend_from_slice(field);
    row.push(b'}');
}

/// Replaces the last value; it is a metric, so it contains no colon.
fn set_last(row: &mut Vec<u8>, value: &[u8]) {
    let at = row
        .iter()
        .rposition(|byte| *byte == b':')
        .map_or(row.len(), |at| at + 1);
    row.truncate(at);
    row.extend_from_slice(value);
    row.push(b'}');
}

/// Inserts bytes at the start of the first string.
fn into_text(row: &mut Vec<u8>, bytes: &[u8]) {
    let at = row
        .windows(2)
        .position(|pair| pair == b":\"")
        .map_or(1, |at| at + 2);
    row.splice(at..at, bytes.iter().copied());
}

/// Removes the last field and returns it.
fn cut_last(row: &mut Vec<u8>) -> Vec<u8> {
    let at = row.windows(2).rposition(|pair| pair == b",\"").unwrap_or(0);
    let field = row.split_off(at);
    row.push(b'}');
    field
}

fn drift_row(how: &str, row: &mut Vec<u8>) {
    match how {
        "new" => append_field(row, br#""sentiment":"calm""#),
        "missing" => drop(cut_last(row)),
        "nulled" => set_last(row, b"null"),
        "emptied" => set_last(row, b"\"\""),
        "renamed" => {
            let field = cut_last(row);
            let value = field
                .iter()
                .rposition(|byte| *byte == b':')
                .map_or(&b":null}"[..], |at| &field[at..]);
            append_field(row, &[b"\"renamed\"", &value[..value.len() - 1]].concat());
        }
        _ => set_last(row, br#""205.50""#),
    }
}

fn odd_number(at: usize, row: &mut Vec<u8>) {
    const ODD: [&[u8]; 8] = [
        b"9007199254740993",
        b"18446744073709551617",
        b"1e400",
        b"-0",
        b"1E-7",
        b"0.10",
        b"-1.50e+02",
        b"123456789.123456789123456789",
    ];
    set_last(row, ODD[at % ODD.len()]);
}

fn blank_values(at: usize, row: &mut Vec<u8>) {
    match at % 3 {
        0 => set_last(row, b"null"),
        1 => set_last(row, b"\"\""),
        _ => drop(cut_last(row)),
    }
}

/// The same object over many lines.
fn pretty_print(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.len() * 2);
    let (mut inside, mut escaped) = (false, false);
    for byte in row {
        if !inside && *byte == b'}' {
            out.extend_from_slice(b"\n    ");
        }
        out.push(*byte);
        if !inside && matches!(byte, b'{' | b',') {
            out.extend_from_slice(b"\r\n\t  ");
        }
        if !inside && *byte == b':' {
            out.push(b' ');
        }
        inside ^= *byte == b'"' && !escaped;
        escaped = inside && *byte == b'\\' && !escaped;
    }
    out
}
