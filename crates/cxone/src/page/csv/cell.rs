//! Writes the cells of a file as JSON.

use crate::page::scan;

/// Writes a cell as JSON: a metric that is a number keeps its spelling, to the last digit.
pub(super) fn write_cell(bytes: &[u8], is_metric: bool, out: &mut Vec<u8>) {
    if is_metric && bytes.is_empty() {
        out.extend_from_slice(b"null");
    } else if is_metric && is_number(bytes, out) {
        out.extend_from_slice(bytes);
    } else {
        write_string(bytes, out);
    }
}

fn is_number(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    if !matches!(bytes[0], b'-' | b'0'..=b'9') {
        return false;
    }
    // The scanner wants a byte after a number, so it is shown the number where it will stand.
    let from = out.len();
    out.extend_from_slice(bytes);
    out.push(b',');
    let fits = scan::scan_value(out, from).is_ok_and(|end| end == out.len() - 1);
    out.truncate(from);
    fits
}

/// Writes a JSON string. UTF-8 goes through as it is; whether it is UTF-8 is checked for the whole chunk.
pub(super) fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = bytes;
    while let Some(at) = rest
        .iter()
        .position(|b| *b < b' ' || matches!(b, b'"' | b'\\'))
    {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            quoted @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', quoted]),
            control => {
                let hex =
                    |digit: u8| char::from_digit(u32::from(digit), 16).map_or(b'0', |c| c as u8);
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex(control >> 4), hex(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
