//! What the folder of a report is called.

use std::fmt::Write as _;

use definition::ReportName;

use crate::documents::sha256_hex;

/// A folder's name that would be longer ends in a hash instead: a key has 1,024 bytes at most, and so has a metric's
/// dimension.
const FOLDER_MAX: usize = 700;

/// How much of such a name stays.
const FOLDER_KEPT: usize = 600;

/// A report's name as one level of a key, and as the dimension of its metrics. Different names never meet: a space
/// becomes `_`, and every other byte than an ASCII letter, digit or `-` becomes `~` and its hex digits. So does the
/// first one of a name that is also a folder's: rights are patterns such as `{prefix}/*/win/*`, and below
/// a report called `win` they would fit everything.
#[must_use]
pub fn report_folder(report: &ReportName) -> String {
    let name = report.as_str();
    let is_folder = matches!(name, "win" | "data" | "table");
    let mut out = String::new();
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            first if is_folder && at == 0 => {
                let _ = write!(out, "~{first:02X}");
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => out.push(char::from(byte)),
            b' ' => out.push('_'),
            other => {
                let _ = write!(out, "~{other:02X}");
            }
        }
    }
    if out.len() > FOLDER_MAX {
        // No other name has `~~` in it.
        out.truncate(FOLDER_KEPT);
        let _ = write!(out, "~~{}", sha256_hex(name.as_bytes()));
    }
    out
}

/// The name of the report whose folder's name this is; `None` where the folder is called after a hash.
#[must_use]
pub fn report_name(folder: &str) -> Option<ReportName> {
    let mut bytes = Vec::new();
    let mut rest = folder.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let (byte, after) = match byte {
            b'_' => (b' ', after),
            b'~' => {
                let (hex, after) = after.split_at_checked(2)?;
                (*hex::decode(hex).ok()?.first()?, after)
            }
            byte => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    let name = ReportName::new(String::from_utf8(bytes).ok()?).ok()?;
    (report_folder(&name) == folder).then_some(name)
}
