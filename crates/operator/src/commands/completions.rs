//! `cxr completions` and `cxr man`: what shells and `man` read.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::CommandError;
use crate::output::Output;

/// Print a script that completes the commands and options of cxr in a shell (no network).
#[derive(Debug, Args)]
#[command(after_help = "\
bash: cxr completions bash > ~/.local/share/bash-completion/completions/cxr
zsh:  cxr completions zsh > \"${fpath[1]}/_cxr\"
fish: cxr completions fish > ~/.config/fish/completions/cxr.fish")]
pub(super) struct CompletionsArgs {
    /// The shell to write the completions for.
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(
        self,
        output: &mut Output<'_>,
        mut command: Command,
    ) -> Result<u8, CommandError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "cxr", &mut script);
        output.print_text(&String::from_utf8_lossy(&script))?;
        Ok(0)
    }
}

/// Print the manual page of cxr, or write one for each command into a folder (no network).
#[derive(Debug, Args)]
#[command(after_help = "cxr man ~/.local/share/man/man1 && man cxr-status")]
pub(super) struct ManArgs {
    /// The folder, which has to exist; without one, the page of cxr itself is printed.
    folder: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(self, output: &mut Output<'_>, command: Command) -> Result<u8, CommandError> {
        let Some(folder) = self.folder else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            output.print_text(&String::from_utf8_lossy(&page))?;
            return Ok(0);
        };
        let written = clap_mangen::generate_to(command, &folder);
        written.map_err(|error| CommandError::Unwritten {
            file: folder,
            error,
        })?;
        Ok(0)
    }
}
