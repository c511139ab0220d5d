//! What kind of tenant this is.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::fault::Fault;

/// The tenant's clock. Run times, the life of tokens and every `Date` header go by it.
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
    /// Decides the rows.
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
    /// The only client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// What its tokens may do.
    pub scopes: Vec<String>,
    /// Whether bodies are compressed for those who accept gzip.
    pub gzip: bool,
    /// A limit of calls, if there is one.
    pub rate: Option<Rate>,
    /// How it misbehaves.
    pub faults: Vec<Fault>,
    /// The clock.
    pub now: Now,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The longest life of one connection, in real time, so that nothing hangs for ever.
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
