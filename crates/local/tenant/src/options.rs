//! The options of a tenant.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::apis::Api;
use crate::fault::Fault;
use crate::fixtures::{self, Entity, Template};
use crate::shape::Shape;

/// The tenant's clock, which decides run times, the life of tokens and every `Date` header.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The scopes of the guide.
pub const SCOPES: [&str; 2] = ["analytics:reports:read", "analytics:reports:write"];

/// How many calls a minute a tenant may make, by its clock; the token endpoint and downloads are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls that come back in a minute.
    pub per_minute: u32,
    /// Calls that may come at once.
    pub burst: u32,
}

/// A tenant's properties; [`Options::default`] is a small and well-behaved one.
#[derive(Clone)]
pub struct Options {
    pub seed: u64,
    /// Rows of a full day; another window has its share.
    pub rows: u64,
    /// Rows of a page.
    pub page_size: u32,
    /// Whether results carry `total`.
    pub total: bool,
    /// How long a run stays `queued`.
    pub queued: Duration,
    /// How long it is `processing` after that.
    pub processing: Duration,
    /// The life of an access token.
    pub token_lifetime: Duration,
    pub client_id: String,
    pub client_secret: String,
    /// The tenant's id, which discovery is asked with.
    pub tenant_id: String,
    /// The only access key, a user of its own.
    pub access_key_id: String,
    pub access_key_secret: String,
    /// The life of a refresh token, which can be used once; with zero, none is issued.
    pub refresh_lifetime: Duration,
    /// What its tokens may do.
    pub scopes: Vec<String>,
    /// The reports that `report-jobs` and `report-jobs/datadownload` know.
    pub templates: Vec<Template>,
    /// What data extraction knows.
    pub entities: Vec<Entity>,
    /// The APIs, of report jobs and data extraction, that have a job already when the tenant starts.
    pub jobs: Vec<Api>,
    /// The columns of `contacts/completed`.
    pub contacts: Shape,
    /// The business unit's zone, in which report jobs take their range.
    pub business_zone: String,
    /// How far the zone of data download's user is ahead of UTC, in minutes, all year round.
    pub user_offset: i64,
    /// The shortest time between two calls of data extraction.
    pub extraction_spacing: Duration,
    /// Whether the link of a data download needs the bearer token; if not, it works with and without.
    pub link_needs_bearer: bool,
    /// Whether bodies are compressed for those who accept gzip.
    pub gzip: bool,
    /// A limit of calls, if there is one.
    pub rate: Option<Rate>,
    /// The faults that are set from the start.
    pub faults: Vec<Fault>,
    pub now: Now,
    pub listen: SocketAddr,
    /// The longest life of one connection, in real time, so that a test can't hang.
    pub connection_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 7,
            rows: 1_000,
            page_size: 10_000,
            total: true,
            queued: Duration::ZERO,
            processing: Duration::ZERO,
            token_lifetime: Duration::from_hours(1),
            client_id: "sim-client".into(),
            client_secret: "sim-secret".into(),
            tenant_id: "sim-tenant".into(),
            access_key_id: "SIMKEY/1==".into(),
            access_key_secret: "sim+key/secret==".into(),
            refresh_lifetime: Duration::from_hours(24),
            templates: fixtures::default_templates(),
            entities: fixtures::default_entities(),
            jobs: Vec::new(),
            contacts: fixtures::contact_columns(),
            business_zone: "UTC".into(),
            user_offset: 0,
            extraction_spacing: Duration::from_secs(30),
            link_needs_bearer: false,
            scopes: SCOPES.map(String::from).into(),
            gzip: true,
            rate: None,
            faults: Vec::new(),
            now: Arc::new(Timestamp::now),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            connection_limit: Duration::from_mins(15),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("seed", &self.seed)
            .field("rows", &self.rows)
            .field("page_size", &self.page_size)
            .field("listen", &self.listen)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
