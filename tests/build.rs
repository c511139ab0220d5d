//! Plants bugs: copies what a bug of `simulation/planted.txt` changes of `delivery::flow`, and what one of
//! `simulation/planted_publish.txt` changes of `delta_table::publish`, with the bug's replacements made, so that the simulation can
//! show that it would find it. Production code holds no switch for this.
//!
//! A copy has the modules that the bug changes and those that use such a module. The others are in one copy without a bug, since
//! what they share is hidden from other crates.
#![expect(
    clippy::expect_used,
    reason = "a build script that can't go on says so and stops"
)]

use std::collections::{BTreeMap, BTreeSet};
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
    /// The copy without a bug.
    healthy: &'static str,
}

const SOURCES: [Source; 2] = [
    Source {
        folder: "../crates/delivery/src/flow",
        list: "simulation/planted.txt",
        module: "crate::flow::",
        library: "delivery::",
        flows: "flows!(planted::NAME)",
        healthy: "healthy_flow",
    },
    Source {
        folder: "../crates/delta-table/src/publish",
        list: "simulation/planted_publish.txt",
        module: "crate::publish::",
        library: "delta_table::",
        flows: "flows!(delivery::flow, planted::NAME)",
        healthy: "healthy_publish",
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
        let modules = Modules::read(&folder, source);
        let healthy = Bug {
            name: source.healthy.to_owned(),
            edits: Vec::new(),
        };
        plant(&modules, &out, &healthy);
        index += &declaration(&out, &healthy.name);
        for bug in read(&fs::read_to_string(list).expect("the list is readable")) {
            plant(&modules, &out, &bug);
            index += &declaration(&out, &bug.name);
            let flows = source.flows.replace("NAME", &bug.name);
            writeln!(all, "({:?}, {flows}),", bug.name).expect("a string takes it");
        }
    }
    fs::write(out.join("planted.rs"), index).expect("OUT_DIR is writable");
    fs::write(out.join("planted_list.rs"), all + "];\n").expect("OUT_DIR is writable");
}

/// How the simulation declares a copy.
fn declaration(out: &Path, name: &str) -> String {
    let path = out.join(name).join("mod.rs");
    format!("#[path = \"{}\"]\npub(crate) mod {name};\n", path.display())
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

/// The files of a folder whose modules are its files and the folders in it.
struct Modules<'a> {
    source: &'a Source,
    /// Texts by their paths in the folder.
    files: BTreeMap<String, String>,
}

impl<'a> Modules<'a> {
    fn read(folder: &Path, source: &'a Source) -> Self {
        let text_of = |path: &PathBuf| {
            let file = path.strip_prefix(folder).expect("a file of the folder");
            let file = file.to_str().expect("a file name").to_owned();
            (file, read_without_tests(path))
        };
        let files = files_below(folder).iter().map(text_of).collect();
        Self { source, files }
    }

    /// The modules that these edits change, and all that use one of them.
    fn changed_by(&self, edits: &[Edit]) -> BTreeSet<&str> {
        let edited = |file: &str| edits.iter().any(|edit| edit.file == file);
        let mut changed = BTreeSet::new();
        loop {
            let before = changed.len();
            for (file, text) in &self.files {
                let uses =
                    |module: &&str| text.contains(&format!("{}{module}::", self.source.module));
                if edited(file) || changed.iter().any(uses) {
                    changed.insert(module_of(file));
                }
            }
            if changed.len() == before {
                return changed;
            }
        }
    }
}

/// The module that a file belongs to: a file or a folder of the folder that is copied.
fn module_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.trim_end_matches(".rs")
}

/// A source file without what is only for readers, and without its unit tests: they are not what has to find a bug.
fn read_without_tests(path: &Path) -> String {
    let mut text: String = fs::read_to_string(path)
        .expect("a source file is readable")
        .lines()
        .filter(|line| !line.trim_start().starts_with("//!"))
        .flat_map(|line| [line, "\n"])
        .collect();
    if let Some(tests) = text.find("#[cfg(test)]") {
        text.truncate(tests);
    }
    text
}

fn plant(modules: &Modules<'_>, out: &Path, bug: &Bug) {
    let out = out.join(&bug.name);
    // A file that is gone must not stay in the copy.
    if out.exists() {
        fs::remove_dir_all(&out).expect("OUT_DIR is writable");
    }
    for edit in &bug.edits {
        let known = modules.files.contains_key(&edit.file);
        assert!(known, "planted bug {}: no {}", bug.name, edit.file);
    }
    let is_healthy = bug.name == modules.source.healthy;
    let changed = modules.changed_by(&bug.edits);
    let is_copied = |module: &str| is_healthy || module == "mod" || changed.contains(module);
    for (file, text) in &modules.files {
        if !is_copied(module_of(file)) {
            continue;
        }
        let mut text = text.clone();
        for edit in bug.edits.iter().filter(|edit| edit.file == *file) {
            text = replace(&text, edit).unwrap_or_else(|found| {
                panic!(
                    "planted bug {}: its text stands {found} times in {file}; bring {} up to date:\n{}",
                    bug.name, modules.source.list, edit.from
                )
            });
        }
        if file == "mod.rs" {
            text = declared(&text, modules.source, is_copied);
        }
        let target = out.join(file);
        fs::create_dir_all(target.parent().expect("a folder")).expect("OUT_DIR is writable");
        let text = moved_paths(&text, modules, &bug.name, is_copied);
        fs::write(target, text).expect("OUT_DIR is writable");
    }
}

/// What `mod.rs` declares, with the modules that are not copied taken from where they are.
fn declared(text: &str, source: &Source, is_copied: impl Fn(&str) -> bool) -> String {
    let declare = |line: &str| {
        let module = line
            .strip_prefix("mod ")
            .and_then(|rest| rest.strip_suffix(';'));
        let exported = line
            .strip_prefix("pub use ")
            .and_then(|rest| rest.split_once("::"));
        match (module, exported) {
            (Some(module), _) if is_copied(module) => format!("pub(crate) {line}\n"),
            (Some(_), _) => String::new(),
            (_, Some((module, names))) => format!("pub use {}{module}::{names}\n", source.module),
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(declare).collect()
}

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder is readable") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// A copy finds what it has in itself, the other modules in the copy without a bug, and everything else where it is. What was
/// for one copy alone can be seen by the others.
fn moved_paths(
    text: &str,
    modules: &Modules<'_>,
    bug: &str,
    is_copied: impl Fn(&str) -> bool,
) -> String {
    let source = modules.source;
    let text = text.replace("pub(super)", "pub(crate)");
    assert!(
        !text.contains("super::"),
        "a path of {} begins with super",
        source.folder
    );
    let mut pieces = text.split(source.module);
    let mut moved = pieces
        .next()
        .unwrap_or_default()
        .replace("crate::", source.library);
    for piece in pieces {
        let module = piece.split("::").next().unwrap_or_default();
        let is_module = modules.files.keys().any(|file| module_of(file) == module);
        assert!(
            is_module,
            "a path of {} names no module: {module}",
            source.folder
        );
        let copy = if is_copied(module) {
            bug
        } else {
            source.healthy
        };
        let rest = piece.replace("crate::", source.library);
        moved.extend(["crate::planted::", copy, "::", &rest]);
    }
    moved
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
