//! The command line. Each command is a file with its arguments and its `run`.

mod act;
mod backfill;
mod calendar;
mod cancel;
mod check;
mod completions;
mod data;
mod dbt;
mod ddl;
mod doctor;
mod drift;
mod event;
mod explain;
mod list;
mod load;
mod logs;
mod new;
mod plan;
mod probe;
mod redrive;
mod replay;
mod retry;
mod rows;
mod run;
mod schedules;
mod schema;
mod schema_output;
mod show;
mod sql;
mod status;
mod tenant;
mod verify;
mod watch;
mod withdraw;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use clap::{CommandFactory as _, Parser, Subcommand};
use jiff::Timestamp;

use crate::account::Account;
use crate::aws_setup::AwsArgs;
use crate::confirm::ReadAnswer;
use crate::error::CommandError;
use crate::output::{Format, Output};

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
    /// The same as --format json: one document, and an error as one on the standard error.
    #[arg(long, global = true)]
    json: bool,
    /// The ARN of the state machine.
    #[arg(long, global = true, env = "STATE_MACHINE_ARN", value_name = "ARN")]
    state_machine: Option<String>,
    /// The CloudFormation stack of the state machine, in place of its ARN.
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
    #[command(flatten)]
    aws: AwsArgs,
}

impl Cli {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// Rows in the one would silently be rows in the other.
    fn refuse_two_formats(&self) -> Result<(), CommandError> {
        match self.format {
            Format::Csv if self.json => Err(CommandError::TwoFormats { format: "csv" }),
            Format::Ndjson if self.json => Err(CommandError::TwoFormats { format: "ndjson" }),
            _ => Ok(()),
        }
    }

    /// Whether errors are to be told as JSON too.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format() == Format::Json
    }

    /// Refuses a profile that keys of the environment would take the place of.
    ///
    /// # Errors
    /// If there are such keys, and a profile is named.
    pub fn check_profile(&self, has_keys: bool) -> Result<(), CommandError> {
        self.aws.check_profile(has_keys)
    }

    /// Loads the SDK's configuration as the command line wants it.
    pub fn aws_loader(&self) -> impl AsyncFnOnce() -> SdkConfig + use<> {
        // With --stack the ARN of the environment does not count, and so neither does its region.
        let machine = self.state_machine.clone().filter(|_| self.stack.is_none());
        let args = self.aws.clone();
        let is_quiet = self.is_json();
        async move || args.load(machine.as_deref(), is_quiet).await
    }
}

/// In the order of `cxr --help`: first what needs no network, then what needs Step Functions, then
/// what needs Secrets Manager, then what asks CXone.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    New(new::NewArgs),
    Schema(schema::SchemaArgs),
    Explain(explain::ExplainArgs),
    Plan(plan::PlanArgs),
    Ddl(ddl::DdlArgs),
    Sql(sql::SqlArgs),
    Dbt(dbt::DbtArgs),
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
    Act(act::ActCommand),
    Backfill(backfill::BackfillArgs),
    Tenant(tenant::TenantArgs),
    Probe(probe::ProbeArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

impl Command {
    /// What the document of the command says to be, unless it says otherwise itself.
    fn kind(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::New(_) => "new",
            Self::Schema(_) => "schema",
            Self::Explain(_) => "explanation",
            Self::Plan(_) => "plan",
            Self::Ddl(_) => "ddl",
            Self::Sql(_) => "sql",
            Self::Dbt(_) => "dbt",
            Self::Event(_) => "event",
            Self::Schedules(_) => "schedules",
            Self::Status(_) => "status",
            Self::Calendar(_) => "calendar",
            Self::List(_) => "list",
            Self::Logs(_) => "logs",
            Self::Show(_) => "execution",
            Self::Data(command) => command.kind(),
            Self::Backfill(args) => args.kind(),
            Self::Act(command) => command.kind(),
            Self::Tenant(args) => args.kind(),
            Self::Probe(_) => "probe",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
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
    cli.refuse_two_formats()?;
    refuse_row_format(cli.format(), &cli.command)?;
    let output = &mut Output::new(out, cli.format(), width, cli.command.kind());
    let account = Account {
        aws,
        setup: cli.aws,
        machine: cli.state_machine,
        stack: cli.stack,
        pause,
        cache,
    };
    match cli.command {
        Command::Check(args) => args.run(output),
        Command::New(args) => args.run(output),
        Command::Explain(args) => args.run(output),
        Command::Completions(args) => args.run(output, Cli::command()),
        Command::Man(args) => args.run(output, Cli::command()),
        Command::Schema(args) => args.run(output),
        Command::Plan(args) => args.run(output, now),
        Command::Ddl(args) => args.run(output),
        Command::Sql(args) => args.run(output),
        Command::Dbt(args) => args.run(output),
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
            let deployment = account.deployment().await?;
            args.run(output, &deployment, now).await
        }
        Command::Show(args) if args.is_about_window() => {
            let survey = account.survey(&args.place).await?;
            args.run_for_window(output, &survey, now).await
        }
        Command::Show(args) => {
            let deployment = account.deployment().await?;
            args.run_for_execution(output, &deployment).await
        }
        Command::Logs(args) => {
            let (groups, executions, survey) = account.logs(args.place()).await?;
            let survey = survey.as_ref();
            args.run(output, &groups, &executions, survey, now).await
        }
        Command::Data(command) => Box::pin(command.run(account, output, now)).await,
        Command::Act(command) => Box::pin(command.run(account, output, answer, now)).await,
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
