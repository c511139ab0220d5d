#![doc = include_str!("../README.md")]

mod ask;
mod assumption;
mod deep;
mod evidence;
mod kind;
mod names;
mod observation;
mod pace;
mod question;
mod remedy;
mod report;
mod retry;
mod usability;

use std::time::Duration;

use definition::tenant::TenantSecret;
use definition::{Api, Definition};
use jiff::Timestamp;

pub use assumption::Ruling;
pub use report::{ProbeReport, Row, Spoken};

/// What to ask of a tenant.
#[derive(Debug)]
pub struct ProbePlan {
    /// Which APIs to ask.
    pub apis: Vec<Api>,
    /// The `N` of `/inContactAPI/services/vN.0`.
    pub api_version: u16,
    /// Definitions to run over yesterday, which starts something at CXone.
    pub deep: Vec<Definition>,
    /// Where a person corrects the tenant's settings, for errors.
    pub source: String,
}

/// Asks a tenant, and compares what it answers with what is assumed. Without `deep`, nothing is started or changed there.
///
/// `now` tells the time, and `wait` lets it pass: between calls of data extraction, and before a question that is asked again.
///
/// # Errors
/// Only where no request could be made at all. A tenant that refuses or is silent is a report.
pub async fn probe_tenant(
    secret: &TenantSecret,
    plan: &ProbePlan,
    now: &dyn Fn() -> Timestamp,
    wait: &impl AsyncFn(Duration),
) -> Result<(ProbeReport, Spoken), cxone::Error> {
    let (evidence, spoken) = ask::ask_tenant(secret, plan, now, wait).await?;
    Ok((ProbeReport::new(evidence), spoken))
}

/// Every assumption's id, in order: the ids of `APIS.md`.
pub fn assumption_ids() -> impl Iterator<Item = &'static str> {
    assumption::assumptions().map(|assumption| assumption.id)
}

/// What is assumed, and of which API, if it is not of all.
#[must_use]
pub fn describe_assumption(id: &str) -> Option<(Option<Api>, &'static str)> {
    let assumption = assumption::assumptions().find(|assumption| assumption.id == id)?;
    Some((assumption.api, assumption.what))
}
