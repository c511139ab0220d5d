//! What is wrong with a definition, collected so that an author sees all of it at once.

use std::fmt;

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The state it is in, if it is in one.
    pub state: Option<String>,
    /// The field, as a path from the state (or from the top): `Retry[0].IntervalSeconds`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    pub(super) fn new(state: Option<&str>, field: &str, message: impl Into<String>) -> Self {
        Self {
            state: state.map(str::to_owned),
            field: field.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(state) = &self.state {
            write!(f, "state {state:?}, ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// A definition that is refused, with every problem that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DefinitionError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the definition is refused")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
