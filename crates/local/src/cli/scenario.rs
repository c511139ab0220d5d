//! From the arguments to a world: the tenant, its faults, the clock.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asl::Clock;
use cxone_sim::Fault;
use definition::tenant::TenantSecret;
use definition::{Api, TenantId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use local::handlers::{Features, NAMES, Output};
use local::world::TenantOptions;
use local::{Handlers, Options, World};

use crate::clock::TimeScale;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{arguments, faults};

/// The faults that are set by default for each API, so that there is something to see.
pub(crate) fn default_faults(api: Api) -> &'static [&'static str] {
    match api {
        // The token expires after the eighth page, and the call after the fifteenth is throttled.
        Api::Analytics => &[
            "token-expires:on=page,after=8",
            "throttled:on=page,at=15,seconds=45",
        ],
        // What users report of its files.
        Api::ReportJobs => &["csv-bom", "csv-doubled-crlf", "total-row"],
        // A link that has expired when it arrives.
        Api::DataExtraction => &["link-expired"],
        // A link that does not work at first.
        Api::DataDownload => &["answer-by:as=uri", "uri-late:seconds=60"],
        Api::Contacts => &["throttled:on=page,at=15,seconds=45"],
    }
}

/// The number of pages that a full day comes in.
const PAGES: u64 = 25;

/// The tenant and the clock, where no argument says otherwise.
pub(crate) struct Defaults {
    pub(crate) faults: &'static [&'static str],
    /// Whether runs take some minutes.
    pub(crate) slow: bool,
    pub(crate) scale: TimeScale,
    pub(crate) start: Timestamp,
    pub(crate) listen: SocketAddr,
    /// What definitions call the tenant.
    pub(crate) tenant_name: String,
    /// How many processes of each handler may run at once.
    pub(crate) instances: Option<usize>,
}

/// Builds the handlers, unless `LOCAL_HANDLERS` names a folder with them.
pub(crate) async fn build_handlers(terminal: &Terminal) -> Result<Handlers, Failure> {
    if std::env::var_os("LOCAL_HANDLERS").is_none() {
        terminal.line(&format!("building the handlers {}", NAMES.join(", ")));
    }
    build_handlers_quietly().await
}

/// Builds the handlers and prints nothing to standard output, which `serve` keeps for its `export` lines.
pub(crate) async fn build_handlers_quietly() -> Result<Handlers, Failure> {
    if std::env::var_os("LOCAL_HANDLERS").is_some() {
        return Ok(Handlers::from_env().await?);
    }
    Ok(Handlers::build(Features::OfThisProgram, Output::Shown).await?)
}

/// A world that can be started: all arguments were checked.
pub(crate) struct WorldBuilder {
    /// `None` is real time.
    scale: Option<TimeScale>,
    start: Timestamp,
    tenant: TenantOptions,
    tenant_name: String,
    folder: PathBuf,
    listen: SocketAddr,
    instances: Option<usize>,
    seed: u64,
}

impl WorldBuilder {
    pub(crate) fn new(arguments: &arguments::World, defaults: &Defaults) -> Result<Self, Failure> {
        let (scale, tenant) = if let Some(path) = &arguments.tenant {
            (None, read_remote(path)?)
        } else {
            let tenant = simulated_tenant(arguments, defaults)?;
            let scale = arguments.time_scale.unwrap_or(defaults.scale);
            (Some(scale), TenantOptions::Simulated(Box::new(tenant)))
        };
        Ok(Self {
            scale,
            start: defaults.start,
            tenant,
            tenant_name: defaults.tenant_name.clone(),
            folder: arguments.out.clone(),
            listen: defaults.listen,
            instances: defaults.instances,
            seed: arguments.seed,
        })
    }

    /// Says which clock the times of the output belong to.
    pub(crate) fn describe_clock(&self) -> String {
        let start = self.start.strftime("%Y-%m-%d %H:%M UTC");
        self.scale.map_or_else(
            || "times are real, in UTC".to_owned(),
            |scale| {
                format!("times are those of a simulated clock, which starts at {start} and {scale}")
            },
        )
    }

    /// What is to be known of the clock by whoever types commands beside it.
    pub(crate) fn describe_clock_beside(&self) -> &'static str {
        let real = TimeScale::Factor(1.0);
        self.scale.unwrap_or(real).describe_beside()
    }

    pub(crate) async fn start(self, handlers: Handlers) -> Result<World, Failure> {
        // The clock starts here, because building the handlers may take minutes.
        let clock = self.scale.map(|scale| scale.start_clock(self.start));
        let clock = clock.unwrap_or_else(Clock::real);
        let mut options = Options::new(handlers, clock, cxone_sim::Options::default());
        options.tenant = self.tenant;
        options.tenant_name = self.tenant_name;
        options.folder = Some(self.folder);
        options.listen = self.listen;
        options.instances = self.instances;
        options.seed = self.seed;
        Ok(World::start(options).await?)
    }
}

fn simulated_tenant(
    arguments: &arguments::World,
    defaults: &Defaults,
) -> Result<cxone_sim::Options, Failure> {
    let mut tenant = cxone_sim::Options {
        seed: arguments.seed,
        rows: arguments.rows,
        page_size: u32::try_from(arguments.rows.div_ceil(PAGES).clamp(1, 10_000)).unwrap_or(10_000),
        ..cxone_sim::Options::default()
    };
    if defaults.slow && arguments.faults.is_empty() {
        tenant.queued = Duration::from_secs(40);
        tenant.processing = Duration::from_mins(5);
    }
    let given = arguments.faults.iter().map(String::as_str);
    let specs: Vec<&str> = if arguments.faults.is_empty() {
        defaults.faults.to_vec()
    } else {
        given.filter(|spec| *spec != "none").collect()
    };
    for spec in specs {
        let fault: Result<Fault, _> = spec.parse();
        let fault = fault.map_err(|source| Failure::Fault {
            text: spec.to_owned(),
            reason: faults::explain_error(spec, &source),
        })?;
        tenant.faults.push(fault);
    }
    Ok(tenant)
}

fn read_remote(path: &Path) -> Result<TenantOptions, Failure> {
    let secret = std::fs::read_to_string(path).map_err(|source| Failure::TenantFile {
        path: path.to_owned(),
        source,
    })?;
    TenantSecret::parse(&secret).map_err(|source| Failure::Tenant {
        path: path.to_owned(),
        source,
    })?;
    Ok(TenantOptions::Remote(secret))
}

/// The name of a tenant that is called like the file.
pub(crate) fn tenant_of_file(path: &Path) -> Result<TenantId, Failure> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let named: Result<TenantId, _> = stem.parse();
    named.map_err(|source| Failure::TenantName {
        path: path.to_owned(),
        source,
    })
}

/// 05:30 UTC on a day, when the schedule of the examples fires.
pub(crate) fn scheduled_time(day: Timestamp) -> Timestamp {
    let day = day.to_zoned(TimeZone::UTC).date();
    let at = day.at(5, 30, 0, 0).to_zoned(TimeZone::UTC);
    at.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}
