//! `cxr logs`: what the handlers logged of a window or an execution, as one story.

mod span;
mod story;

pub(super) use story::Story;

use std::collections::HashSet;

use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::NOT_WELL;
use crate::cloudwatch_logs::{LogGroups, LogQuery};
use crate::error::CommandError;
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::step_functions::Executions;
use crate::survey::Survey;
use span::Subject;
use story::StoryLine;

/// The handlers, whose names the names of their log groups end with.
const HANDLERS: [&str; 6] = [
    "trigger",
    "poll-once",
    "fetch-page",
    "cancel",
    "finalize",
    "publish",
];

/// Lines may arrive so much later than they were written.
const LATENESS: SignedDuration = SignedDuration::from_secs(60);

/// Show what the handlers logged of a window or an execution: one story, in the order of time.
///
/// cxr logs daily-agent-performance yesterday --level warn
#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    /// A report, by name or the beginning of one; or an execution, by name or ARN.
    #[arg(value_name = "REPORT|EXECUTION")]
    what: String,
    /// The window of the report: a day, yesterday, or what cxr status calls it.
    #[arg(value_name = "WINDOW")]
    window: Option<String>,
    /// Only lines of this level and of worse ones.
    #[arg(long, value_enum, default_value_t = Level::Info)]
    level: Level,
    /// Only the lines of this handler.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(HANDLERS))]
    handler: Option<String>,
    /// Go on with new lines as they come, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// The condition that a line is as bad, or worse; none where all are.
    fn condition(self) -> &'static str {
        match self {
            Self::Debug => "",
            Self::Info => r#" && ($.level = "INFO" || $.level = "WARN" || $.level = "ERROR")"#,
            Self::Warn => r#" && ($.level = "WARN" || $.level = "ERROR")"#,
            Self::Error => r#" && $.level = "ERROR""#,
        }
    }
}

impl LogsArgs {
    /// Where the bucket is, if a window is asked for: what is stored of it says when it was worked on.
    pub(super) fn place(&self) -> Option<&PlaceArgs> {
        self.window.as_ref().map(|_| &self.place)
    }

    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        groups: &LogGroups,
        executions: &Executions,
        survey: Option<&Survey>,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let mut subject = match (&self.window, survey) {
            (Some(window), Some(survey)) => {
                Subject::find_window(survey, &self.what, window, now).await?
            }
            _ => Subject::find_execution(executions, &self.what, now).await?,
        };
        let mut told = HashSet::new();
        let story = self.read_story(groups, &subject, &mut told).await?;
        let is_empty = story.is_empty();
        if !is_empty || !self.follow {
            output.print(&story.fit(output.width()))?;
        }
        if self.follow {
            subject.to = subject.to.min(now);
            return self.follow(output, groups, executions, subject, told).await;
        }
        Ok(if is_empty { NOT_WELL } else { 0 })
    }

    /// The lines of all handlers that were not told yet.
    async fn read_story(
        &self,
        groups: &LogGroups,
        subject: &Subject,
        told: &mut HashSet<String>,
    ) -> Result<Story, CommandError> {
        let query = LogQuery {
            from: subject.from,
            to: subject.to,
            pattern: format!("{{ {}{} }}", subject.condition, self.level.condition()),
        };
        let is_meant = |handler: &&&str| self.handler.as_deref().is_none_or(|it| it == **handler);
        let read = HANDLERS.iter().filter(is_meant);
        let read = try_join_all(read.map(|handler| groups.read(handler, &query))).await?;
        let is_cut = read.iter().any(|group| group.is_cut);
        let lines = read.into_iter().flat_map(|group| group.lines);
        let lines = lines.filter(|line| told.insert(line.id.clone()));
        let lines = lines.filter_map(|line| StoryLine::parse(&line));
        let lines = lines
            .filter(|line| subject.is_meant(line.report.as_deref()))
            .collect();
        Ok(Story::new(subject, lines, is_cut))
    }

    /// Prints new lines until it is stopped.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person waits for new lines, which nothing announces"
    )]
    async fn follow(
        &self,
        output: &mut Output<'_>,
        groups: &LogGroups,
        executions: &Executions,
        mut subject: Subject,
        mut told: HashSet<String>,
    ) -> Result<u8, CommandError> {
        // What is new has come since, however long ago the window was worked on.
        let mut newest = subject.to;
        loop {
            tokio::time::sleep(executions.pause_between_looks()).await;
            subject.from = newest.max(subject.from + LATENESS) - LATENESS;
            subject.to = Timestamp::MAX;
            let story = self.read_story(groups, &subject, &mut told).await?;
            newest = story.newest().map_or(newest, |at| newest.max(at));
            if !story.is_empty() {
                output.print(&story.fit(output.width()))?;
            }
        }
    }
}
