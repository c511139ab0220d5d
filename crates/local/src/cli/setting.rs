//! From what was asked for to a world.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use asl::Clock;
use cxone_sim::Fault;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use local::handlers::{self, NAMES};
use local::world::{RemoteTenant, TenantOptions};
use local::{Handlers, Options, World};

use crate::clock::TimeScale;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{arguments, faults};

/// What the simulated tenant of each API does by default, so that there is something to see.
pub(crate) fn usual_faults(api: Option<&str>) -> &'static [&'static str] {
    match api {
        // What users report of its files.
        Some("report-jobs") => &["csv-bom", "csv-doubled-crlf", "total-row"],
        // A link that was too old when it came.
        Some("data-extraction") => &["link-expired"],
        // A link that leads nowhere at first.
        Some("data-download") => &["answer-by:as=uri", "uri-late:seconds=60"],
        Some("contacts") => &["throttled:on=page,at=15,seconds=45"],
        // The token ends after the eighth page, and the page after the fifteenth has to wait.
        _ => &[
            "token-expires:on=page,after=8",
            "throttled:on=page,at=15,seconds=45",
        ],
    }
}

/// The pages that a full day comes in.
const PAGES: u64 = 25;

/// How a simulated tenant and time are, unless it is said otherwise.
pub(crate) struct Usual {
    pub(crate) faults: &'static [&'static str],
    pub(crate) slow: bool,
    pub(crate) scale: TimeScale,
    pub(crate) start: Timestamp,
    pub(crate) listen: SocketAddr,
}

/// Builds the handlers, unless `LOCAL_HANDLERS` names a folder with them.
pub(crate) async fn handlers(terminal: &Terminal) -> Result<Handlers, Failure> {
    if std::env::var_os("LOCAL_HANDLERS").is_none() {
        terminal.line(&format!("building the handlers {}", NAMES.join(", ")));
    }
    handlers_quietly().await
}

/// Builds the handlers without a word on standard output, which is for those who read it.
pub(crate) async fn handlers_quietly() -> Result<Handlers, Failure> {
    if std::env::var_os("LOCAL_HANDLERS").is_some() {
        return Ok(Handlers::from_env().await?);
    }
    Ok(Handlers::build(handlers::Output::Shown).await?)
}

/// A world that can be started; what is wrong with the arguments has been said.
pub(crate) struct Prepared {
    /// None for real time.
    scale: Option<TimeScale>,
    start: Timestamp,
    tenant: TenantOptions,
    folder: PathBuf,
    listen: SocketAddr,
    seed: u64,
}

impl Prepared {
    pub(crate) fn new(asked: &arguments::World, usual: &Usual) -> Result<Self, Failure> {
        let (scale, tenant) = if let Some(url) = &asked.tenant {
            (None, TenantOptions::Remote(remote(url)?))
        } else {
            let tenant = simulated(asked, usual)?;
            let scale = asked.time_scale.unwrap_or(usual.scale);
            (Some(scale), TenantOptions::Simulated(Box::new(tenant)))
        };
        Ok(Self {
            scale,
            start: usual.start,
            tenant,
            folder: asked.out.clone(),
            listen: usual.listen,
            seed: asked.seed,
        })
    }

    pub(crate) async fn start(self, handlers: Handlers) -> Result<World, Failure> {
        // Time begins now, after the handlers were built.
        let clock = self.scale.map(|scale| scale.clock(self.start));
        let clock = clock.unwrap_or_else(Clock::real);
        let mut options = Options::new(handlers, clock, cxone_sim::Options::default());
        options.tenant = self.tenant;
        options.folder = Some(self.folder);
        options.listen = self.listen;
        options.seed = self.seed;
        Ok(World::start(options).await?)
    }
}

fn simulated(asked: &arguments::World, usual: &Usual) -> Result<cxone_sim::Options, Failure> {
    let mut tenant = cxone_sim::Options {
        seed: asked.seed,
        rows: asked.rows,
        page_size: u32::try_from(asked.rows.div_ceil(PAGES).clamp(1, 10_000)).unwrap_or(10_000),
        ..cxone_sim::Options::default()
    };
    if usual.slow && asked.faults.is_empty() {
        tenant.queued = Duration::from_secs(40);
        tenant.processing = Duration::from_mins(5);
    }
    let given = asked.faults.iter().map(String::as_str);
    let specs: Vec<&str> = if asked.faults.is_empty() {
        usual.faults.to_vec()
    } else {
        given.filter(|spec| *spec != "none").collect()
    };
    for spec in specs {
        let fault: Result<Fault, _> = spec.parse();
        let fault = fault.map_err(|source| Failure::Fault {
            text: spec.to_owned(),
            reason: faults::explain(spec, &source),
        })?;
        tenant.faults.push(fault);
    }
    Ok(tenant)
}

fn remote(url: &str) -> Result<RemoteTenant, Failure> {
    let variable = |name: &'static str| {
        let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
        value
            .filter(|value| !value.is_empty())
            .ok_or(Failure::Variable(name))
    };
    Ok(RemoteTenant {
        base_url: url.to_owned(),
        token_url: variable("CXONE_TOKEN_URL")?,
        allowed_hosts: variable("CXONE_ALLOWED_HOSTS")?,
        client_id: variable("CXONE_CLIENT_ID")?,
        client_secret: variable("CXONE_CLIENT_SECRET")?,
    })
}

/// Half past five in the morning of a day, when the schedule fires.
pub(crate) fn scheduled(day: Timestamp) -> Timestamp {
    let day = day.to_zoned(TimeZone::UTC).date();
    let at = day.at(5, 30, 0, 0).to_zoned(TimeZone::UTC);
    at.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}
