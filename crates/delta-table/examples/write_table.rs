//! Writes a bucket's folder with a made-up log, its parts and the table of it, for `tests/table/run`:
//! `write_table FOLDER VERSIONS`. Beside them stands `columns.json`, the columns of each version's definition. A table that is there
//! already is gone on with; where that is not possible, the reason is printed and nothing is written.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "it is run by a test, with arguments that the test chose"
)]

#[path = "../tests/it/publisher.rs"]
mod publisher;
#[path = "../tests/it/story.rs"]
mod story;

use std::env::args;
use std::fs::{create_dir_all, read, read_dir, write};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use publisher::{Folder, publish};
use story::Teller;

fn main() -> ExitCode {
    let folder = args().nth(1).unwrap();
    let versions: u64 = args().nth(2).unwrap().parse().unwrap();
    let folder = Path::new(&folder);
    let mut table = Folder::new();
    read_folder(&folder.join("table"), "", &mut table);
    let there = table.clone();
    let mut teller = Teller::new(2026);
    let told: Vec<_> = (0..versions).map(|_| teller.tell()).collect();
    for told in &told {
        if let Err(error) = publish(&mut table, told, "u") {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    let mut columns = Vec::new();
    for told in &told {
        let commit = serde_json::to_vec(&told.commit).unwrap();
        store(
            folder,
            &format!("_log/{:020}.json", told.commit.version),
            &commit,
        );
        for part in &told.parts {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(part.text.as_bytes()).unwrap();
            store(folder, &part.key, &gzip.finish().unwrap());
        }
        let typed = told
            .columns
            .iter()
            .map(|column| json!([column.name, column.column_type]));
        columns.push(typed.collect::<Vec<_>>());
    }
    store(
        folder,
        "columns.json",
        json!(columns).to_string().as_bytes(),
    );
    for (path, bytes) in table.iter().filter(|(path, _)| !there.contains_key(*path)) {
        store(folder, &format!("table/{path}"), bytes);
    }
    ExitCode::SUCCESS
}

fn store(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    create_dir_all(path.parent().unwrap()).unwrap();
    write(path, bytes).unwrap();
}

/// Reads what is below a folder, if it is there.
fn read_folder(folder: &Path, prefix: &str, into: &mut Folder) {
    for entry in read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), into);
        } else {
            into.insert(name, read(entry.path()).unwrap());
        }
    }
}
