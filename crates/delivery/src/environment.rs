//! A handler's environment, as design and templates spell it.

use crate::{Failure, FailureName};

/// Looks variables up. Made in `main`, so that nothing else reads the process's environment.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    lookup: fn(&str) -> Option<String>,
}

impl Environment {
    /// Variables from somewhere else.
    #[must_use]
    pub fn looked_up_by(lookup: fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// A variable that has to be there.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn require(&self, name: &str) -> Result<String, Failure> {
        match (self.lookup)(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(Failure::new(
                FailureName::Config,
                format!("the environment variable {name} is not set; set it on the function"),
            )),
        }
    }

    /// A variable that may be left out; then it is empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> String {
        (self.lookup)(name).unwrap_or_default()
    }
}
