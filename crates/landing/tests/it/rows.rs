//! Rows, and reading parts back without our own code.

use std::io::Read as _;

use definition::rows::Rows;
use definition::{ColumnNames, Compression, OutputFormat};
use delivery::documents::{Part, sha256_hex};
use landing::{Limits, PartSet, PartSpec};

use crate::bucket::Bucket;

pub(crate) const FORMS: [(OutputFormat, Compression); 6] = [
    (OutputFormat::Ndjson, Compression::Gzip),
    (OutputFormat::Ndjson, Compression::Zstd),
    (OutputFormat::Ndjson, Compression::None),
    (OutputFormat::Csv, Compression::Gzip),
    (OutputFormat::Csv, Compression::Zstd),
    (OutputFormat::Csv, Compression::None),
];

pub(crate) fn spec(format: OutputFormat, compression: Compression) -> PartSpec {
    PartSpec {
        format,
        compression,
        columns: ["agentId", "note", "handled", "average"]
            .map(str::to_owned)
            .to_vec(),
        key: vec!["agentId".to_owned()],
        formula_guard: false,
        column_names: ColumnNames::AsIs,
        limits: Limits::default(),
    }
}

/// A row of an agent; `salt` makes it another one with the same key.
pub(crate) fn row(agent: u64, salt: u64) -> String {
    let note = match agent % 4 {
        0 => "null".to_owned(),
        1 => r#""""#.to_owned(),
        2 => format!(r#""Zoë \"Zed\", line\n{salt}""#),
        _ => format!(r#""{:x}""#, noise(agent ^ salt)),
    };
    format!(
        r#"{{"agentId":"a-{agent:06}","note":{note},"handled":{salt},"average":{}.50}}"#,
        noise(agent) % 1000
    )
}

/// A number without a pattern.
pub(crate) fn noise(n: u64) -> u64 {
    let mixed = (n ^ (n >> 30))
        .wrapping_add(0x9e37_79b9)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

pub(crate) fn lines(rows: &[String]) -> Vec<u8> {
    rows.iter()
        .flat_map(|row| [row.as_bytes(), b"\n"])
        .flatten()
        .copied()
        .collect()
}

/// Writes rows in chunks, as pages bring them.
pub(crate) async fn write(bucket: &Bucket, spec: &PartSpec, rows: &[String]) -> Vec<Part> {
    let mut parts = PartSet::new(
        bucket.store(),
        spec.clone(),
        "data/s0-r01-b000000-".to_owned(),
    );
    for chunk in rows.chunks(1_000) {
        parts
            .append_rows(Rows::unknown(&lines(chunk)))
            .await
            .unwrap();
    }
    assert_eq!(parts.row_count(), rows.len() as u64);
    parts.close().await.unwrap().parts
}

/// The stored bytes of a part, decompressed, after comparing what the part says of itself.
pub(crate) fn content(bucket: &Bucket, spec: &PartSpec, part: &Part) -> Vec<u8> {
    let stored = bucket.stored(&part.key).unwrap();
    assert_eq!(
        (stored.len() as u64, sha256_hex(&stored)),
        (part.bytes, part.sha256.clone())
    );
    let keys = bucket.stored(&part.keys.key).unwrap();
    assert_eq!(
        (keys.len() as u64, sha256_hex(&keys)),
        (part.keys.bytes, part.keys.sha256.clone())
    );
    let (entries, rest) = keys.as_chunks::<28>();
    assert!(rest.is_empty() && entries.is_sorted());
    assert_eq!(entries.len() as u64, part.rows);
    let mut out = Vec::new();
    match spec.compression {
        Compression::None => out = stored,
        Compression::Gzip => {
            flate2::read::MultiGzDecoder::new(&stored[..])
                .read_to_end(&mut out)
                .unwrap();
        }
        Compression::Zstd => out = zstd::decode_all(&stored[..]).unwrap(),
    }
    out
}

/// The same rows as records of CSV, by another writer.
pub(crate) fn records(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv);
    assert_eq!(
        reader.headers().unwrap(),
        &["agentId", "note", "handled", "average"][..]
    );
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| fields(record.unwrap()))
        .collect()
}

pub(crate) fn record(row: &str) -> Vec<String> {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).unwrap();
    ["agentId", "note", "handled", "average"]
        .iter()
        .map(|name| match &row[*name] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(_) if *name == "average" => {
                format!("{:.2}", row[*name].as_f64().unwrap())
            }
            other => other.to_string(),
        })
        .collect()
}

/// That these parts hold exactly these rows, in this order.
pub(crate) fn assert_holds(bucket: &Bucket, spec: &PartSpec, parts: &[Part], rows: &[String]) {
    let mut rest = rows;
    for part in parts {
        let (here, after) = rest.split_at(usize::try_from(part.rows).unwrap());
        rest = after;
        let content = content(bucket, spec, part);
        match spec.format {
            OutputFormat::Ndjson => assert!(content == lines(here), "{}", part.key),
            OutputFormat::Csv => {
                let expected: Vec<_> = here.iter().map(|row| record(row)).collect();
                assert!(records(&content) == expected, "{}", part.key);
            }
        }
    }
    assert!(rest.is_empty());
}
