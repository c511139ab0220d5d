//! A running tenant and its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::api;
use crate::delivery::{self, Step, Terms};
use crate::fault::{ActiveFault, Fault};
use crate::journal::{Entry, RunReport};
use crate::options::Options;
use crate::reply::Reply;
use crate::request::{self, Incoming};
use crate::rows::{csv_of, rows_of};
use crate::state::{State, lock_state};

/// A tenant on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Tenant {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    decoy_hits: Arc<AtomicU64>,
    tasks: [JoinHandle<()>; 2],
}

impl Tenant {
    /// Starts the tenant on the current tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let decoy = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let (base_url, decoy_url) = (
            format!("http://{address}"),
            format!("http://{}", decoy.local_addr()?),
        );
        let limit = options.connection_limit;
        let mut state = State::new(options, base_url, decoy_url);
        api::start_jobs(&mut state);
        let state = Arc::new(Mutex::new(state));
        let decoy_hits = Arc::new(AtomicU64::new(0));
        let tasks = [
            tokio::spawn(accept_connections(listener, Arc::clone(&state), limit)),
            tokio::spawn(count_hits(decoy, Arc::clone(&decoy_hits))),
        ];
        Ok(Self {
            address,
            state,
            decoy_hits,
            tasks,
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of the API, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/auth/token", self.base_url())
    }

    /// All requests so far, in order, except those of `/_sim/`.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        lock_state(&self.state).journal.clone()
    }

    /// All runs so far, in order.
    #[must_use]
    pub fn runs(&self) -> Vec<RunReport> {
        let state = lock_state(&self.state);
        let now = state.now();
        state.runs.iter().map(|run| run.to_report(now)).collect()
    }

    /// The times of the calls of data extraction that had a valid token; downloads are left out.
    #[must_use]
    pub fn extraction_calls(&self) -> Vec<jiff::Timestamp> {
        api::list_calls(&lock_state(&self.state))
    }

    /// How many of those calls came sooner than [`Options::extraction_spacing`] after the one before.
    #[must_use]
    pub fn spacing_violations(&self) -> usize {
        api::count_spacing_violations(&lock_state(&self.state))
    }

    /// How many schedules there are.
    #[must_use]
    pub fn schedule_count(&self) -> usize {
        lock_state(&self.state).schedules.len()
    }

    /// The raw JSON rows that a run holds when nothing goes wrong with it; `None` for an unknown run.
    #[must_use]
    pub fn truth(&self, run: &str) -> Option<impl Iterator<Item = Vec<u8>> + Send + use<>> {
        let mut state = lock_state(&self.state);
        let plan = Arc::clone(&state.known_run_mut(run)?.plan);
        Some(rows_of(plan.seed, &plan.shape, plan.window, 0..plan.rows))
    }

    /// The same as records of CSV, each with its CRLF, without the header.
    #[must_use]
    pub fn records(&self, run: &str) -> Option<impl Iterator<Item = Vec<u8>> + Send + use<>> {
        let mut state = lock_state(&self.state);
        let plan = Arc::clone(&state.known_run_mut(run)?.plan);
        Some(csv_of(plan.seed, &plan.shape, plan.window, 0..plan.rows))
    }

    /// The columns of a run, in the order of its rows.
    #[must_use]
    pub fn columns(&self, run: &str) -> Option<Vec<String>> {
        let mut state = lock_state(&self.state);
        let plan = Arc::clone(&state.known_run_mut(run)?.plan);
        Some(plan.shape.columns().map(String::from).collect())
    }

    /// Replaces the faults. Those of runs and pages act on runs that start from now on.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        lock_state(&self.state).active = faults.into_iter().map(ActiveFault::new).collect();
    }

    /// Changes the number of rows of a full day, for runs that start from now on.
    pub fn set_rows(&self, rows: u64) {
        lock_state(&self.state).options.rows = rows;
    }

    /// Gives the client another secret and revokes all tokens.
    pub fn rotate_client(&self, secret: &str) {
        let mut state = lock_state(&self.state);
        secret.clone_into(&mut state.options.client_secret);
        state.revoke_tokens();
        state.forget_refresh_tokens();
    }

    /// How many connections came to the other host that redirects and decoy links point to.
    #[must_use]
    pub fn decoy_hits(&self) -> u64 {
        self.decoy_hits.load(Ordering::SeqCst)
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept_connections(listener: TcpListener, state: Arc<Mutex<State>>, limit: Duration) {
    // All connections end when this task is dropped.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let state = Arc::clone(&state);
            connections.spawn(async move {
                tokio::time::timeout(limit, serve_connection(stream, &state)).await
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Another host. A client that connects to it followed a link that it should not follow.
async fn count_hits(listener: TcpListener, hits: Arc<AtomicU64>) {
    loop {
        if let Ok((mut stream, _)) = listener.accept().await {
            hits.fetch_add(1, Ordering::SeqCst);
            let _ = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut [0; 4_096]))
                .await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await;
        }
    }
}

/// Serves a connection until one side ends it.
async fn serve_connection(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut reused = false;
    loop {
        let mut request = match request::read_request(&mut stream, &mut buffer).await? {
            Incoming::Request(request) => request,
            Incoming::End => return Ok(()),
            Incoming::Bad(status) => {
                let terms = Terms {
                    gzip: false,
                    close: true,
                    now: lock_state(state).now(),
                };
                let reply = Reply::error(
                    status,
                    "invalid_request",
                    "not a request that this server reads",
                );
                return play_steps(&mut stream, delivery::delivery_steps(reply, &terms))
                    .await
                    .map(drop);
            }
        };
        request.reused = reused;
        let reply = api::answer_request(state, &request);
        let terms = {
            let state = lock_state(state);
            Terms {
                gzip: state.options.gzip && request.accepts_gzip(),
                close: request.wants_close(),
                now: state.now(),
            }
        };
        if !play_steps(&mut stream, delivery::delivery_steps(reply, &terms)).await? {
            return Ok(());
        }
        reused = true;
    }
}

/// Carries out the steps; returns whether the connection stays open.
#[expect(clippy::disallowed_methods, reason = "a fault asks for a pause")]
async fn play_steps(stream: &mut TcpStream, steps: delivery::Steps) -> io::Result<bool> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Pause(pause) => tokio::time::sleep(pause).await,
            Step::Close => {
                stream.shutdown().await?;
                return Ok(false);
            }
            Step::Reset => {
                stream.set_zero_linger()?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}
