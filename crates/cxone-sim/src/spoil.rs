//! How faults of pages spoil wording, rows and records.

use serde_json::{Value, json};

use crate::rows;
use crate::run::Plan;

/// Changes a row, given its place in the page.
pub(crate) type Spoil = Box<dyn FnMut(usize, &mut Vec<u8>) + Send>;

/// A state as this run words it.
pub(crate) fn state(plan: &Plan, state: &str) -> String {
    match plan.fault("state-case").map(|fault| fault.text("case")) {
        Some("upper") => state.to_uppercase(),
        Some(_) => format!("{}{}", state[..1].to_uppercase(), &state[1..]),
        None => state.to_owned(),
    }
}

/// Where this run's file is said to be.
pub(crate) fn download_url(plan: &Plan) -> Value {
    let path = format!("/download/{}.csv?sig={:x}", plan.number, signature(plan));
    let own = format!("{}{path}", plan.base_url);
    let Some(fault) = plan.fault("download-url") else {
        return json!(own);
    };
    let host = plan.base_url.trim_start_matches("http://");
    json!(match fault.text("to") {
        "other-host" => format!("https://files.evil.example{path}"),
        "ip" => format!("https://203.0.113.7{path}"),
        "metadata" =>
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        "mapped" => format!("https://[::ffff:169.254.169.254]{path}"),
        "ipv6" => format!("https://[fd00:ec2::254]{path}"),
        "decimal" => format!("https://2852039166{path}"),
        "octal" => format!("https://0251.0376.0251.0376{path}"),
        "hex" => format!("https://0xa9fea9fe{path}"),
        "full-width" => format!("https://169。254。169。254{path}"),
        "http" => format!("http://files.niceincontact.com{path}"),
        "port" => format!("https://files.niceincontact.com:8443{path}"),
        "userinfo" => format!("https://files.niceincontact.com@evil.example{path}"),
        "backslash" => format!("https://files.niceincontact.com\\@evil.example{path}"),
        "fragment" => format!("https://evil.example#files.niceincontact.com{path}"),
        "suffix" => format!("https://evilniceincontact.com{path}"),
        "file" => "file:///etc/passwd".to_owned(),
        "relative" => path,
        "empty" => String::new(),
        "null" => return Value::Null,
        "decoy" => format!("{}{path}", plan.decoy_url),
        _ => format!("https://{host}{path}"),
    })
}

/// What a download link must carry.
pub(crate) fn signature(plan: &Plan) -> u64 {
    crate::values::mix(plan.seed, crate::values::hash(plan.id.as_bytes()))
}

/// What happens to a page's JSON rows, if anything.
pub(crate) fn json(plan: &Plan, page: u64) -> Option<Spoil> {
    let mut spoils: Vec<Spoil> = Vec::new();
    for fault in plan
        .faults
        .iter()
        .filter(|fault| fault.page() == page || fault.name() == "schema-drift")
    {
        let text = fault.text("as").to_owned();
        let first = |change: Box<dyn Fn(&mut Vec<u8>) + Send>| -> Spoil {
            Box::new(move |at, row| {
                if at == 0 {
                    change(row);
                }
            })
        };
        let spoil: Spoil = match fault.name() {
            "schema-drift" if page >= fault.page() => Box::new(move |_, row| drift(&text, row)),
            "nested" => Box::new(|at, row| {
                if at % 2 == 0 {
                    append(
                        row,
                        br#""breakdown":{"p50":1.50,"p95":[2,{"x":"]}"}],"":{}}"#,
                    );
                }
            }),
            "huge-row" => {
                let bytes = usize::try_from(fault.number("bytes")).unwrap_or(usize::MAX);
                first(Box::new(move |row| {
                    let pad = vec![b'x'; bytes.saturating_sub(row.len() + 10)];
                    append(row, &[b"\"note\":\"", pad.as_slice(), b"\""].concat());
                }))
            }
            "depth-bomb" => {
                let depth = usize::try_from(fault.number("depth")).unwrap_or(usize::MAX);
                first(Box::new(move |row| {
                    append(
                        row,
                        &[
                            b"\"deep\":",
                            vec![b'['; depth].as_slice(),
                            &vec![b']'; depth],
                        ]
                        .concat(),
                    )
                }))
            }
            "invalid-utf8" => first(Box::new(|row| into_text(row, b"\xff\xfe\xc0\xaf"))),
            "lone-surrogate" => first(Box::new(|row| into_text(row, br"\ud800"))),
            "odd-numbers" => Box::new(odd_number),
            "nan" => first(Box::new(move |row| set_last(row, text.as_bytes()))),
            "duplicate-keys" if fault.text("column") == "key" => {
                let key = plan
                    .definition
                    .shape
                    .grouping
                    .first()
                    .or(plan.definition.shape.dimensions.first())
                    .cloned()
                    .unwrap_or_default();
                first(Box::new(move |row| {
                    append(row, format!("\"{key}\":\"again\"").as_bytes())
                }))
            }
            "duplicate-keys" => {
                let metric = plan
                    .definition
                    .shape
                    .metrics
                    .last()
                    .cloned()
                    .unwrap_or_default();
                first(Box::new(move |row| {
                    append(row, format!("\"{metric}\":1").as_bytes())
                }))
            }
            "pretty" => Box::new(|_, row| *row = pretty(row)),
            "data-shape" => {
                Box::new(|at, row| *row = [&b"1"[..], b"\"row\"", b"[]", b"null"][at % 4].to_vec())
            }
            "absent" => Box::new(absent),
            _ => continue,
        };
        spoils.push(spoil);
    }
    all(spoils)
}

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

/// What happens to a page's CSV records, if anything.
pub(crate) fn csv(plan: &Plan, page: u64) -> Option<Spoil> {
    let mut spoils: Vec<Spoil> = Vec::new();
    for fault in plan
        .faults
        .iter()
        .filter(|fault| fault.page() == page || fault.name() == "csv-lf")
    {
        let less = fault.text("as") == "less";
        let other = fault.text("as") == "other";
        let header = csv_header(plan);
        let last_text = plan.definition.shape.dimensions.len().saturating_sub(1);
        let change: Box<dyn Fn(&mut Vec<u8>) + Send> = match fault.name() {
            "csv-lf" => {
                spoils.push(Box::new(|_, line| end_in_lf(line)));
                continue;
            }
            "csv-ragged" if less => Box::new(|line| {
                let at = line.iter().rposition(|byte| *byte == b',').unwrap_or(0);
                line.splice(at..line.len() - 2, []);
            }),
            "csv-ragged" => Box::new(|line| {
                line.splice(line.len() - 2..line.len() - 2, *b",extra");
            }),
            "csv-repeated-header" => Box::new(move |line| {
                let mut again = header.clone();
                if other {
                    again.splice(0..0, *b"x");
                }
                line.splice(0..0, again);
            }),
            "csv-newline" => Box::new(move |line| {
                let text = [
                    b"\"one\r\ntwo\n",
                    &header[..header.len() - 2],
                    b"\r\n\"\"three\"\"\"",
                ]
                .concat();
                replace_field(line, last_text, &text);
            }),
            "csv-unclosed" => {
                Box::new(move |line| replace_field(line, last_text, b"\"never closed"))
            }
            _ => continue,
        };
        spoils.push(Box::new(move |at, line| {
            if at == 0 {
                change(line);
            }
        }));
    }
    all(spoils)
}

fn all(mut spoils: Vec<Spoil>) -> Option<Spoil> {
    if spoils.is_empty() {
        return None;
    }
    Some(Box::new(move |at, row| {
        spoils.iter_mut().for_each(|spoil| spoil(at, row))
    }))
}

/// Adds a field at the end of an object.
fn append(row: &mut Vec<u8>, field: &[u8]) {
    row.pop();
    row.push(b',');
    row.extend_from_slice(field);
    row.push(b'}');
}

/// Replaces the last value, which is a metric and so has no colon in it.
fn set_last(row: &mut Vec<u8>, value: &[u8]) {
    let at = row
        .iter()
        .rposition(|byte| *byte == b':')
        .map_or(row.len(), |at| at + 1);
    row.truncate(at);
    row.extend_from_slice(value);
    row.push(b'}');
}

/// Puts bytes at the beginning of the first text.
fn into_text(row: &mut Vec<u8>, bytes: &[u8]) {
    let at = row
        .windows(2)
        .position(|pair| pair == b":\"")
        .map_or(1, |at| at + 2);
    row.splice(at..at, bytes.iter().copied());
}

/// Cuts the last field off, and says where it was.
fn cut_last(row: &mut Vec<u8>) -> Vec<u8> {
    let at = row.windows(2).rposition(|pair| pair == b",\"").unwrap_or(0);
    let field = row.split_off(at);
    row.push(b'}');
    field
}

fn drift(how: &str, row: &mut Vec<u8>) {
    match how {
        "new" => append(row, br#""sentiment":"calm""#),
        "missing" => drop(cut_last(row)),
        "renamed" => {
            let field = cut_last(row);
            let value = field
                .iter()
                .rposition(|byte| *byte == b':')
                .map_or(&b":null}"[..], |at| &field[at..]);
            append(row, &[b"\"renamed\"", &value[..value.len() - 1]].concat());
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

fn absent(at: usize, row: &mut Vec<u8>) {
    match at % 3 {
        0 => set_last(row, b"null"),
        1 => set_last(row, b"\"\""),
        _ => drop(cut_last(row)),
    }
}

/// The same object over many lines.
fn pretty(row: &[u8]) -> Vec<u8> {
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
