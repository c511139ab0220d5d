//! Records of CSV, spoilt.

use super::{Change, Spoil, all, first};
use crate::fault::Fault;
use crate::rows;
use crate::run::Plan;

/// The header line of a download.
pub(crate) fn csv_header(plan: &Plan) -> Vec<u8> {
    let mut header = rows::csv_header(&plan.definition.shape);
    if plan.fault("csv-lf").is_some() {
        end_in_lf(&mut header);
    }
    if plan.fault("csv-bom").is_some() {
        header.splice(0..0, *b"\xef\xbb\xbf");
    }
    header
}

/// What happens to a page's records, if anything.
pub(crate) fn csv(plan: &Plan, page: u64) -> Option<Spoil> {
    let here = plan.faults.iter().filter(|fault| fault.page() == page);
    let mut spoils: Vec<Spoil> = here
        .filter_map(|fault| one(plan, fault).map(first))
        .collect();
    if plan.fault("csv-lf").is_some() {
        spoils.push(Box::new(|_, line| end_in_lf(line)));
    }
    all(spoils)
}

/// What happens to one record.
fn one(plan: &Plan, fault: &Fault) -> Option<Change> {
    let header = rows::csv_header(&plan.definition.shape);
    let last_text = plan.definition.shape.dimensions.len().saturating_sub(1);
    Some(match (fault.name(), fault.text("as")) {
        ("csv-ragged", "less") => Box::new(|line| {
            let at = line.iter().rposition(|byte| *byte == b',').unwrap_or(0);
            line.drain(at..line.len() - 2);
        }),
        ("csv-ragged", _) => Box::new(|line| {
            let at = line.len() - 2;
            line.splice(at..at, *b",extra");
        }),
        ("csv-repeated-header", how) => {
            let again = [if how == "other" { &b"x"[..] } else { b"" }, &header].concat();
            Box::new(move |line| drop(line.splice(0..0, again.iter().copied())))
        }
        ("csv-newline", _) => {
            let text = [
                b"\"one\r\ntwo\n",
                &header[..header.len() - 2],
                b"\r\n\"\"three\"\"\"",
            ]
            .concat();
            Box::new(move |line| replace_field(line, last_text, &text))
        }
        ("csv-unclosed", _) => {
            Box::new(move |line| replace_field(line, last_text, b"\"never closed"))
        }
        _ => return None,
    })
}

fn end_in_lf(line: &mut Vec<u8>) {
    if line.ends_with(b"\r\n") {
        line.truncate(line.len() - 2);
        line.push(b'\n');
    }
}

/// Replaces a field of a record, quotes and all.
fn replace_field(line: &mut Vec<u8>, field: usize, text: &[u8]) {
    let mut inside = false;
    let mut ends = vec![0];
    for (at, byte) in line.iter().enumerate() {
        inside ^= *byte == b'"';
        if !inside && *byte == b',' {
            ends.push(at + 1);
        }
    }
    ends.push(line.len() - 1);
    if let [start, end] = ends[field..][..2] {
        line.splice(start..end - 1, text.iter().copied());
    }
}
