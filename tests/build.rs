//! Plants bugs: copies `delivery::flow` once for each bug of `simulation/planted.txt`, and `delta_table::publish` once for each
//! bug of `simulation/planted_publish.txt`, with the bug's replacements made, so that the simulation can show that it would find
//! it. Production code holds no switch for this.
#![expect(
    clippy::expect_used,
    reason = "a build script that can't go on says so and stops"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One bug: its name, and what is replaced in which file.
struct Bug {
    name: String,
    edits: Vec<Edit>,
}

/// Where bugs are planted.
struct Source {
    folder: &'static str,
    list: &'static str,
    /// What the paths of its files begin with.
    module: &'static str,
    /// What everything else in its crate is found in.
    library: &'static str,
    /// The flows of a copy, where `NAME` is the bug's.
    flows: &'static str,
}

const SOURCES: [Source; 2] = [
    Source {
        folder: "../crates/delivery/src/flow",
        list: "simulation/planted.txt",
        module: "crate::flow::",
        library: "delivery::",
        flows: "flows!(planted::NAME)",
    },
    Source {
        folder: "../crates/delta-table/src/publish",
        list: "simulation/planted_publish.txt",
        module: "crate::publish::",
        library: "delta_table::",
        flows: "flows!(delivery::flow, planted::NAME)",
    },
];

struct Edit {
    file: String,
    from: String,
    to: String,
}

fn main() {
    println!("cargo::rustc-env=TARGET={}", env("TARGET"));
    let here = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env("OUT_DIR"));
    let mut index = String::new();
    let mut all = String::from("const PLANTED: &[(&str, Flows)] = &[\n");
    for source in &SOURCES {
        let (folder, list) = (here.join(source.folder), here.join(source.list));
        println!("cargo::rerun-if-changed={}", list.display());
        println!("cargo::rerun-if-changed={}", folder.display());
        for bug in read(&fs::read_to_string(list).expect("the list is readable")) {
            plant(source, &folder, &out.join(&bug.name), &bug);
            let path = out.join(&bug.name).join("mod.rs");
            let name = &bug.name;
            writeln!(
                index,
                "#[path = \"{}\"]\npub(crate) mod {name};",
                path.display()
            )
            .expect("a string takes it");
            let flows = source.flows.replace("NAME", name);
            writeln!(all, "({name:?}, {flows}),").expect("likewise");
        }
    }
    fs::write(out.join("planted.rs"), index).expect("OUT_DIR is writable");
    fs::write(out.join("planted_list.rs"), all + "];\n").expect("OUT_DIR is writable");
}

#[expect(
    clippy::disallowed_methods,
    reason = "how cargo tells a build script where it is"
)]
fn env(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}

/// The list: `= name`, then edits of `@ file`, lines with `-` to find, lines with `+` to put there.
fn read(text: &str) -> Vec<Bug> {
    let mut bugs: Vec<Bug> = Vec::new();
    for line in text.lines() {
        let (mark, rest) = line.split_at(line.len().min(1));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            "=" => bugs.push(Bug {
                name: rest.to_owned(),
                edits: Vec::new(),
            }),
            "@" => bugs.last_mut().expect("a bug").edits.push(Edit {
                file: rest.to_owned(),
                from: String::new(),
                to: String::new(),
            }),
            "-" | "+" => {
                let edit = bugs
                    .last_mut()
                    .and_then(|bug| bug.edits.last_mut())
                    .expect("an edit");
                let side = if mark == "-" {
                    &mut edit.from
                } else {
                    &mut edit.to
                };
                side.push_str(rest.trim());
                side.push('\n');
            }
            _ => {}
        }
    }
    bugs
}

fn plant(source: &Source, flow: &Path, out: &Path, bug: &Bug) {
    // A file that is gone from the flow must not stay in the copy.
    if out.exists() {
        fs::remove_dir_all(out).expect("OUT_DIR is writable");
    }
    for path in files_below(flow) {
        let file = path.strip_prefix(flow).expect("a file of the folder");
        let name = file.to_str().expect("a file name");
        let mut text: String = fs::read_to_string(&path)
            .expect("a source file is readable")
            .lines()
            .filter(|line| !line.trim_start().starts_with("//!"))
            .flat_map(|line| [line, "\n"])
            .collect();
        // Its own unit tests are not what has to find a bug here.
        if let Some(tests) = text.find("#[cfg(test)]") {
            text.truncate(tests);
        }
        for edit in bug.edits.iter().filter(|edit| edit.file == name) {
            text = replace(&text, edit).unwrap_or_else(|found| {
                panic!(
                    "planted bug {}: its text stands {found} times in {name}; bring {} up to date:\n{}",
                    bug.name, source.list, edit.from
                )
            });
        }
        let target = out.join(file);
        fs::create_dir_all(target.parent().expect("a folder")).expect("OUT_DIR is writable");
        fs::write(target, moved_paths(&text, source, &bug.name)).expect("OUT_DIR is writable");
    }
    for edit in &bug.edits {
        let file = flow.join(&edit.file);
        assert!(file.is_file(), "planted bug {}: no {}", bug.name, edit.file);
    }
}

/// The flow's files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("flow is a folder") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// A copy finds the other files of its own copy, and everything else where it is.
fn moved_paths(text: &str, source: &Source, bug: &str) -> String {
    text.split(source.module)
        .map(|piece| piece.replace("crate::", source.library))
        .collect::<Vec<_>>()
        .join(&format!("crate::planted::{bug}::"))
}

/// Replaces the one place that reads like `from`, however it is broken into lines.
fn replace(text: &str, edit: &Edit) -> Result<String, usize> {
    let solid: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace())
        .collect();
    let wanted: Vec<char> = edit.from.chars().filter(|c| !c.is_whitespace()).collect();
    let found: Vec<usize> = solid
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| window.iter().map(|(_, c)| c).eq(&wanted))
        .map(|(start, _)| start)
        .collect();
    let [start] = found[..] else {
        return Err(found.len());
    };
    let (first, _) = solid[start];
    let (last, c) = solid[start + wanted.len() - 1];
    Ok([&text[..first], &edit.to, &text[last + c.len_utf8()..]].concat())
}
