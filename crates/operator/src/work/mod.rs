//! Gets work on windows going, never more of it at once than was said, and follows it to its end.

mod conclusion;

use std::collections::VecDeque;
use std::time::Duration;

use definition::Window;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::error::CommandError;
use crate::execution_input::ExecutionInput;
use crate::follow::{Change, Followed, Pacer};
use crate::output::{Output, one_line};
use crate::step_functions::Executions;
use crate::survey::Survey;

pub(crate) use conclusion::{Conclusion, conclude};

/// Work on one window.
pub(crate) struct Job {
    /// What the report is called on the command line.
    pub(crate) report: String,
    /// What the window is called.
    pub(crate) label: String,
    pub(crate) window: Window,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    /// To let this execution go on where it stopped.
    Redrive(String),
    /// To ask for the window once more, as long as it is not committed.
    Retry(ExecutionInput),
    /// To ask for a correction, whether it is committed or not.
    Correct(ExecutionInput),
    /// To follow this execution, which was started before.
    Follow(String),
}

/// What became of a job.
pub(crate) struct Done {
    pub(crate) job: Job,
    /// The execution that worked on it.
    pub(crate) execution: Option<String>,
    /// Why it was not begun, or why it failed.
    pub(crate) problem: Option<String>,
    pub(crate) exit_code: u8,
}

/// A change that was seen while work was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct SeenChange {
    report: String,
    window: String,
    #[serde(flatten)]
    change: Change,
}

/// How jobs are done.
pub(crate) struct WorkRules {
    /// So many run at once at most.
    pub(crate) at_once: usize,
    /// Whether each is followed to its end.
    pub(crate) follow: bool,
    /// How long it may take, as it was typed too.
    pub(crate) timeout: Option<(Duration, String)>,
}

/// Begins jobs, a few at once, and follows them.
pub(crate) struct Worker<'a> {
    survey: &'a Survey,
    executions: &'a Executions,
    rules: WorkRules,
    now: Timestamp,
    pacer: Pacer,
    deadline: Option<Instant>,
    /// Whether the windows of several reports, or several windows of one, are told apart.
    naming: Naming,
    /// What was seen, for programs.
    pub(crate) seen: Vec<SeenChange>,
}

#[derive(Clone, Copy)]
enum Naming {
    None,
    Window,
    Both,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        survey: &'a Survey,
        executions: &'a Executions,
        rules: WorkRules,
        now: Timestamp,
    ) -> Self {
        let timeout = rules.timeout.as_ref();
        Self {
            survey,
            executions,
            now,
            pacer: Pacer::new(executions.pause_between_looks()),
            deadline: timeout.map(|(timeout, _)| Instant::now() + *timeout),
            naming: Naming::None,
            seen: Vec::new(),
            rules,
        }
    }

    /// Begins each job as soon as fewer run than may, in their order. A job that can't be begun does not stop the others.
    pub(crate) async fn work(
        &mut self,
        output: &mut Output<'_>,
        jobs: Vec<Job>,
    ) -> Result<Vec<Done>, CommandError> {
        self.naming = Naming::of(&jobs);
        let mut waiting: VecDeque<Job> = jobs.into();
        let mut active: Vec<(Job, Followed)> = Vec::new();
        let mut done = Vec::new();
        let mut is_first = true;
        loop {
            while active.len() < self.rules.at_once
                && let Some(job) = waiting.pop_front()
            {
                match self.begin(output, &job, is_first).await {
                    Ok(execution) => active.push((job, Followed::new(execution))),
                    Err(error) => done.push(self.give_up(output, job, &error)?),
                }
            }
            is_first = false;
            if active.is_empty() || (waiting.is_empty() && !self.rules.follow) {
                break;
            }
            self.look_round(output, &mut active, &mut done).await?;
        }
        let running = active.into_iter();
        done.extend(running.map(|(job, followed)| Done::begun(job, &followed)));
        Ok(done)
    }

    /// Begins one job and returns the ARN of its execution. What had to wait is looked at again: somebody else may have helped
    /// the window meanwhile.
    async fn begin(
        &mut self,
        output: &mut Output<'_>,
        job: &Job,
        is_first: bool,
    ) -> Result<String, CommandError> {
        if !is_first {
            self.refuse_what_is_done(job).await?;
        }
        let (execution, verb) = match &job.action {
            Action::Follow(execution) => return Ok(execution.clone()),
            Action::Redrive(execution) => {
                let detail = self.executions.describe(execution).await?;
                self.executions.redrive(&detail).await?;
                (execution.clone(), "redriven")
            }
            Action::Retry(input) | Action::Correct(input) => {
                let name = input.execution_name();
                let started = self.executions.start(&name, input.to_json()?).await?;
                (started, "started")
            }
        };
        let name = crate::arn::name_of(&execution);
        output.tell(&self.line(job, None, &format!("{verb}: {name}")))?;
        Ok(execution)
    }

    async fn refuse_what_is_done(&self, job: &Job) -> Result<(), CommandError> {
        if !matches!(job.action, Action::Redrive(_) | Action::Retry(_)) {
            return Ok(());
        }
        let found = self
            .survey
            .find_exactly(&job.report, vec![job.window], self.now)
            .await?;
        let judged = found.windows.first();
        match judged.filter(|it| it.is_settled() || it.is_running()) {
            Some(judged) => Err(CommandError::Left {
                state: judged.state.as_str(),
            }),
            None => Ok(()),
        }
    }

    fn give_up(
        &self,
        output: &mut Output<'_>,
        job: Job,
        error: &CommandError,
    ) -> Result<Done, CommandError> {
        let problem = format!("not started: {}: {error}", error.code());
        output.tell(&self.line(&job, None, &one_line(&problem)))?;
        Ok(Done {
            job,
            execution: None,
            problem: Some(problem),
            exit_code: error.exit_code(),
        })
    }

    /// Looks at each of those that run, once.
    async fn look_round(
        &mut self,
        output: &mut Output<'_>,
        active: &mut Vec<(Job, Followed)>,
        done: &mut Vec<Done>,
    ) -> Result<(), CommandError> {
        for (job, mut followed) in std::mem::take(active) {
            self.pacer.wait().await;
            let mut changes = followed.look(self.executions).await?;
            if !self.rules.follow {
                changes.drain(
                    ..changes
                        .len()
                        .saturating_sub(usize::from(followed.has_ended)),
                );
            }
            for change in changes {
                output.tell(&self.line(&job, change.at, &change.text))?;
                self.seen.push(SeenChange {
                    report: job.report.clone(),
                    window: job.label.clone(),
                    change,
                });
            }
            match followed.continued_by() {
                Some(next) => active.push((job, Followed::new(next))),
                None if followed.has_ended => done.push(Done::begun(job, &followed)),
                None => active.push((job, followed)),
            }
        }
        self.check_deadline(active)
    }

    fn check_deadline(&self, active: &[(Job, Followed)]) -> Result<(), CommandError> {
        let is_over = self.deadline.is_some_and(|at| at <= Instant::now());
        let Some((_, limit)) = self.rules.timeout.as_ref().filter(|_| is_over) else {
            return Ok(());
        };
        let left: Vec<String> = active
            .iter()
            .map(|(job, _)| format!("{} {}", job.report, job.label))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(CommandError::TimedOut {
            limit: limit.clone(),
            left: definition::text::list_first(&left, 10),
        })
    }

    /// A line about a job, with as much of its name as is needed.
    fn line(&self, job: &Job, at: Option<Timestamp>, text: &str) -> String {
        let at = at.map(|at| at.strftime("%m-%d %H:%M:%S").to_string());
        let name = match self.naming {
            Naming::None => None,
            Naming::Window => Some(job.label.clone()),
            Naming::Both => Some(format!("{} {}", job.report, job.label)),
        };
        let parts = at.into_iter().chain(name).chain([text.to_owned()]);
        parts.collect::<Vec<_>>().join("  ")
    }
}

impl Naming {
    fn of(jobs: &[Job]) -> Self {
        match jobs {
            [] | [_] => Self::None,
            [first, others @ ..] if others.iter().all(|job| job.report == first.report) => {
                Self::Window
            }
            _ => Self::Both,
        }
    }
}

impl Done {
    fn begun(job: Job, followed: &Followed) -> Self {
        let failure = followed.failure();
        Self {
            job,
            execution: Some(followed.execution().to_owned()),
            problem: failure.map(|it| one_line(&format!("{}: {}", it.error, it.cause))),
            exit_code: 0,
        }
    }
}
