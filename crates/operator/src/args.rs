//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// For operators and authors of CXone report definitions.
#[derive(Debug, Parser)]
#[command(name = "cxr", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to say it.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The ARN of the state machine.
    #[arg(long, global = true, env = "STATE_MACHINE_ARN", value_name = "ARN")]
    pub state_machine: Option<String>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 a definition is wrong; 2 the command line is wrong; \
3 AWS says no; 4 no answer, try again.";

/// How output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with definition files (no network).
    Check {
        /// Definition files, or folders of them; - is the standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Fail for warnings too.
        #[arg(long)]
        deny_warnings: bool,
        /// What metrics and dimensions there are.
        #[command(flatten)]
        catalogue: CatalogueArg,
    },
    /// Print the JSON Schema of a definition (no network).
    Schema,
    /// Say what a definition would do (no network).
    Plan {
        /// The definition and its window.
        #[command(flatten)]
        what: What,
        /// What metrics and dimensions there are.
        #[command(flatten)]
        catalogue: CatalogueArg,
    },
    /// Print the input of an execution (no network).
    Event {
        /// The definition and its window.
        #[command(flatten)]
        what: EventWhat,
        /// State a delivered window anew, for this reason.
        #[arg(long, value_name = "REASON", conflicts_with = "scheduler")]
        replay: Option<String>,
        /// Who asks.
        #[command(flatten)]
        who: Who,
    },
    /// Write the schedules and alarms of all definitions into the SAM template (no network).
    Schedules {
        /// The folder of the definitions.
        reports: PathBuf,
        /// The template; what stands between its marker lines is replaced.
        template: PathBuf,
        /// Write nothing; fail if the template is out of date.
        #[arg(long)]
        check: bool,
    },
    /// What needs Step Functions.
    #[command(flatten)]
    Aws(AwsCommand),
}

/// What to do with executions.
#[derive(Debug, Subcommand)]
pub enum AwsCommand {
    /// List executions, newest first; the failed ones with what for and why.
    List {
        /// Only those that failed, timed out or were aborted.
        #[arg(long)]
        failed: bool,
        /// A time, or how long ago.
        #[arg(long, default_value = "7d")]
        since: String,
    },
    /// Say why an execution failed and what to do about it.
    Show {
        /// Its name or ARN.
        execution: String,
    },
    /// Let failed executions go on where they stopped.
    Redrive {
        /// Their names or ARNs.
        #[arg(required_unless_present = "all_failed")]
        executions: Vec<String>,
        /// Every one that failed and was started since --since.
        #[arg(long, requires = "since", conflicts_with = "executions")]
        all_failed: bool,
        /// A time, or how long ago; a redrive is possible for 14 days.
        #[arg(long, requires = "all_failed")]
        since: Option<String>,
        /// With --all-failed: only those that failed with this error, such as Cxone.Auth.
        #[arg(long, requires = "all_failed")]
        error: Option<String>,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// State a window anew, delivered or not, with this definition: the next generation of it.
    Replay {
        /// The definition file; it may differ from the one that was used before.
        file: PathBuf,
        /// START/END, or one day.
        #[arg(long)]
        window: String,
        /// Why; kept with the data.
        #[arg(long)]
        reason: String,
        /// Who asks.
        #[command(flatten)]
        who: Who,
    },
    /// Ask for a window as the Scheduler would: what is stored for it is used, a delivered one is left as it is.
    Run {
        /// The definition and its window.
        #[command(flatten)]
        what: What,
    },
}

/// A definition and a window of it.
#[derive(Debug, Args)]
pub struct What {
    /// The definition file; - is the standard input.
    pub file: PathBuf,
    /// Which window.
    #[command(flatten)]
    pub span: SpanArg,
}

/// A scheduled time or a window.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SpanArg {
    /// The scheduled time, such as 2026-06-02T05:30:00Z.
    #[arg(long)]
    pub at: Option<String>,
    /// START/END, or one day.
    #[arg(long)]
    pub window: Option<String>,
}

/// A definition, and a window of it unless it is for the Scheduler.
#[derive(Debug, Args)]
pub struct EventWhat {
    /// The definition file; - is the standard input.
    pub file: PathBuf,
    /// Which window.
    #[command(flatten)]
    pub span: EventSpan,
}

/// A scheduled time, a window, or whatever the Scheduler says.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct EventSpan {
    /// The scheduled time, such as 2026-06-02T05:30:00Z.
    #[arg(long)]
    pub at: Option<String>,
    /// START/END, or one day.
    #[arg(long)]
    pub window: Option<String>,
    /// The input of an EventBridge schedule: the Scheduler fills in the time.
    #[arg(long)]
    pub scheduler: bool,
}

/// What metrics and dimensions there are.
#[derive(Debug, Args)]
pub struct CatalogueArg {
    /// A tenant's additions to the catalogue of metrics and dimensions (JSON).
    #[arg(long, value_name = "FILE")]
    pub catalogue: Option<PathBuf>,
}

/// Who asks.
#[derive(Debug, Args)]
pub struct Who {
    /// Who asks for a replay; kept with the data.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub requested_by: String,
}
