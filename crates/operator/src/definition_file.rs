//! Finds, reads and parses definition files.

use std::fmt::Display;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use definition::{Catalogue, Checked, Definition, Findings};
use serde_json::Value;

use crate::error::CommandError;

/// A definition is a few kilobytes long. This keeps a wrongly named file out of memory.
const MAX_BYTES: u64 = 1 << 20;

/// A definition file without errors.
pub(crate) struct DefinitionFile {
    pub(crate) definition: Definition,
    /// The definition as its author wrote it, which is what an execution's input contains.
    pub(crate) written: Value,
}

#[derive(Debug, Args)]
pub(crate) struct CatalogueArg {
    /// A tenant's additions to the catalogue of metrics and dimensions (JSON).
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
}

impl CatalogueArg {
    /// The built-in catalogue, with the tenant's additions if a file names them.
    pub(crate) fn read_catalogue(&self) -> Result<Catalogue, CommandError> {
        let Some(file) = &self.catalogue else {
            return Ok(Catalogue::builtin().clone());
        };
        let text = read_bytes(file)?;
        let text = String::from_utf8(text).map_err(|error| unreadable(file, error))?;
        Catalogue::builtin()
            .extended_with(&text)
            .map_err(|source| CommandError::Catalogue {
                file: file.clone(),
                source,
            })
    }
}

/// Reads one definition, which must have no errors.
pub(crate) fn read_definition(
    file: &Path,
    catalogue: &Catalogue,
) -> Result<DefinitionFile, CommandError> {
    let text = read_bytes(file)?;
    let checked =
        parse_definition(&text, catalogue).map_err(|findings| CommandError::Definition {
            file: file.to_owned(),
            findings,
        })?;
    let written = serde_json::from_slice(&text).map_err(|error| unreadable(file, error))?;
    Ok(DefinitionFile {
        definition: checked.definition,
        written,
    })
}

pub(crate) fn parse_definition(text: &[u8], catalogue: &Catalogue) -> Result<Checked, Findings> {
    Definition::parse_with(text, catalogue)
}

/// The bytes of a file; `-` is the standard input.
pub(crate) fn read_bytes(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MAX_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(file, error))?;
    Ok(bytes)
}

/// The files as they are named, and in place of a folder its `.json` files, sorted by name.
pub(crate) fn expand_folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut found = list_folder(path)?;
            if found.is_empty() {
                return Err(unreadable(path, "there is no .json file in this folder"));
            }
            files.append(&mut found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The definitions of a folder, sorted by name; there may be none. Those in a folder inside are refused, because nobody would
/// notice that they are left out.
pub(crate) fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable_folder(folder, error))? {
        let file = entry.map_err(|error| unreadable(folder, error))?.path();
        if file.is_dir() && holds_definitions(&file)? {
            let reason = "folders inside a folder are not read; move its .json files up, or name this folder by itself";
            return Err(unreadable(&file, reason));
        }
        if is_definition(&file) {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

fn holds_definitions(folder: &Path) -> Result<bool, CommandError> {
    let mut inside = std::fs::read_dir(folder).map_err(|error| unreadable_folder(folder, error))?;
    Ok(inside.any(|it| it.is_ok_and(|it| is_definition(&it.path()))))
}

fn is_definition(file: &Path) -> bool {
    file.extension().is_some_and(|it| it == "json")
}

pub(crate) fn unreadable(file: &Path, reason: impl Display) -> CommandError {
    CommandError::File {
        file: file.to_owned(),
        reason: reason.to_string(),
        wanted: "a readable JSON file, or - for the standard input",
    }
}

fn unreadable_folder(folder: &Path, reason: impl Display) -> CommandError {
    CommandError::File {
        file: folder.to_owned(),
        reason: reason.to_string(),
        wanted: "a folder of definitions",
    }
}
