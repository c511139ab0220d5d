//! What the handlers wrote.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use asl::Now;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The bytes of lines that are kept in memory; older lines are dropped.
const KEPT_BYTES: usize = 16 << 20;

/// How a line of metrics begins. CloudWatch reads it; it is no part of the log.
const METRICS: &str = r#"{"_aws":{"#;

/// Lines of standard output and standard error of all handlers: the newest 16 MiB in memory, all of them in a file if one is set.
/// Lines of metrics are kept beside them.
#[derive(Default)]
pub struct Logs(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    lines: Kept,
    metrics: Kept,
    written: u64,
    file: Option<File>,
    /// The clock that says when a line was written; without one, that of this machine.
    clock: Option<Now>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<LogLine>,
    bytes: usize,
    dropped: u64,
}

/// One line that a handler wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub function: String,
    /// Which of its processes.
    pub instance: u64,
    /// Counts the lines of all functions, from 1.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The line, without its end.
    pub text: String,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.lock().written;
        f.debug_struct("Logs").field("written", &written).finish()
    }
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

    /// From now on this clock says when a line was written.
    pub fn set_clock(&self, clock: Now) {
        self.lock().clock = Some(clock);
    }

    /// The lines of a function that are in memory, those of metrics among them, as they were written.
    pub(crate) fn lines_of(&self, function: &str) -> Vec<LogLine> {
        let inner = self.lock();
        let all = inner.lines.lines.iter().chain(&inner.metrics.lines);
        let mut lines: Vec<LogLine> = all
            .filter(|line| line.function == function)
            .cloned()
            .collect();
        lines.sort_by_key(|line| line.number);
        lines
    }

    /// The lines in memory, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lock().lines.lines.iter().cloned().collect()
    }

    /// The lines of metrics in memory, oldest first.
    #[must_use]
    pub fn metrics(&self) -> Vec<LogLine> {
        self.lock().metrics.lines.iter().cloned().collect()
    }

    /// How many lines were dropped because memory was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let inner = self.lock();
        inner.lines.dropped + inner.metrics.dropped
    }

    /// The lines in memory that contain this text, such as a secret that no log may show.
    #[must_use]
    pub fn find(&self, needle: &str) -> Vec<LogLine> {
        let inner = self.lock();
        let found = inner
            .lines
            .lines
            .iter()
            .filter(|line| line.text.contains(needle));
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
            self.write(function, instance, text);
        }
    }

    /// Keeps a line that a process of a function wrote just now.
    pub fn write(&self, function: &str, instance: u64, text: String) {
        let mut inner = self.lock();
        inner.written += 1;
        let line = LogLine {
            function: function.to_owned(),
            instance,
            number: inner.written,
            at: inner
                .clock
                .as_ref()
                .map_or_else(Timestamp::now, |now| now()),
            text,
        };
        if line.text.starts_with(METRICS) {
            return inner.metrics.push(line);
        }
        if let Some(file) = &mut inner.file
            && let Err(error) = writeln!(file, "{}/{} {}", line.function, line.instance, line.text)
        {
            tracing::warn!(%error, "the handlers' log can't be written");
            inner.file = None;
        }
        inner.lines.push(line);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, line: LogLine) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn metrics_are_kept_apart_from_the_log() {
        let logs = Logs::default();
        let written = "{\"level\":\"INFO\"}\n{\"_aws\":{},\"Pages\":1}\nplain _aws\n";
        logs.follow("trigger", 1, written.as_bytes()).await;
        let texts =
            |lines: Vec<LogLine>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts(logs.lines()), ["{\"level\":\"INFO\"}", "plain _aws"]);
        assert_eq!(texts(logs.metrics()), ["{\"_aws\":{},\"Pages\":1}"]);
        assert!(logs.find("Pages").is_empty());
    }
}
