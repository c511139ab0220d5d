//! Definition files: found, read, parsed.

use std::fmt::Display;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use definition::{Catalogue, Checked, Definition, Findings};
use serde_json::Value;

use crate::error::Error;

/// No definition is larger than a few kilobytes; a file beyond this is something else.
const MAX_BYTES: u64 = 1 << 20;

/// A definition file without errors.
pub struct DefinitionFile {
    /// The definition.
    pub definition: Definition,
    /// The same as it was written, which is what travels in an execution's input.
    pub written: Value,
}

/// Reads one definition, which must be without errors.
pub fn read(file: &Path, catalogue: &Catalogue) -> Result<DefinitionFile, Error> {
    let text = text(file)?;
    let wrong = |findings| Error::Definition {
        file: file.to_owned(),
        findings,
    };
    let checked = parse(&text, catalogue).map_err(wrong)?;
    let written = serde_json::from_slice(&text).map_err(|error| failed(file, error))?;
    Ok(DefinitionFile {
        definition: checked.definition,
        written,
    })
}

/// Parses a definition.
pub fn parse(text: &[u8], catalogue: &Catalogue) -> Result<Checked, Findings> {
    Definition::parse_with(text, catalogue)
}

/// The bytes of a file; `-` is the standard input.
pub fn text(file: &Path) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MAX_BYTES).read_to_end(&mut text))
    };
    read.map_err(|error| failed(file, error))?;
    Ok(text)
}

/// The files themselves, and for a folder the `.json` files directly in it, by name.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| failed(path, error))? {
            let file = entry.map_err(|error| failed(path, error))?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(failed(path, "there is no .json file in this folder"));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// The built-in catalogue, with a tenant's additions if there are any.
pub fn catalogue(file: Option<&Path>) -> Result<Catalogue, Error> {
    let Some(file) = file else {
        return Ok(Catalogue::builtin().clone());
    };
    let text = text(file)?;
    let text = String::from_utf8(text).map_err(|error| failed(file, error))?;
    Catalogue::builtin()
        .extended_with(&text)
        .map_err(|source| Error::Catalogue {
            file: file.to_owned(),
            source,
        })
}

fn failed(file: &Path, reason: impl Display) -> Error {
    Error::File {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
