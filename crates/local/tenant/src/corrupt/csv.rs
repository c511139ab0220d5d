//! Corrupts records of CSV.

use super::{Change, Corruption, combine, first_only};
use crate::fault::Fault;
use crate::rows;
use crate::run::Plan;

/// The header line of a download.
pub(crate) fn csv_header(plan: &Plan) -> Vec<u8> {
    let mut header = rows::csv_header(&plan.shape);
    match duplicate_columns(plan) {
        Some("added") => repeat_last(&mut header),
        Some(_) => repeat_a_name(&mut header),
        None => {}
    }
    if let Some(fault) = plan.fault("csv-drift") {
        drift_line(fault.text("as"), &mut header, true);
    }
    let foreign = plan.fault("csv-foreign").map(|fault| fault.text("as"));
    let has_none = plan.file.as_ref().is_some_and(|file| !file.headers);
    if has_none || foreign == Some("no-header") {
        header.clear();
    }
    match foreign {
        Some("semicolons") => use_semicolons(&mut header),
        Some("title") => drop(header.splice(0..0, *b"Agents by day\r\n\r\n")),
        _ => {}
    }
    end_line(plan, &mut header);
    if plan.fault("csv-bom").is_some() {
        header.splice(0..0, *b"\xef\xbb\xbf");
    }
    header
}

/// The corruption of a page's records, if a fault asks for one.
pub(crate) fn csv_corruption(plan: &Plan, page: u64) -> Option<Corruption> {
    let here = plan.faults.iter().filter(|fault| fault.page() == page);
    let mut spoils: Vec<Corruption> = here
        .filter_map(|fault| record_change(plan, fault).map(first_only))
        .collect();
    if duplicate_columns(plan) == Some("added") {
        spoils.push(Box::new(|_, line| repeat_last(line)));
    }
    if let Some(how) = plan
        .fault("csv-drift")
        .map(|fault| fault.text("as").to_owned())
    {
        spoils.push(Box::new(move |_, line| drift_line(&how, line, false)));
    }
    if let Some(how) = plan
        .fault("csv-stray-quote")
        .filter(|fault| fault.page() == page)
        .map(|fault| fault.text("as").to_owned())
    {
        let column = plan.shape.dimensions.len().saturating_sub(1);
        spoils.push(Box::new(move |at, line| {
            stray_quote(&how, at, column, line);
        }));
    }
    let foreign = plan.fault("csv-foreign");
    if foreign.is_some_and(|fault| fault.text("as") == "semicolons") {
        spoils.push(Box::new(|_, line| use_semicolons(line)));
    }
    if ["csv-lf", "csv-doubled-crlf"]
        .iter()
        .any(|name| plan.fault(name).is_some())
    {
        let plan = plan.clone();
        spoils.push(Box::new(move |_, line| end_line(&plan, line)));
    }
    combine(spoils)
}

/// What follows the last record: nothing, or a row of totals.
pub(crate) fn csv_footer(plan: &Plan) -> Vec<u8> {
    let Some(fault) = plan.fault("total-row") else {
        return Vec::new();
    };
    let mut line = fault.text("label").as_bytes().to_vec();
    line.resize(
        line.len() + plan.shape.dimensions.len().saturating_sub(1),
        b',',
    );
    for at in 0..plan.shape.metrics.len() as u64 {
        line.extend(format!(",{}", plan.rows * (at + 17)).bytes());
    }
    line.extend_from_slice(b"\r\n");
    end_line(plan, &mut line);
    line
}

/// Ends a line as faults ask.
fn end_line(plan: &Plan, line: &mut Vec<u8>) {
    if !line.ends_with(b"\r\n") {
        return;
    }
    if plan.fault("csv-lf").is_some() {
        end_in_lf(line);
    }
    match plan.fault("csv-doubled-crlf").map(|fault| fault.text("as")) {
        Some("cr") => {
            line.truncate(line.len() - 2);
            line.extend_from_slice(b"\r\r\n");
        }
        Some(_) => line.extend_from_slice(b"\r\n"),
        None => {}
    }
}

/// Changes the last column of a line; it is a metric, so it contains no comma.
fn drift_line(how: &str, line: &mut Vec<u8>, header: bool) {
    let end = line.len().saturating_sub(2);
    let last = line[..end].iter().rposition(|byte| *byte == b',');
    let Some(last) = last else {
        return;
    };
    match how {
        "new" if header => drop(line.splice(end..end, *b",Sentiment")),
        "new" => drop(line.splice(end..end, *b",calm")),
        "missing" => drop(line.drain(last..end)),
        "renamed" if header => drop(line.splice(last + 1..end, *b"Renamed")),
        "emptied" if !header => drop(line.drain(last + 1..end)),
        "moved" => {
            let mut field: Vec<u8> = line.drain(last..end).skip(1).collect();
            field.push(b',');
            line.splice(0..0, field);
        }
        _ => {}
    }
}

/// Writes a text as somebody does who doesn't know that quotes have a meaning.
fn stray_quote(how: &str, at: usize, column: usize, line: &mut Vec<u8>) {
    let text: &[u8] = match (how, at) {
        ("swallowing" | "ending", 1) => b"\"needs call back",
        ("behind", 1) => b"\"urgent\" call",
        ("ending", 2) => {
            // Another quote before it would show that one is missing.
            (1..column).for_each(|before| replace_field(line, before, b"plain"));
            b"pipe 5\""
        }
        ("ending", _) => return,
        (_, 3) => b"5\" pipe",
        _ => return,
    };
    replace_field(line, column, text);
}

/// Separates the fields of a line by semicolons; commas within quotes stay.
fn use_semicolons(line: &mut [u8]) {
    let mut inside = false;
    for byte in line {
        inside ^= *byte == b'"';
        if !inside && *byte == b',' {
            *byte = b';';
        }
    }
}

/// How two columns got the same name, if a fault asks for that.
fn duplicate_columns(plan: &Plan) -> Option<&str> {
    let fault = plan.fault("csv-duplicate-columns")?;
    Some(fault.text("as"))
}

/// Repeats the last field of a line.
fn repeat_last(line: &mut Vec<u8>) {
    let end = line.len().saturating_sub(2);
    if let Some(last) = line[..end].iter().rposition(|byte| *byte == b',') {
        let field = line[last..end].to_vec();
        line.splice(end..end, field);
    }
}

/// Renames the last column to the name of the one before.
fn repeat_a_name(header: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(header).trim_end().to_owned();
    let mut names: Vec<&str> = text.split(',').collect();
    if let [.., before, last] = names.as_mut_slice() {
        *last = before;
        *header = format!("{}\r\n", names.join(",")).into_bytes();
    }
}

/// The change of one record.
fn record_change(plan: &Plan, fault: &Fault) -> Option<Change> {
    let header = rows::csv_header(&plan.shape);
    let last_text = plan.shape.dimensions.len().saturating_sub(1);
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

/// Replaces a field of a record, its quotes included.
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
