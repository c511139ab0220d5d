//! Asks a person before much is done.

use std::io;

use clap::Args;

use crate::error::CommandError;
use crate::output::Output;

/// Reads the line that a person types.
pub type ReadAnswer = fn() -> io::Result<String>;

#[derive(Debug, Args)]
pub(crate) struct ConfirmArg {
    /// Do not ask before it begins.
    #[arg(short, long)]
    yes: bool,
}

impl ConfirmArg {
    /// Whether to go on. Asks, unless that was said or there is little to do. Where nobody is there to be asked, nothing is done.
    pub(crate) fn ask(
        &self,
        output: &mut Output<'_>,
        answer: Option<ReadAnswer>,
        question: &str,
    ) -> Result<bool, CommandError> {
        if self.yes {
            return Ok(true);
        }
        let Some(read) = answer.filter(|_| output.is_text()) else {
            return Err(CommandError::NeedsYes {
                question: question.to_owned(),
            });
        };
        output.print_text(&format!("{question}. Go on? [y/N] "))?;
        let answer = read()?.trim().to_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }
}
