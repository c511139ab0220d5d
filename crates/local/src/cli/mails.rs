//! The mails that operators would get: shown as they come, and kept in a folder.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use local::World;
use local::alarm::Alarm;
use local_aws::Publication;
use tokio::sync::broadcast::error::RecvError;

use crate::terminal::Terminal;

/// Where mails are kept.
pub(crate) struct Mailbox {
    folder: PathBuf,
    /// How many there are.
    kept: usize,
}

impl Mailbox {
    /// The mailbox in a folder, with what it holds from before.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            kept: fs::read_dir(folder)?.count(),
            folder: folder.to_owned(),
        })
    }

    /// Shows and keeps every message to a topic, until it is dropped.
    pub(crate) async fn show_mails(&mut self, world: &World, terminal: &Terminal) -> Infallible {
        let mut messages = world.services().topics.subscribe();
        loop {
            match messages.recv().await {
                Some(mail) => self.show(&mail, world, terminal),
                None => std::future::pending().await,
            }
        }
    }

    fn show(&mut self, mail: &Publication, world: &World, terminal: &Terminal) {
        let at = world.clock().now();
        let topic = mail.topic.rsplit(':').next().unwrap_or_default();
        let subject = mail
            .subject
            .as_deref()
            .unwrap_or("AWS Notification Message");
        let file = self.folder.join(format!("{:04}.txt", self.kept + 1));
        let text = format!(
            "Date: {at:.0}\nTopic: {topic}\nSubject: {subject}\n\n{}\n",
            mail.message
        );
        let kept = match fs::write(&file, text) {
            Ok(()) => file.display().to_string(),
            Err(error) => format!("can't be kept: {error}"),
        };
        self.kept += 1;
        let time = at.strftime("%H:%M:%S");
        terminal.line(&format!("{time}  mail to {topic}: {subject}  ({kept})"));
        for line in mail.message.lines() {
            terminal.line(&format!("          {line}"));
        }
    }
}

/// Mails as the alarm does, whenever an execution of the pipeline fails. That of a backfill is not watched.
pub(crate) async fn raise_alarms(world: &World, mut alarm: Alarm) -> Infallible {
    let mut events = world.engine().subscribe();
    loop {
        let progress = match events.recv().await {
            Ok(progress) => progress,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        if let Some(mail) = alarm.hear(world, &progress) {
            let _id = world.services().topics.publish(mail);
        }
    }
}
