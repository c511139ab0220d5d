//! The input of an execution: an EventBridge scheduled event, and the name that goes with it.

use definition::Window;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::definition_file::DefinitionFile;
use crate::error::Error;
use crate::machine_arn::MachineArn;

/// What Step Functions takes.
const MAX_INPUT_BYTES: usize = 256 * 1024;

/// The longest name that Step Functions takes, in characters.
const MAX_NAME: usize = 80;

/// What an execution is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    version: &'static str,
    id: String,
    detail_type: &'static str,
    source: &'static str,
    account: String,
    time: String,
    region: String,
    resources: Vec<String>,
    detail: Detail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Detail {
    definition: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
}

/// Who wants a delivered window again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Why.
    pub reason: String,
    /// Who.
    pub requested_by: String,
}

/// What somebody wishes for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The scheduled time.
    pub at: Timestamp,
    /// The window; without it the definition's range before `at`.
    pub window: Option<Window>,
    /// That a delivered window be stated anew.
    pub replay: Option<Replay>,
}

impl Wish {
    /// A replay is another wish each time (each second) that it is asked for.
    #[must_use]
    pub fn replay(window: Window, replay: Replay, now: Timestamp) -> Self {
        Self {
            at: Timestamp::from_second(now.as_second()).unwrap_or(now),
            window: Some(window),
            replay: Some(replay),
        }
    }
}

impl Event {
    /// The event of a wish. The same wish makes the same event, and the same name.
    #[must_use]
    pub fn new(file: DefinitionFile, wish: Wish, machine: Option<&MachineArn>) -> Self {
        let mut event = Self {
            version: "0",
            id: String::new(),
            detail_type: "Scheduled Event",
            source: "aws.scheduler",
            account: machine.map_or("", MachineArn::account).to_owned(),
            time: wish.at.to_string(),
            region: machine.map_or("", MachineArn::region).to_owned(),
            resources: Vec::new(),
            detail: Detail {
                definition: file.written,
                window: wish.window,
                replay: wish.replay,
            },
        };
        event.id = format!("cxr-{}", event.digest());
        event
    }

    /// The input of a schedule: the Scheduler fills in id, time and schedule at each invocation.
    #[must_use]
    pub fn for_scheduler(file: DefinitionFile, machine: Option<&MachineArn>) -> Self {
        let wish = Wish {
            at: Timestamp::UNIX_EPOCH,
            window: None,
            replay: None,
        };
        Self {
            id: "<aws.scheduler.execution-id>".to_owned(),
            time: "<aws.scheduler.scheduled-time>".to_owned(),
            resources: vec!["<aws.scheduler.schedule-arn>".to_owned()],
            ..Self::new(file, wish, machine)
        }
    }

    /// The event as JSON, on one line.
    pub fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string(self).unwrap_or_default();
        if text.len() > MAX_INPUT_BYTES {
            return Err(Error::TooLarge {
                size_bytes: text.len(),
            });
        }
        Ok(text)
    }

    /// A name for the execution: what it is for, and a digest of the whole event, so that the
    /// same command twice is one execution.
    #[must_use]
    pub fn name(&self, report: &str, window: Window) -> String {
        let verb = if self.detail.replay.is_some() {
            "replay"
        } else {
            "run"
        };
        let start = window.start().strftime("%Y%m%dT%H%M%SZ");
        execution_name(verb, report, &start.to_string(), &self.digest())
    }

    fn digest(&self) -> String {
        let mut digest = hex_digest(&serde_json::to_string(self).unwrap_or_default());
        digest.truncate(12);
        digest
    }
}

/// SHA-256, of which as many digits are given as fit into any of Step Functions' tokens.
pub(crate) fn hex_digest(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text)[..16]
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// `verb-report-start-digest`, with the report cut so that the whole is at most 80 characters,
/// of letters, digits and `-` only: Step Functions takes few others.
fn execution_name(verb: &str, report: &str, start: &str, digest: &str) -> String {
    let room = MAX_NAME - (verb.len() + start.len() + digest.len() + 3);
    let mut slug = String::new();
    for letter in report.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(room);
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "report" } else { slug };
    format!("{verb}-{slug}-{start}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_name_is_one_that_step_functions_takes() {
        let check = |report: &str, expected: &str| {
            let name = execution_name("replay", report, "20260601T000000Z", "0123456789ab");
            assert_eq!(name, expected);
            assert!(name.len() <= 80, "{name}");
        };
        check(
            "Daily Agent Performance Aggregation",
            "replay-daily-agent-performance-aggregation-20260601T000000Z-0123456789ab",
        );
        check(
            "Zoë's \"A&B\" / 5%",
            "replay-zo-s-a-b-5-20260601T000000Z-0123456789ab",
        );
        check("報告", "replay-report-20260601T000000Z-0123456789ab");
        check("  -- ", "replay-report-20260601T000000Z-0123456789ab");
        check(
            &"x".repeat(100),
            &format!("replay-{}-20260601T000000Z-0123456789ab", "x".repeat(43)),
        );
    }
}
