//! What it costs to write so many rows: `cargo run -p delta-table --example measure -- ROWS [FILE [METRICS]]`. The rows are made up one by
//! one, like those of a report about agents; the time that this takes is measured by itself. Peak memory is the process's.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::env::args;
use std::fs::{File, read_to_string};
use std::io::Write;
use std::time::Instant;

use definition::{ColumnType, Window};
use delta_table::{Column, FileWriter, RowStamp, Schema};
use flate2::{Compression, write::GzEncoder};

fn main() {
    let rows: u64 = args()
        .nth(1)
        .map_or(1_000_000, |rows| rows.parse().unwrap());
    let only = args().nth(2);
    let metrics: usize = args().nth(3).map_or(20, |metrics| metrics.parse().unwrap());
    let made = measure("making the rows", || make_rows(rows, metrics, |_| ()));
    if only.is_none() {
        let mut gzip = GzEncoder::new(Counter(0), Compression::fast());
        let mut plain = 0;
        measure("NDJSON, gzip 1", || {
            make_rows(rows, metrics, |row| {
                plain += row.len();
                gzip.write_all(row).unwrap();
            });
        });
        println!(
            "NDJSON {plain} bytes, gzip {} bytes",
            gzip.finish().unwrap().0
        );
    }
    let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
    let stamp = RowStamp {
        window,
        version: 7,
        loaded_at: window.end(),
    };
    let schema = schema(metrics);
    let begin_file = || FileWriter::new(&schema, stamp).unwrap();
    let (mut writer, mut files, mut bytes) = (begin_file(), 1, 0);
    let mut stored = only.map(|path| File::create(path).unwrap());
    let mut store = |bytes: Vec<u8>| {
        if let Some(file) = &mut stored {
            file.write_all(&bytes).unwrap();
        }
    };
    let mut end_file = |writer: FileWriter| {
        let (rest, written) = writer.finish().unwrap();
        bytes += written.bytes;
        rest
    };
    let took = measure("Parquet", || {
        make_rows(rows, metrics, |row| {
            writer.push_json(row).unwrap();
            store(writer.take_encoded().unwrap());
            if writer.is_full() {
                store(end_file(std::mem::replace(&mut writer, begin_file())));
                files += 1;
            }
        });
    });
    store(end_file(writer));
    println!(
        "Parquet {bytes} bytes in {files} files, {:.2} s without making the rows; {}",
        took - made,
        peak_memory()
    );
}

fn measure(what: &str, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    let took = start.elapsed().as_secs_f64();
    println!("{what}: {took:.2} s");
    took
}

fn schema(metrics: usize) -> Schema {
    let text = ["agentId", "agentName", "teamName", "skillName"]
        .map(|name| (name.to_owned(), ColumnType::String));
    let time = [("lastContact".to_owned(), ColumnType::Timestamp)];
    let metrics = (0..metrics).map(|nth| {
        let column_type = if nth % 2 == 0 {
            ColumnType::Long
        } else {
            ColumnType::Double
        };
        (format!("metric{nth}"), column_type)
    });
    let columns = text.into_iter().chain(time).chain(metrics);
    let columns: Vec<Column> = columns
        .map(|(name, column_type)| Column { name, column_type })
        .collect();
    Schema::new(&columns)
}

fn make_rows(rows: u64, metrics: usize, mut take: impl FnMut(&[u8])) {
    let mut random = 88_172_645_463_325_252_u64;
    let mut below = |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % limit
    };
    let mut row = Vec::new();
    for nth in 0..rows {
        row.clear();
        let agent = nth % 25_000;
        write!(
            row,
            r#"{{"agentId":"{:08x}-c0de-4a1b-9f00-{:012x}","agentName":"Agent Number {agent}","teamName":"Team {}","skillName":"Skill {}","lastContact":"2026-11-21T{:02}:{:02}:{:02}.{:03}Z""#,
            agent * 2_654_435_761 % 4_294_967_296, agent, agent % 300, below(80), below(24), below(60), below(60), below(1000)
        )
        .unwrap();
        for metric in 0..metrics {
            let value = below(4_000);
            match metric % 4 {
                0 => write!(row, r#","metric{metric}":{}"#, value / 100),
                1 => write!(row, r#","metric{metric}":{}.{:02}"#, value, below(100)),
                2 => write!(row, r#","metric{metric}":{}"#, value * 977),
                _ => write!(row, r#","metric{metric}":0.0"#),
            }
            .unwrap();
        }
        row.extend_from_slice(b"}\n");
        take(&row);
    }
}

fn peak_memory() -> String {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    peak.unwrap_or("no figure of the peak memory").to_owned()
}

/// Counts what is written to it.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
