//! The alarm that mails whoever has to act. Its text is read from the template that deploys it.

use std::io;
use std::path::PathBuf;

use asl::{EventDetail, Progress};
use jiff::{SignedDuration, Timestamp};
use local_aws::lambda::STACK;
use local_aws::{Publication, Stack};

use crate::World;
use crate::handlers::workspace;
use crate::world::{ALERT_TOPIC_ARN, STATE_MACHINE_ARN, WorldError};

/// The resource of the template.
const RESOURCE: &str = "NotDeliveredAlarm";

/// What the lines of a folded text begin with.
const FOLDED: &str = "        ";

/// An alarm that is red stays red for so long after its last cause, and mails nothing about another one.
const PERIOD: SignedDuration = SignedDuration::from_mins(5);

/// The alarm, and since when it is red.
#[derive(Debug)]
pub struct Alarm {
    name: String,
    description: String,
    last_cause: Option<Timestamp>,
}

impl Alarm {
    /// The alarm of `infra/template.yaml` that tells of windows that are not delivered.
    ///
    /// # Errors
    /// When the template can't be read, or has no such alarm.
    pub fn read_template() -> Result<Self, WorldError> {
        let path = workspace().join("infra/template.yaml");
        let unreadable = |path: PathBuf, source| WorldError::Template { path, source };
        let template = match std::fs::read_to_string(&path) {
            Ok(template) => template,
            Err(error) => return Err(unreadable(path, error)),
        };
        let parameters = Stack::new(&[("Name", STACK), ("RunbookUrl", "infra/README.md")]);
        Self::parse(&template, &parameters).ok_or_else(|| {
            let missing = io::Error::other(format!("{RESOURCE} has no name and description"));
            unreadable(path, missing)
        })
    }

    fn parse(template: &str, parameters: &Stack) -> Option<Self> {
        let (_, resource) = template.split_once(&format!("\n  {RESOURCE}:\n"))?;
        // The next resource begins where a line is indented as little.
        let lines = resource
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with("    "));
        let lines: Vec<&str> = lines.collect();
        let name = lines
            .iter()
            .find_map(|line| line.trim().strip_prefix("AlarmName: !Sub [\""))?;
        let folded = lines
            .iter()
            .position(|line| line.trim() == "AlarmDescription: !Sub >-")?;
        let text = lines[folded + 1..]
            .iter()
            .take_while(|line| line.starts_with(FOLDED));
        let text: Vec<&str> = text.map(|line| line.trim()).collect();
        Some(Self {
            name: parameters.substitute(name.split_once('"')?.0),
            description: parameters.substitute(&text.join(" ")),
            last_cause: None,
        })
    }

    /// What is mailed for what happened in an execution. That of a backfill is not watched.
    pub fn hear(&mut self, world: &World, progress: &Progress) -> Option<Publication> {
        let reason = match progress.event.detail {
            EventDetail::ExecutionFailed { .. } => "an execution failed",
            EventDetail::ExecutionTimedOut { .. } => "an execution timed out",
            EventDetail::ExecutionAborted { .. } => "an execution was stopped",
            _ => return None,
        };
        let described = world.engine().describe(&progress.execution_arn);
        if described.is_ok_and(|it| it.state_machine_arn != STATE_MACHINE_ARN) {
            return None;
        }
        self.raise(progress.event.timestamp, reason)
    }

    /// What is mailed when an execution fails, unless the alarm is red already.
    pub fn raise(&mut self, at: Timestamp, reason: &str) -> Option<Publication> {
        let before = self.last_cause.replace(at);
        if before.is_some_and(|before| at.duration_since(before) < PERIOD) {
            return None;
        }
        let (name, time) = (&self.name, at.strftime("%A %d %B, %Y %H:%M:%S UTC"));
        Some(Publication {
            topic: ALERT_TOPIC_ARN.to_owned(),
            subject: Some(format!("ALARM: \"{name}\" in US East (N. Virginia)")),
            message: format!(
                "You are receiving this email because your Amazon CloudWatch Alarm \"{name}\" in the US East (N. Virginia) region has entered the ALARM state, because \"{reason}\" at \"{time}\".\n\n\
                 Alarm Details:\n- Name: {name}\n- Description: {}\n- State Change: OK -> ALARM\n",
                self.description
            ),
            structured: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_of_the_template_mails_its_own_text_once_while_it_is_red() {
        let mut alarm = Alarm::read_template().unwrap();
        let at: Timestamp = "2026-11-28T05:46:00Z".parse().unwrap();
        let mail = alarm.raise(at, "an execution failed").unwrap();
        assert_eq!(
            mail.subject.as_deref(),
            Some("ALARM: \"report-not-delivered\" in US East (N. Virginia)")
        );
        assert!(
            mail.message
                .contains("Rows of a report are missing, because an execution failed"),
            "{}",
            mail.message
        );
        assert!(
            mail.message.contains("Runbook: infra/README.md\n"),
            "{}",
            mail.message
        );
        assert!(!mail.message.contains("${"), "{}", mail.message);
        let soon = at + SignedDuration::from_mins(4);
        assert_eq!(alarm.raise(soon, "another"), None);
        assert_eq!(
            alarm.raise(soon + SignedDuration::from_mins(4), "another"),
            None
        );
        assert!(
            alarm
                .raise(soon + SignedDuration::from_mins(9), "another")
                .is_some()
        );
    }
}
