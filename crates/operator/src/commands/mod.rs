//! The command line. Each command is a file with its arguments and its `run`.

mod backfill;
mod calendar;
mod cancel;
mod check;
mod data;
mod doctor;
mod event;
mod list;
mod logs;
mod plan;
mod probe;
mod redrive;
mod replay;
mod retry;
mod rows;
mod run;
mod schedules;
mod schema;
mod show;
mod status;
mod tenant;
mod verify;
mod watch;
mod withdraw;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use clap::{Parser, Subcommand};
use jiff::Timestamp;

use crate::bucket::Bucket;
use crate::cloudwatch_logs::LogGroups;
use crate::confirm::ReadAnswer;
use crate::error::CommandError;
use crate::output::{Format, Output};
use crate::place::PlaceArgs;
use crate::purposes::Purposes;
use crate::secrets_manager::Secrets;
use crate::step_functions::{Executions, MachineArn};
use crate::survey::Survey;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 a definition is wrong; 2 the command line is wrong; \
3 AWS refuses; 4 AWS does not answer, try again; \
5 it looked, and not all is well.";

/// The exit code of a command that looked, and found that not all is well.
const NOT_WELL: u8 = 5;

/// For operators and authors of CXone report definitions.
#[derive(Debug, Parser)]
#[command(name = "cxr", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How to write the output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The ARN of the state machine.
    #[arg(long, global = true, env = "STATE_MACHINE_ARN", value_name = "ARN")]
    state_machine: Option<String>,
}

/// In the order of `cxr --help`: first what needs no network, then what needs Step Functions, then
/// what needs Secrets Manager, then what asks CXone.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Plan(plan::PlanArgs),
    Event(event::EventArgs),
    Schedules(schedules::SchedulesArgs),
    Status(status::StatusArgs),
    Calendar(calendar::CalendarArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Logs(logs::LogsArgs),
    #[command(flatten)]
    Data(data::DataCommand),
    #[command(flatten)]
    Act(ActCommand),
    Backfill(backfill::BackfillArgs),
    Tenant(tenant::TenantArgs),
    Probe(probe::ProbeArgs),
}

/// Those that have something done with windows or executions.
#[derive(Debug, Subcommand)]
enum ActCommand {
    Retry(retry::RetryArgs),
    Watch(watch::WatchArgs),
    Cancel(cancel::CancelArgs),
    Redrive(redrive::RedriveArgs),
    Replay(replay::ReplayArgs),
    Withdraw(withdraw::WithdrawArgs),
    Run(run::RunArgs),
}

/// What the commands take from outside, so that a test can run them in its own process.
pub struct Context<'a, Aws> {
    /// Where the output goes.
    pub out: &'a mut dyn Write,
    pub now: Timestamp,
    /// Between two looks at an execution that was just started.
    pub pause: Duration,
    /// How many characters a line of the terminal has; none, if the output goes elsewhere.
    pub width: Option<usize>,
    /// The folder for what need not be read again; without one, all is read each time.
    pub cache: Option<PathBuf>,
    /// Reads what a person answers; none, where nobody is there to be asked.
    pub answer: Option<ReadAnswer>,
    /// Loads the SDK's configuration. Called only by commands that need AWS.
    pub aws: Aws,
}

/// Runs one command and returns the exit code of the process.
pub async fn run<Aws>(cli: Cli, context: Context<'_, Aws>) -> Result<u8, CommandError>
where
    Aws: AsyncFnOnce() -> SdkConfig,
{
    let Context {
        out,
        now,
        pause,
        width,
        cache,
        answer,
        aws,
    } = context;
    refuse_row_format(cli.format, &cli.command)?;
    let output = &mut Output::new(out, cli.format, width);
    let account = Account {
        aws,
        machine: cli.state_machine,
        pause,
        cache: cache.clone(),
    };
    match cli.command {
        Command::Check(args) => args.run(output),
        Command::Schema(args) => args.run(output),
        Command::Plan(args) => args.run(output, now),
        Command::Event(args) => args.run(output, now, account.machine()?.as_ref()),
        Command::Schedules(args) => args.run(output, now),
        Command::Status(args) => {
            let survey = account.survey(&args.place).await?;
            args.run(output, &survey, now).await
        }
        Command::Calendar(args) => {
            let survey = account.survey(&args.place).await?;
            args.run(output, &survey, now).await
        }
        Command::List(args) => {
            let (executions, config) = account.executions_and_config().await?;
            let sources = list::Sources {
                purposes: Purposes::open(&executions, cache.as_deref()),
                executions,
                config,
                cache,
            };
            args.run(output, sources, now).await
        }
        Command::Show(args) if args.is_about_window() => {
            let survey = account.survey(&args.place).await?;
            args.run_for_window(output, &survey, now).await
        }
        Command::Show(args) => {
            let executions = account.executions().await?;
            args.run_for_execution(output, &executions).await
        }
        Command::Logs(args) => {
            let (groups, executions, survey) = account.logs(args.place()).await?;
            let survey = survey.as_ref();
            args.run(output, &groups, &executions, survey, now).await
        }
        Command::Data(command) => command.run(account, output, now).await,
        Command::Act(command) => act(command, account, output, answer, now).await,
        Command::Backfill(args) => {
            let survey = account.survey(args.place()).await?;
            Box::pin(args.run(output, &survey, answer, now)).await
        }
        Command::Tenant(args) => args.run(output, &account.secrets().await?, now).await,
        Command::Probe(args) => {
            // Its futures are large, and no other command needs them.
            let secrets = async || account.secrets().await;
            Box::pin(args.run(output, secrets, now, pause)).await
        }
    }
}

async fn act<Aws>(
    command: ActCommand,
    account: Account<Aws>,
    output: &mut Output<'_>,
    answer: Option<ReadAnswer>,
    now: Timestamp,
) -> Result<u8, CommandError>
where
    Aws: AsyncFnOnce() -> SdkConfig,
{
    match command {
        ActCommand::Retry(args) => {
            let survey = account.survey(&args.place).await?;
            args.run(output, &survey, answer, now).await
        }
        ActCommand::Cancel(args) => {
            let survey = account.survey(&args.place).await?;
            args.run(output, &survey, answer, now).await
        }
        ActCommand::Watch(args) => {
            let survey = account.survey(&args.place).await?;
            args.run(output, &survey, now).await
        }
        ActCommand::Redrive(args) => args.run(output, &account.executions().await?, now).await,
        ActCommand::Replay(args) if args.is_about_file() => {
            let executions = account.executions().await?;
            args.run_for_file(output, &executions, now).await
        }
        ActCommand::Replay(args) => {
            let survey = account.survey(&args.place).await?;
            args.run_for_report(output, &survey, answer, now).await
        }
        ActCommand::Withdraw(args) if args.is_about_file() => {
            let executions = account.executions().await?;
            args.run_for_file(output, &executions, now).await
        }
        ActCommand::Withdraw(args) => {
            let survey = account.survey(&args.place).await?;
            args.run_for_report(output, &survey, now).await
        }
        ActCommand::Run(args) => args.run(output, &account.executions().await?, now).await,
    }
}

/// Rows have formats of their own, which nothing else can be written in.
fn refuse_row_format(format: Format, command: &Command) -> Result<(), CommandError> {
    let format = match (format, command) {
        (_, Command::Data(data::DataCommand::Rows(_))) | (Format::Text | Format::Json, _) => {
            return Ok(());
        }
        (Format::Ndjson, _) => "ndjson",
        (Format::Csv, _) => "csv",
    };
    Err(CommandError::OutputFormat { format })
}

/// What the commands reach at AWS.
struct Account<Aws> {
    aws: Aws,
    /// The ARN as it was given, which a command that needs none does not read.
    machine: Option<String>,
    pause: Duration,
    cache: Option<PathBuf>,
}

impl<Aws: AsyncFnOnce() -> SdkConfig> Account<Aws> {
    /// The state machine, if one is named. An empty variable counts as one that is not set.
    fn machine(&self) -> Result<Option<MachineArn>, CommandError> {
        let given = self.machine.as_deref().filter(|arn| !arn.is_empty());
        given.map(str::parse).transpose()
    }

    async fn executions(self) -> Result<Executions, CommandError> {
        let (executions, _) = self.executions_and_config().await?;
        Ok(executions)
    }

    /// The executions, and what a client of another service is made with.
    async fn executions_and_config(self) -> Result<(Executions, SdkConfig), CommandError> {
        let machine = self.machine()?.ok_or_else(CommandError::no_machine)?;
        let config = load_config(self.aws, Some(&machine)).await;
        Ok((Executions::new(&config, machine, self.pause), config))
    }

    async fn secrets(self) -> Result<Secrets, CommandError> {
        let machine = self.machine()?;
        Ok(Secrets::new(&load_config(self.aws, machine.as_ref()).await))
    }

    /// The handlers' log groups, and the survey if a window is meant, for which the bucket is read.
    async fn logs(
        self,
        place: Option<&PlaceArgs>,
    ) -> Result<(LogGroups, Executions, Option<Survey>), CommandError> {
        let cache = self.cache.clone();
        let (executions, config) = self.executions_and_config().await?;
        let groups = LogGroups::find(&config, &executions).await?;
        let survey = match place {
            None => None,
            Some(place) => Some(Survey {
                bucket: Bucket::new(&config, place.find(Some(&executions)).await?, cache.clone()),
                executions: Some(executions.clone()),
                cache,
            }),
        };
        Ok((groups, executions, survey))
    }

    /// The bucket, and the executions if a state machine is named.
    async fn survey(self, place: &PlaceArgs) -> Result<Survey, CommandError> {
        let machine = self.machine()?;
        let config = load_config(self.aws, machine.as_ref()).await;
        let executions = machine.map(|machine| Executions::new(&config, machine, self.pause));
        let place = place.find(executions.as_ref()).await?;
        Ok(Survey {
            bucket: Bucket::new(&config, place, self.cache.clone()),
            executions,
            cache: self.cache,
        })
    }
}

/// The region is that of the state machine, whatever the environment says.
async fn load_config(
    aws: impl AsyncFnOnce() -> SdkConfig,
    machine: Option<&MachineArn>,
) -> SdkConfig {
    let config = aws().await;
    match machine.map(MachineArn::region).filter(|it| !it.is_empty()) {
        Some(region) => {
            let region = Region::new(region.to_owned());
            config.into_builder().region(region).build()
        }
        None => config,
    }
}
