//! What is wrong with a definition, in words with which its author can correct it.

use std::fmt;

use crate::finding_code::{FindingCode, Severity};
use crate::text::line;

/// The longest message and hint, in bytes.
const MAX_TEXT: usize = 4 * 1024;

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub code: FindingCode,
    /// Where, as a JSON pointer (RFC 6901), fit for one line; empty for the whole definition.
    pub pointer: String,
    pub message: String,
    /// What to do about it; possibly empty.
    pub hint: String,
}

impl Finding {
    pub(crate) fn new(
        code: FindingCode,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            severity: code.severity(),
            code,
            // There are words of the definition in all of them, and they end up on terminals and in logs.
            pointer: line(&pointer.into(), 512),
            message: line(&message.into(), MAX_TEXT),
            hint: line(&hint.into(), MAX_TEXT),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(
            f,
            "{}[{}] at {at}: {}",
            self.severity, self.code, self.message
        )?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

/// Findings of which at least one is an error, in the order of the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
