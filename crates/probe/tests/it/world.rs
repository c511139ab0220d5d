//! A simulated tenant whose clock goes on only when the probe waits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cxone_sim::{Api as Simulated, Options, Tenant};
use definition::tenant::TenantSecret;
use definition::{Api, Definition};
use jiff::Timestamp;
use probe::{ProbePlan, ProbeReport, Ruling, Spoken, probe_tenant};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Clock(Arc<Mutex<Timestamp>>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(
            "2026-06-09T12:30:00Z".parse().unwrap(),
        )))
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

/// A tenant with a job of each API that has jobs, and a clock that stands still.
pub(crate) fn options(clock: &Clock) -> Options {
    let clock = clock.clone();
    Options {
        jobs: vec![Simulated::ReportJobs, Simulated::DataExtraction],
        ..bare_options(&clock)
    }
}

/// A tenant without a job.
pub(crate) fn bare_options(clock: &Clock) -> Options {
    let clock = clock.clone();
    Options {
        rows: 100,
        now: Arc::new(move || clock.now()),
        ..Options::default()
    }
}

/// The JSON of a tenant whose client signs in at the issuer.
pub(crate) fn client(tenant: &Tenant) -> Value {
    json!({
        "base_url": tenant.base_url(), "token_url": tenant.token_url(),
        "client_id": "sim-client", "client_secret": "sim-secret",
    })
}

pub(crate) async fn probe_with(
    secret: &Value,
    deep: Vec<Definition>,
    clock: &Clock,
) -> (ProbeReport, Spoken) {
    let plan = ProbePlan {
        apis: Api::ALL.to_vec(),
        api_version: 34,
        deep,
        source: "acme.json".to_owned(),
    };
    let secret = TenantSecret::parse(&secret.to_string()).unwrap();
    let wait = async |pause: Duration| clock.advance(pause);
    probe_tenant(&secret, &plan, &|| clock.now(), &wait)
        .await
        .unwrap()
}

/// Starts a tenant with these faults, and probes it.
pub(crate) async fn probe_faulty(faults: &[&str]) -> (ProbeReport, Spoken) {
    let clock = Clock::new();
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let tenant = Tenant::start(Options {
        faults,
        ..options(&clock)
    })
    .await
    .unwrap();
    probe_with(&client(&tenant), Vec::new(), &clock).await
}

pub(crate) fn to_json(report: &ProbeReport) -> String {
    serde_json::to_string_pretty(report).unwrap()
}

/// The ids of the rows with this ruling.
pub(crate) fn ids(report: &ProbeReport, ruling: Ruling) -> String {
    let rows = report.rows().iter().filter(|row| row.ruling == ruling);
    let ids: Vec<&str> = rows.map(|row| row.id).collect();
    ids.join(" ")
}
