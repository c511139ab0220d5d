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
use crate::follow::{Change, Followed, Pacer, SILENT};
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
    /// the window meanwhile. It has waited so long that it also waits until AWS answers.
    async fn begin(
        &mut self,
        output: &mut Output<'_>,
        job: &Job,
        is_first: bool,
    ) -> Result<String, CommandError> {
        let (survey, executions, now) = (self.survey, self.executions, self.now);
        let begun = if is_first {
            job.begin(executions).await?
        } else {
            let begin = async || {
                job.refuse_what_is_done(survey, now).await?;
                job.begin(executions).await
            };
            self.insist(output, begin).await?
        };
        if let Some(verb) = begun.verb {
            let name = crate::arn::name_of(&begun.execution);
            output.tell(&self.line(job, None, &format!("{verb}: {name}")))?;
        }
        Ok(begun.execution)
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
            let mut changes = match followed.look(self.executions).await {
                Ok(changes) => changes,
                Err(error) => return stop_following(output, &job, error),
            };
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

    /// Asks until AWS answers, as one who has stayed for hours wants it: what is asked is told by the bucket whenever it can be
    /// read again.
    pub(crate) async fn insist<T>(
        &mut self,
        output: &mut Output<'_>,
        ask: impl AsyncFn() -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut is_told = false;
        loop {
            match ask().await {
                Err(error) if error.is_passing() && !self.is_late() => {
                    if !std::mem::replace(&mut is_told, true) {
                        output.tell(SILENT)?;
                    }
                    self.pacer.wait().await;
                }
                answer => return answer,
            }
        }
    }

    /// Whether it has taken as long as it may.
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|at| at <= Instant::now())
    }

    fn check_deadline(&self, active: &[(Job, Followed)]) -> Result<(), CommandError> {
        let timeout = self.rules.timeout.as_ref();
        let Some((_, limit)) = timeout.filter(|_| self.is_late()) else {
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

/// An execution, and what was done to have it work.
struct Begun {
    execution: String,
    /// Nothing was done for one that is only followed.
    verb: Option<&'static str>,
}

impl Job {
    /// The same once more, after an answer that was lost, begins nothing twice.
    async fn begin(&self, executions: &Executions) -> Result<Begun, CommandError> {
        let (execution, verb) = match &self.action {
            Action::Follow(execution) => (execution.clone(), None),
            Action::Redrive(execution) => {
                let detail = executions.describe(execution).await?;
                executions.redrive(&detail).await?;
                (execution.clone(), Some("redriven"))
            }
            Action::Retry(input) | Action::Correct(input) => {
                let name = input.execution_name();
                let started = executions.start(&name, input.to_json()?).await?;
                (started, Some("started"))
            }
        };
        Ok(Begun { execution, verb })
    }

    async fn refuse_what_is_done(
        &self,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        if !matches!(self.action, Action::Redrive(_) | Action::Retry(_)) {
            return Ok(());
        }
        let found = survey
            .find_exactly(&self.report, vec![self.window], now)
            .await?;
        let judged = found.windows.first();
        match judged.filter(|it| it.is_settled() || it.is_running()) {
            Some(judged) => Err(CommandError::Left {
                state: judged.state.as_str(),
            }),
            None => Ok(()),
        }
    }
}

/// Whoever may not look any more is told that the work goes on, and how to look at it again.
fn stop_following(
    output: &mut Output<'_>,
    job: &Job,
    error: CommandError,
) -> Result<(), CommandError> {
    let again = format!("cxr watch {} {}", job.report, job.label);
    output.tell(&format!("the work goes on; to follow it again: {again}"))?;
    Err(error)
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
