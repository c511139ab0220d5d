//! `cxr check`: the findings in definition files, for authors and for CI.

use std::path::PathBuf;

use clap::Args;

use crate::definition_check::check_files;
use crate::definition_file::CatalogueArg;
use crate::error::CommandError;
use crate::output::Output;

/// Print what is wrong with definition files (no network).
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Definition files, or folders of them; - is the standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Fail for warnings too.
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    catalogue: CatalogueArg,
}

impl CheckArgs {
    pub(super) fn run(self, output: &mut Output<'_>) -> Result<u8, CommandError> {
        let catalogue = self.catalogue.read_catalogue()?;
        let verdict = check_files(&self.files, &catalogue)?;
        output.print(&verdict)?;
        Ok(u8::from(!verdict.passes(self.deny_warnings)))
    }
}
