//! `--set`: one field of a definition with another value.

use clap::Args;
use definition::Catalogue;
use serde_json::{Map, Value};

use crate::definition_file::{DefinitionFile, parse_definition};
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct ChangeArg {
    /// One field of the definition with another value, such as pipeline.onConflict=keep-last; a value may be JSON. May be given
    /// several times.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    changes: Vec<String>,
}

impl ChangeArg {
    /// The definition with the changes, checked as a file is.
    pub(crate) fn apply(&self, file: DefinitionFile) -> Result<DefinitionFile, CommandError> {
        if self.changes.is_empty() {
            return Ok(file);
        }
        let mut written = file.written;
        for change in &self.changes {
            set(&mut written, change)?;
        }
        // A JSON value can always be text.
        let text = serde_json::to_vec(&written).unwrap_or_default();
        let checked = parse_definition(&text, Catalogue::builtin());
        let checked = checked.map_err(|findings| CommandError::Change {
            change: self.changes.join(" --set "),
            problem: format!("the definition has errors with it\n{findings}"),
        })?;
        Ok(DefinitionFile {
            definition: checked.definition,
            written,
        })
    }
}

/// Puts a value where its field's name says.
fn set(document: &mut Value, change: &str) -> Result<(), CommandError> {
    let wrong = |problem: &str| CommandError::Change {
        change: change.to_owned(),
        problem: problem.to_owned(),
    };
    let unreadable = "write FIELD=VALUE, such as pipeline.onConflict=keep-last";
    let (field, value) = change.split_once('=').ok_or_else(|| wrong(unreadable))?;
    let mut place = document;
    for name in field.split('.') {
        if name.is_empty() {
            return Err(wrong(unreadable));
        }
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let fields = place.as_object_mut();
        let fields = fields.ok_or_else(|| wrong("a part of the field's name is no object"))?;
        place = fields.entry(name).or_insert(Value::Null);
    }
    *place = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_named_by_its_path_and_a_value_may_be_json() {
        let written = json!({"pipeline": {"key": ["a"], "maxRuns": 3}});
        for (change, pointer, expected) in [
            (
                "pipeline.onConflict=keep-last",
                "/pipeline/onConflict",
                json!("keep-last"),
            ),
            (
                "pipeline.key=[\"a\",\"b\"]",
                "/pipeline/key",
                json!(["a", "b"]),
            ),
            ("pipeline.maxRuns=5", "/pipeline/maxRuns", json!(5)),
            (
                "pipeline.narrow.smallestWindow=PT1H",
                "/pipeline/narrow/smallestWindow",
                json!("PT1H"),
            ),
            ("name=a=b", "/name", json!("a=b")),
        ] {
            let mut changed = written.clone();
            set(&mut changed, change).unwrap();
            assert_eq!(changed.pointer(pointer), Some(&expected), "{change}");
        }
        for change in ["pipeline", "=1", "pipeline.=1", "pipeline.maxRuns.x=1"] {
            let error = set(&mut written.clone(), change).unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("CXO033", 1), "{change}");
        }
    }
}
