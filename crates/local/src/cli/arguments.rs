//! The arguments of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use definition::{Api, TableFormat};

use crate::clock::TimeScale;

/// Runs the report pipeline on this machine: the real handlers and the real state machine, with a simulated CXone tenant and AWS.
///
/// Without a subcommand it delivers one report and shows what landed.
#[derive(Debug, Parser)]
#[command(name = "local", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keeps everything running until Ctrl-C, for the AWS CLI, an SDK or `cxr`.
    Serve(Serve),
    /// Lists the faults that the simulated tenant knows.
    Faults,
}

/// One report, from the event to the commit.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The definition of the report.
    #[arg(long, value_name = "FILE")]
    pub(crate) definition: Option<PathBuf>,
    /// Which of CXone's report APIs: a built-in definition for each.
    #[arg(long, value_name = "NAME", conflicts_with = "definition", value_parser = name_parser(Api::ALL, Api::as_str))]
    pub(crate) api: Option<Api>,
    /// The window: a day like `2026-11-20`, or `START/END`, both as days or as `2026-11-20T00:00:00Z`. A day is one of the
    /// definition's `windowZone`, which is UTC if it names none. Without it the definition's range, which for a daily report is
    /// yesterday.
    #[arg(long, value_name = "DAY|START/END")]
    pub(crate) window: Option<String>,
    /// Fetches a window again that was delivered before, and why; the new rows replace the old ones.
    #[arg(long, value_name = "REASON")]
    pub(crate) replay: Option<String>,
    /// Shows a day that changes after it was delivered: rows come late and values are corrected, and the day is stated anew a
    /// day and a week later.
    #[arg(long, conflicts_with_all = ["window", "replay", "time_scale", "tenant"])]
    pub(crate) restate: bool,
    /// Keeps a table of what is delivered, and prints how Python reads it. Without it, if the definition says so.
    #[arg(long, value_name = "FORMAT", value_parser = name_parser(TableFormat::ALL, TableFormat::as_str))]
    pub(crate) table: Option<TableFormat>,
    #[command(flatten)]
    pub(crate) world: World,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where AWS listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How many processes of each handler may run at once, as `ReservedConcurrency` says it of a stack. Beyond it a handler is
    /// throttled, and executions wait.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) instances: u16,
    #[command(flatten)]
    pub(crate) world: World,
}

/// The simulated tenant, the clock and the folder.
#[derive(Debug, Args)]
pub(crate) struct World {
    /// Rows that the simulated tenant has for a full day.
    #[arg(long, default_value_t = 25_000, value_name = "N")]
    pub(crate) rows: u64,
    /// A fault of the simulated tenant, `NAME[:key=value,…]`; may be repeated. It replaces the faults that are set by default; `none` sets none.
    #[arg(long = "fault", value_name = "SPEC")]
    pub(crate) faults: Vec<String>,
    /// Seed of the rows and of everything random: the same seed gives the same run.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The folder of the bucket. What earlier runs delivered there stays delivered.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The speed of the simulated clock: a factor of real time, or `virtual`, which jumps over every wait.
    #[arg(long, value_name = "N|virtual")]
    pub(crate) time_scale: Option<TimeScale>,
    /// A real tenant: the JSON of its secret (`base_url`, `token_url` or `issuer` and `tenant_id`, and a client, an access key or
    /// both). Time is real. Reports sign in with it whatever their tenant is called; with `serve` the tenant is called like the file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["faults", "time_scale"])]
    pub(crate) tenant: Option<PathBuf>,
}

/// Takes the names that definitions use for these.
fn name_parser<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name_of: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(|one| name_of(*one));
    PossibleValuesParser::new(names).try_map(move |name| {
        let mut all = all.iter().copied();
        all.find(|one| name_of(*one) == name)
            .ok_or("none of these names")
    })
}
