//! `cxr schema`: the JSON Schema of a definition, for editors.

use clap::Args;

use crate::error::CommandError;
use crate::output::Output;

/// Print the JSON Schema of a definition (no network).
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {}

impl SchemaArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let Self {} = self;
        output.print_line(&definition::schema())?;
        Ok(0)
    }
}
