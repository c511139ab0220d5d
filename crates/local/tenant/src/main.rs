//! A CXone tenant on this machine, for the command line and for other languages.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use cxone_sim::{Fault, Options, Rate, Tenant};

/// A CXone tenant that misbehaves on request.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Seed of the rows: the same seed gives the same rows.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Rows of a full day.
    #[arg(long, default_value_t = 1_000)]
    rows: u64,
    /// Rows of a page.
    #[arg(long, default_value_t = 10_000)]
    page_size: u32,
    /// Leave `total` out of the results.
    #[arg(long)]
    no_total: bool,
    /// Never compress an answer.
    #[arg(long)]
    no_gzip: bool,
    /// Seconds that a run is queued.
    #[arg(long, default_value_t = 0)]
    queued: u64,
    /// Seconds that a run is processing after that.
    #[arg(long, default_value_t = 0)]
    processing: u64,
    /// Seconds that an access token lives.
    #[arg(long, default_value_t = 3_600)]
    token_lifetime: u64,
    /// The client's id.
    #[arg(long, default_value = "sim-client")]
    client_id: String,
    /// The client's secret.
    #[arg(long, default_value = "sim-secret")]
    client_secret: String,
    /// A limit of calls in a minute; without it there is none.
    #[arg(long)]
    rate: Option<u32>,
    /// A fault, `NAME[:key=value[,key=value]]`; may be repeated.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Answer as the tenant did that this report of `cxr probe --out` is about; more faults may be added.
    #[arg(long, value_name = "FILE")]
    learn: Option<std::path::PathBuf>,
    /// Print the table of faults.
    #[arg(long)]
    list_faults: bool,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        Self {
            listen: arguments.listen,
            seed: arguments.seed,
            rows: arguments.rows,
            page_size: arguments.page_size,
            total: !arguments.no_total,
            gzip: !arguments.no_gzip,
            queued: Duration::from_secs(arguments.queued),
            processing: Duration::from_secs(arguments.processing),
            token_lifetime: Duration::from_secs(arguments.token_lifetime),
            client_id: arguments.client_id,
            client_secret: arguments.client_secret,
            rate: arguments.rate.map(|per_minute| Rate {
                per_minute,
                burst: per_minute.max(1),
            }),
            faults: arguments.faults,
            ..Self::default()
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut out = io::stdout();
    if arguments.list_faults {
        return out.write_all(cxone_sim::fault_table().as_bytes());
    }
    let (id, secret) = (arguments.client_id.clone(), arguments.client_secret.clone());
    let learned = arguments.learn.as_ref().map(std::fs::read_to_string);
    let mut options = Options::from(arguments);
    if let Some(report) = learned.transpose()? {
        options = options.learn(&report).map_err(io::Error::other)?;
    }
    let known = [
        ("CXONE_TENANT_ID", options.tenant_id.clone()),
        ("CXONE_ACCESS_KEY_ID", options.access_key_id.clone()),
        ("CXONE_ACCESS_KEY_SECRET", options.access_key_secret.clone()),
    ];
    let tenant = Tenant::start(options).await?;
    writeln!(out, "export CXONE_BASE_URL={}", tenant.base_url())?;
    writeln!(out, "export CXONE_TOKEN_URL={}", tenant.token_url())?;
    writeln!(out, "export CXONE_CLIENT_ID={id}")?;
    writeln!(out, "export CXONE_CLIENT_SECRET={secret}")?;
    writeln!(out, "export CXONE_ISSUER_URL={}", tenant.base_url())?;
    for (name, value) in known {
        writeln!(out, "export {name}={value}")?;
    }
    out.flush()?;
    tokio::signal::ctrl_c().await
}
