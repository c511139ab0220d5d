//! What the published APIs have in common, from a client's side.

use base64::Engine as _;
use cxone_sim::Options;
use serde_json::Value;

use crate::client::{Answer, Session, small};

/// The base of the ACD's APIs.
pub(crate) const ACD: &str = "/inContactAPI/services/v34.0";

impl Session {
    /// Signed in, with faults from the beginning on.
    pub(crate) async fn acd(options: Options, faults: &[&str]) -> Self {
        let mut session = Self::open(options).await;
        session.login().await;
        session.arm(faults);
        session
    }

    pub(crate) async fn small_acd(faults: &[&str]) -> Self {
        Self::acd(small(), faults).await
    }

    /// A call with all that belongs to it.
    pub(crate) async fn ask(&self, method: &str, target: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.send(method, target, &self.headers(), &body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &Value::Null).await
    }

    /// The path of a link of this tenant.
    pub(crate) fn own<'l>(&self, link: &'l str) -> &'l str {
        link.strip_prefix(&self.tenant.base_url())
            .expect("our own link")
    }

    /// What the latest run should hold, as CSV with its header.
    pub(crate) fn csv_truth(&self) -> String {
        let run = self.tenant.runs().pop().unwrap().id;
        let header = self.tenant.columns(&run).unwrap().join(",") + "\r\n";
        let records: Vec<u8> = self.tenant.records(&run).unwrap().flatten().collect();
        header + std::str::from_utf8(&records).unwrap()
    }
}

/// The content of a file in base64.
#[track_caller]
pub(crate) fn decode(text: &Value) -> String {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text.as_str().expect("a text"))
        .expect("base64");
    String::from_utf8(bytes).unwrap()
}
