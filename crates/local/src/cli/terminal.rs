//! Lines of output, and on a terminal one line that is overwritten.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

pub(crate) struct Terminal {
    live: bool,
    /// Whether the last thing written is a line that will be overwritten.
    pending: Mutex<bool>,
}

impl Terminal {
    pub(crate) fn for_process() -> Self {
        Self {
            live: io::stdout().is_terminal(),
            pending: Mutex::default(),
        }
    }

    /// Writes a line that stays.
    pub(crate) fn line(&self, text: &str) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let erase = if *pending { "\r\x1b[2K" } else { "" };
        *pending = false;
        // Writing fails if the reader is gone, for example `| head`.
        let _ = writeln!(io::stdout(), "{erase}{text}");
    }

    /// Shows the current state on a terminal, where the next line overwrites it; elsewhere it prints nothing.
    pub(crate) fn status(&self, text: &str) {
        if !self.live {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        *pending = true;
        // A line longer than the terminal could not be erased.
        let text: String = text.chars().take(79).collect();
        let mut out = io::stdout();
        let _ = write!(out, "\r\x1b[2K{text}");
        let _ = out.flush();
    }

    /// Writes to standard error.
    pub(crate) fn error(&self, text: &str) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *pending) {
            let _ = writeln!(io::stdout());
        }
        let _ = writeln!(io::stderr(), "{text}");
    }
}
