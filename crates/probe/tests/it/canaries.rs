//! No value of the tenant is in a report.

use cxone_sim::{Fault, Options, Tenant};
use serde_json::{Value, json};

use crate::world::{Clock, options, probe_with, to_json};

/// What the tenant has of its own: credentials, names, hosts, and what its rows, ids and tokens begin with.
const OWN: [&str; 14] = [
    "CANARY",
    "canary",
    "127.0.0.1",
    "localhost",
    "SIMKEY",
    "Agent Summary",
    "Contact History",
    "recording-interaction-metadata",
    "4711",
    "agent-",
    "queue-",
    "sim-1",
    "refresh-1",
    "eyJ",
];

async fn check_report(faults: Vec<Fault>, secret: impl Fn(&Tenant) -> Value) {
    let clock = Clock::new();
    let own = Options {
        faults: faults.clone(),
        client_id: "client-CANARY".into(),
        client_secret: "secret-CANARY".into(),
        tenant_id: "tenant-CANARY".into(),
        access_key_id: "SIMKEY-CANARY".into(),
        access_key_secret: "key-CANARY".into(),
        ..options(&clock)
    };
    let tenant = Tenant::start(own).await.unwrap();
    let (report, _) = probe_with(&secret(&tenant), Vec::new(), &clock).await;
    let text = to_json(&report) + &report.to_string();
    for run in tenant.runs() {
        assert!(!text.contains(&run.id), "{faults:?}: the id of a run");
    }
    for canary in OWN {
        assert!(!text.contains(canary), "{faults:?}: {canary} is in\n{text}");
    }
}

fn client(tenant: &Tenant) -> Value {
    json!({
        "base_url": tenant.base_url(), "token_url": tenant.token_url(),
        "client_id": "client-CANARY", "client_secret": "secret-CANARY",
    })
}

#[tokio::test]
async fn a_report_has_no_value_of_the_tenant_whatever_goes_wrong() {
    check_report(Vec::new(), client).await;
    check_report(Vec::new(), |tenant| {
        json!({
            "issuer": tenant.base_url(), "tenant_id": "tenant-CANARY",
            "client_id": "client-CANARY", "client_secret": "secret-CANARY",
            "access_key_id": "SIMKEY-CANARY", "access_key_secret": "key-CANARY",
        })
    })
    .await;
    for fault in [
        "state-unknown:state=canary job of jane,looks=0,times=forever",
        "run-fails:message=CANARY went wrong,times=forever",
        "run-fails:word=CANARY,times=forever",
        "link-host:host=files.canary.example",
        "unavailable:status=400,times=forever",
        "forbidden",
        "html-200:times=forever",
        "invalid-client",
        "nested:times=forever",
        "schema-drift:times=forever,page=0",
        "duplicate-schedules:times=forever",
        "discovery-404",
    ] {
        check_report(vec![fault.parse().unwrap()], client).await;
    }
}
