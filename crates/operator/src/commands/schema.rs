//! `cxr schema`: the JSON Schema of a definition, for editors, and of what commands print, for programs.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::schema_output::{kinds, output_schema};
use crate::error::CommandError;
use crate::output::Output;

/// Print the JSON Schema of a definition, or of what commands print with --json (no network).
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    #[command(subcommand)]
    of: Option<SchemaOf>,
}

#[derive(Debug, Subcommand)]
enum SchemaOf {
    /// Print the JSON Schema of what commands print with --json, errors included.
    Output {
        /// The `kind` of the document, such as status, windows or error; without it, the schemas of all kinds in one object.
        kind: Option<String>,
    },
}

impl SchemaArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        match self.of {
            None => output.print_line(&definition::schema())?,
            Some(SchemaOf::Output { kind: Some(kind) }) => {
                let schema = output_schema(&kind).ok_or_else(|| {
                    let known: Vec<&str> = kinds().collect();
                    CommandError::UnknownWord {
                        what: "kind of document",
                        text: kind,
                        hint: format!("there are: {}", known.join(", ")),
                    }
                })?;
                output.print_json(&schema)?;
            }
            Some(SchemaOf::Output { kind: None }) => {
                let all: BTreeMap<_, _> = kinds().map(|kind| (kind, output_schema(kind))).collect();
                output.print_json(&all)?;
            }
        }
        Ok(0)
    }
}
