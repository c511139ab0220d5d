//! What can be asked for.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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

/// What else it can do.
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
    /// The report definition.
    #[arg(long, value_name = "FILE")]
    pub(crate) definition: Option<PathBuf>,
    /// Which of CXone's report APIs: a built-in definition for each.
    #[arg(long, value_name = "NAME", conflicts_with = "definition",
        value_parser = ["analytics", "report-jobs", "data-extraction", "data-download", "contacts"])]
    pub(crate) api: Option<String>,
    /// The window, `2026-11-20T00:00:00Z/2026-11-21T00:00:00Z` or `2026-11-20/2026-11-21`; without it the definition's range, yesterday
    /// for a daily one.
    #[arg(long, value_name = "START/END")]
    pub(crate) window: Option<String>,
    /// States the window anew although it was delivered, for this reason.
    #[arg(long, value_name = "REASON")]
    pub(crate) replay: Option<String>,
    #[command(flatten)]
    pub(crate) world: World,
}

/// A world that stays.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where AWS listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) world: World,
}

/// What world it is.
#[derive(Debug, Args)]
pub(crate) struct World {
    /// Rows that the simulated tenant has for a full day.
    #[arg(long, default_value_t = 25_000, value_name = "N")]
    pub(crate) rows: u64,
    /// A fault of the simulated tenant, `NAME[:key=value,…]`; may be repeated, replaces the usual ones; `none` for a tenant that behaves.
    #[arg(long = "fault", value_name = "SPEC")]
    pub(crate) faults: Vec<String>,
    /// Decides the rows, and all that is left to chance.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The folder for the bucket; what is there is built upon.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How fast time goes: a factor, or `virtual` for as fast as can be.
    #[arg(long, value_name = "N|virtual")]
    pub(crate) time_scale: Option<TimeScale>,
    /// The base URL of a real tenant; its client is in `CXONE_CLIENT_ID`, `CXONE_CLIENT_SECRET`, `CXONE_TOKEN_URL` and
    /// `CXONE_ALLOWED_HOSTS`, and time is real.
    #[arg(long, value_name = "URL", conflicts_with_all = ["faults", "time_scale"])]
    pub(crate) tenant: Option<String>,
}
