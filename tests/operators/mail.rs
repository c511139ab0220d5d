//! The mails that operators get, and what these say to type.

use asl::{EventDetail, Progress};
use local::World;
use local::alarm::Alarm;
use local::world::ALERT_TOPIC_ARN;
use local_aws::Publication;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

/// What tells of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// CloudWatch, whose text is the same for every failure.
    Alarm,
    /// The state machine, after the last run of a window.
    LastRun,
    /// The state machine, where a delivery is not as usual.
    Warning,
    /// The state machine, where a window is not there that was expected.
    Expectation,
}

/// The mails of a world, as `local serve` shows them.
pub(crate) struct Mailbox {
    alarm: Alarm,
    events: Receiver<Progress>,
    /// How many were looked at before.
    seen: usize,
}

impl Mailbox {
    pub(crate) fn open(world: &World) -> Self {
        Self {
            alarm: Alarm::read_template().unwrap(),
            events: world.engine().subscribe(),
            seen: world.alerts().len(),
        }
    }

    /// How many executions were redriven since the last look, and how many of them ran at once at most.
    pub(crate) fn count_redriven(&mut self) -> (usize, usize) {
        let (mut all, mut running, mut most) = (0, 0_usize, 0);
        // None is lost: they are fewer than the channel holds.
        while let Ok(progress) = self.events.try_recv() {
            match progress.event.detail {
                EventDetail::ExecutionRedriven { .. } => {
                    all += 1;
                    running += 1;
                }
                EventDetail::ExecutionSucceeded { .. } => running -= 1,
                _ => {}
            }
            most = most.max(running);
        }
        (all, most)
    }

    /// The last new mail of a sender.
    pub(crate) fn take(&mut self, world: &World, sender: Sender) -> Publication {
        loop {
            match self.events.try_recv() {
                Ok(progress) => {
                    if let Some(mail) = self.alarm.hear(world, &progress) {
                        let _id = world.services().topics.publish(mail);
                    }
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        let mut new = world.alerts().split_off(self.seen);
        self.seen += new.len();
        new.retain(|mail| sender.sent(mail));
        new.pop().unwrap_or_else(|| panic!("no mail of {sender:?}"))
    }
}

impl Sender {
    fn sent(self, mail: &Publication) -> bool {
        let subject = mail.subject.as_deref().unwrap_or_default();
        let is_alert = mail.topic == ALERT_TOPIC_ARN;
        match self {
            Self::Alarm => is_alert && subject.starts_with("ALARM"),
            Self::LastRun => !is_alert && subject.contains("the last run ended without data"),
            Self::Warning => !is_alert && subject.contains("delivered with warnings"),
            Self::Expectation => is_alert && subject.contains("not delivered ("),
        }
    }
}

/// A mail as it is shown: of an alarm's what its author wrote.
pub(crate) fn show(mail: &Publication) -> String {
    let subject = mail.subject.as_deref().unwrap_or_default();
    let said = mail.message.split_once("- Description: ");
    let body = said.map_or(mail.message.as_str(), |(_, said)| {
        said.split_once("\n- State Change").unwrap().0
    });
    let body = body.split("\n\nExecution: ").next().unwrap();
    format!("Subject: {subject}\n\n{body}\n")
}

/// The commands that a mail names, in order: on lines of their own, or in sentences.
pub(crate) fn find_commands(mail: &Publication) -> Vec<String> {
    if let Some((_, lines)) = mail.message.split_once("What to type:\n") {
        let lines = lines.lines().map(str::trim);
        let typed = lines.take_while(|line| line.starts_with("cxr "));
        return typed.map(str::to_owned).collect();
    }
    let pattern = regex::Regex::new(r"cxr [a-z]+( --?[a-z]+)*").unwrap();
    let found = pattern.find_iter(&mail.message);
    found.map(|found| found.as_str().to_owned()).collect()
}

/// The words of a line, as a shell takes them.
pub(crate) fn split_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}
