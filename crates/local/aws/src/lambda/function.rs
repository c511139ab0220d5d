//! A function: the executable and its limits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A function: an executable that speaks the Lambda Runtime API, and its limits.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name, as in its ARN.
    pub name: String,
    pub executable: PathBuf,
    /// The time that an invocation may take, in real time.
    pub timeout: Duration,
    /// The memory that the function is told it has. Nothing enforces it; [`super::LambdaHost::peak_memory`] measures what it uses.
    pub memory_mb: u32,
    /// How many processes may run at once.
    pub max_instances: usize,
    /// The environment, beside what Lambda itself sets. The process inherits no variable of ours.
    pub environment: BTreeMap<String, String>,
}

impl Function {
    /// A function with 60 s, 512 MB, at most ten processes and no environment of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, executable: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            executable: executable.into(),
            timeout: Duration::from_mins(1),
            memory_mb: 512,
            max_instances: 10,
            environment: BTreeMap::new(),
        }
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The access key by which the gateway knows a process of this function.
    pub(super) fn access_key(&self, instance: u64) -> String {
        format!("LOCAL.{}.{instance}", self.name)
    }
}
