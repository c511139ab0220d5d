//! The lines of `cxr doctor`.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::NOT_WELL;
use crate::error::CommandError;
use crate::layout::wrap;
use crate::output::one_line;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) enum CheckState {
    Ok,
    Warn,
    Fail,
    /// Nothing was asked, so that nothing is known.
    NotTried,
}

impl CheckState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
            Self::NotTried => "not tried",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Check {
    name: &'static str,
    verdict: CheckState,
    text: String,
    /// What to do about it, or the line to type.
    remedy: Option<String>,
}

impl Check {
    pub(super) fn new(name: &'static str, verdict: CheckState, text: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            text: one_line(&text.into()),
            remedy: None,
        }
    }

    pub(super) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// What a call of AWS said that failed; its text says what to do.
    pub(super) fn failed(name: &'static str, error: &CommandError) -> Self {
        Self::new(name, CheckState::Fail, format!("{}: {error}", error.code()))
    }
}

/// All that was looked at, in the order in which it was.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Checks {
    pub(super) checks: Vec<Check>,
    #[serde(skip)]
    pub(super) width: Option<usize>,
}

impl Checks {
    pub(super) fn exit_code(&self) -> u8 {
        let mut checks = self.checks.iter();
        if checks.any(|check| check.verdict == CheckState::Fail) {
            NOT_WELL
        } else {
            0
        }
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const INDENT: usize = 26;
        for check in &self.checks {
            let (name, verdict) = (check.name, check.verdict.as_str());
            let line = format!("{name:<13}  {verdict:<9}  {}", check.text);
            for line in wrap(&line, INDENT, self.width) {
                writeln!(f, "{line}")?;
            }
            if let Some(remedy) = &check.remedy {
                writeln!(f, "{:INDENT$}{remedy}", "")?;
            }
        }
        Ok(())
    }
}
