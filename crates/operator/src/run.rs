//! Does what the command line says.

use std::fmt::Display;
use std::future::Future;
use std::io::Write;

use definition::{Catalogue, Window};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::{AwsCommand, Cli, Command, EventWhat, Format, What};
use crate::definition_file::{self, DefinitionFile};
use crate::error::Error;
use crate::input::{Event, Replay, Wish};
use crate::machine::Executions;
use crate::machine_arn::MachineArn;
use crate::plan::{Span, plan};
use crate::redrive::{Choice, redrive};
use crate::schedules::{Schedules, schedules};
use crate::show::Report;
use crate::{check, list, time};

/// What a command needs from outside, so that it can be run in a test.
pub struct Surroundings<'a, Aws> {
    /// Where the output goes.
    pub out: &'a mut dyn Write,
    /// The time.
    pub now: Timestamp,
    /// How to reach Step Functions; called by the commands that do.
    pub aws: Aws,
}

/// An execution that was started.
#[derive(Serialize)]
struct Started {
    execution: String,
}

impl Display for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "started {}", self.execution)
    }
}

/// Does it, and says how the process should end.
pub async fn run<Aws, Fut>(cli: Cli, around: Surroundings<'_, Aws>) -> Result<u8, Error>
where
    Aws: FnOnce() -> Fut,
    Fut: Future<Output = aws_sdk_sfn::Config>,
{
    let Surroundings { out, now, aws } = around;
    let format = cli.format;
    let machine = cli
        .state_machine
        .filter(|arn| !arn.is_empty())
        .map(|arn| arn.parse::<MachineArn>())
        .transpose()?;
    match cli.command {
        Command::Check {
            files,
            deny_warnings,
            catalogue,
        } => {
            let catalogue = definition_file::catalogue(catalogue.catalogue.as_deref())?;
            let verdict = check::check(&files, &catalogue)?;
            say(out, format, &verdict)?;
            Ok(u8::from(!verdict.passes(deny_warnings)))
        }
        Command::Schema => {
            writeln!(out, "{}", definition::schema())?;
            Ok(0)
        }
        Command::Plan { what, catalogue } => {
            let catalogue = definition_file::catalogue(catalogue.catalogue.as_deref())?;
            let (file, span) = read_what(&what, &catalogue)?;
            say(out, format, &plan(&file.definition, span)?)
        }
        Command::Event { what, replay, who } => {
            let replay = replay.map(|reason| Replay {
                reason,
                requested_by: who.requested_by,
            });
            json(out, &event(&what, replay, now, machine.as_ref())?)?;
            Ok(0)
        }
        Command::Schedules {
            reports,
            template,
            check,
        } => match schedules(&reports, &template, check)? {
            Schedules::Refused(verdict) => {
                say(out, format, &verdict)?;
                Ok(1)
            }
            Schedules::Done(outcome) => {
                say(out, format, &outcome)?;
                Ok(outcome.exit_code())
            }
        },
        Command::Aws(command) => {
            let machine = machine.ok_or(Error::StateMachine)?;
            let executions = Executions::new(&aws().await, machine);
            on_aws(&executions, command, format, out, now).await
        }
    }
}

async fn on_aws(
    executions: &Executions,
    command: AwsCommand,
    format: Format,
    out: &mut dyn Write,
    now: Timestamp,
) -> Result<u8, Error> {
    match command {
        AwsCommand::List { failed, since } => {
            let since = time::since(&since, now)?;
            say(out, format, &list::list(executions, failed, since).await?)
        }
        AwsCommand::Show { execution } => {
            let described = executions.describe(&execution).await?;
            let story = executions.story(&execution).await?;
            say(out, format, &Report::new(described, story))
        }
        AwsCommand::Redrive {
            executions: names,
            since,
            error,
            dry_run,
            ..
        } => {
            let since = since.map(|since| time::since(&since, now)).transpose()?;
            let choice = Choice {
                executions: names,
                all_failed_since: since,
                error,
                dry_run,
            };
            let outcome = redrive(executions, choice).await?;
            say(out, format, &outcome)?;
            Ok(outcome.exit_code())
        }
        AwsCommand::Replay {
            file,
            window,
            reason,
            who,
        } => {
            let window = time::window(&window)?;
            let file = definition_file::read(&file, Catalogue::builtin())?;
            let replay = Replay {
                reason,
                requested_by: who.requested_by,
            };
            let wish = Wish::replay(window, replay, now);
            say(out, format, &start(executions, file, wish, window).await?)
        }
        AwsCommand::Run { what } => {
            let (file, span) = read_what(&what, Catalogue::builtin())?;
            let window = span.window(&file.definition)?;
            let wish = wish(&file, span, window);
            say(out, format, &start(executions, file, wish, window).await?)
        }
    }
}

async fn start(
    executions: &Executions,
    file: DefinitionFile,
    wish: Wish,
    window: Window,
) -> Result<Started, Error> {
    let report = file.definition.name.to_string();
    let event = Event::new(file, wish, Some(executions.machine()));
    let name = event.name(&report, window);
    let execution = executions.start(&name, event.to_json()?).await?;
    Ok(Started { execution })
}

fn event(
    what: &EventWhat,
    replay: Option<Replay>,
    now: Timestamp,
    machine: Option<&MachineArn>,
) -> Result<Event, Error> {
    let file = definition_file::read(&what.file, Catalogue::builtin())?;
    if what.span.scheduler {
        return Ok(Event::for_scheduler(file, machine));
    }
    let span = span(what.span.at.as_deref(), what.span.window.as_deref())?;
    let window = span.window(&file.definition)?;
    let wish = match replay {
        Some(replay) => Wish::replay(window, replay, now),
        None => wish(&file, span, window),
    };
    Ok(Event::new(file, wish, machine))
}

/// A wish for a window has the time at which the window is final, and so the same name whenever
/// it is made: a second one for the same window finds the first.
fn wish(file: &DefinitionFile, span: Span, window: Window) -> Wish {
    let (at, window) = match span {
        Span::At(at) => (at, None),
        Span::Window(_) => (file.definition.settled_at(&window), Some(window)),
    };
    Wish {
        at,
        window,
        replay: None,
    }
}

/// What is sent is held against the built-in catalogue, because the handlers know no other.
fn read_what(what: &What, catalogue: &Catalogue) -> Result<(DefinitionFile, Span), Error> {
    let span = span(what.span.at.as_deref(), what.span.window.as_deref())?;
    let file = definition_file::read(&what.file, catalogue)?;
    Ok((file, span))
}

fn span(at: Option<&str>, window: Option<&str>) -> Result<Span, Error> {
    match window {
        Some(window) => time::window(window).map(Span::Window),
        None => time::time("--at", at.unwrap_or_default()).map(Span::At),
    }
}

fn say(
    out: &mut dyn Write,
    format: Format,
    what: &(impl Display + Serialize),
) -> Result<u8, Error> {
    match format {
        Format::Text => write!(out, "{what}")?,
        Format::Json => json(out, what)?,
    }
    Ok(0)
}

fn json(out: &mut dyn Write, what: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(what).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}
