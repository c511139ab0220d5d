//! What the handlers wrote.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The bytes of lines that are kept in memory; older lines are dropped.
const KEPT_BYTES: usize = 16 << 20;

/// Lines of standard output and standard error of all handlers: the newest 16 MiB in memory, all of them in a file if one is set.
#[derive(Debug, Default)]
pub struct Logs(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: VecDeque<LogLine>,
    bytes: usize,
    dropped: u64,
    file: Option<File>,
}

/// One line that a handler wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// Which of its processes.
    pub instance: u64,
    /// The line, without its end.
    pub text: String,
}

impl Logs {
    /// Writes every further line to this file too.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn copy_to(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        self.lock().file = Some(file);
        Ok(())
    }

    /// The lines in memory, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lock().lines.iter().cloned().collect()
    }

    /// How many lines fell out of memory.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// The lines in memory that hold this text, say a canary that no log may show.
    #[must_use]
    pub fn find(&self, needle: &str) -> Vec<LogLine> {
        let inner = self.lock();
        let found = inner.lines.iter().filter(|line| line.text.contains(needle));
        found.cloned().collect()
    }

    /// Copies everything that a process writes, until it closes its end.
    pub(super) async fn follow(&self, function: &str, instance: u64, pipe: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while let Ok(read) = reader.read_until(b'\n', &mut line).await {
            if read == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            self.push(LogLine {
                function: function.to_owned(),
                instance,
                text,
            });
        }
    }

    fn push(&self, line: LogLine) {
        let mut inner = self.lock();
        if let Some(file) = &mut inner.file
            && let Err(error) = writeln!(file, "{}/{} {}", line.function, line.instance, line.text)
        {
            tracing::warn!(%error, "the handlers' log can't be written");
            inner.file = None;
        }
        inner.bytes += line.text.len();
        inner.lines.push_back(line);
        while inner.bytes > KEPT_BYTES {
            let Some(oldest) = inner.lines.pop_front() else {
                break;
            };
            inner.bytes -= oldest.text.len();
            inner.dropped += 1;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
