//! A fault changes what the APIs that it is said to happen to answer, and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cxone_sim::{Api, Fault, FaultEntry, Options};
use serde_json::{Value, json};

use crate::acd::ACD;
use crate::client::{Answer, REPORTS, Session, definition, escape, small};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const CLIENT: &str = "client_id=sim-client&client_secret=sim-secret";

/// What a client saw of a tenant, with nothing in it that differs from one tenant to the next.
struct Transcript {
    session: Session,
    fault: String,
    text: String,
}

impl Transcript {
    /// One client's whole way through an API.
    async fn of(api: Api, fault: &str) -> String {
        let mut transcript = Self {
            session: Session::open(Options {
                rows: 25,
                ..small()
            })
            .await,
            fault: fault.to_owned(),
            text: String::new(),
        };
        if !fault.is_empty() {
            transcript.session.arm(&[fault]);
        }
        transcript.sign_in().await;
        match api {
            Api::Analytics => {
                transcript.analytics("").await;
                transcript.analytics("csv").await;
            }
            Api::ReportJobs => transcript.report_jobs().await,
            Api::DataExtraction => transcript.extraction().await,
            Api::DataDownload => transcript.data_download().await,
            Api::Contacts => transcript.contacts().await,
        }
        transcript.text
    }

    fn note(&mut self, answer: Answer) -> Answer {
        let text = String::from_utf8_lossy(&answer.raw);
        let text = text.replace(&self.session.tenant.base_url(), "BASE");
        writeln!(self.text, "{text} {}", answer.reset).unwrap();
        answer
    }

    async fn ask(&mut self, method: &str, target: &str, body: &Value) -> Value {
        let answer = self.session.ask(method, target, body).await;
        json_of(&self.note(answer))
    }

    async fn get(&mut self, target: &str) -> Value {
        self.ask("GET", target, &Value::Null).await
    }

    /// Fetches a link of this tenant, if it is one; without a token if it is a key by itself.
    async fn follow(&mut self, link: &Value, with_token: bool) {
        let link = link.as_str().unwrap_or_default().to_owned();
        let Some(path) = link.strip_prefix(&self.session.tenant.base_url()) else {
            return;
        };
        let headers = if with_token {
            self.session.headers()
        } else {
            String::new()
        };
        let answer = self.session.send("GET", path, &headers, b"").await;
        self.note(answer);
    }

    async fn sign_in(&mut self) {
        let target = "/.well-known/cxone-configuration?tenantId=sim-tenant";
        let found = self.session.send("GET", target, "", b"").await;
        self.note(found);
        let key = (escape("SIMKEY/1=="), escape("sim+key/secret=="));
        let form = format!(
            "grant_type=password&username={}&password={}&{CLIENT}",
            key.0, key.1
        );
        let granted = self.grant(&form).await;
        let refresh = escape(granted["refresh_token"].as_str().unwrap_or_default());
        self.grant(&format!(
            "grant_type=refresh_token&refresh_token={refresh}&{CLIENT}"
        ))
        .await;
        let granted = self
            .grant(&format!("grant_type=client_credentials&{CLIENT}"))
            .await;
        granted["access_token"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.session.token);
        // What no header can carry is not sent.
        self.session.token.retain(|char| char.is_ascii_graphic());
    }

    async fn grant(&mut self, form: &str) -> Value {
        let answer = self
            .session
            .send("POST", "/auth/token", FORM, form.as_bytes())
            .await;
        json_of(&self.note(answer))
    }

    async fn analytics(&mut self, format: &str) {
        let mut definition = definition();
        if !format.is_empty() {
            definition["delivery"]["format"] = json!(format);
        }
        let name = escape(definition["name"].as_str().unwrap());
        self.ask("POST", &format!("{REPORTS}/schedules"), &definition)
            .await;
        self.get(&format!("{REPORTS}/schedules?name={name}")).await;
        let list = self.get(&format!("{REPORTS}/schedules")).await;
        let schedules = list["schedules"].as_array().cloned().unwrap_or_default();
        let schedule = schedules.last().cloned().unwrap_or_default();
        let id = schedule["scheduleId"].as_str().unwrap_or("none").to_owned();
        let run = self
            .ask(
                "POST",
                &format!("{REPORTS}/schedules/{id}/runs"),
                &json!({}),
            )
            .await;
        let run = escape(run["runId"].as_str().unwrap_or("none"));
        let results = format!("{REPORTS}/results/{run}");
        let mut page = Value::Null;
        for _ in 0..3 {
            page = self.get(&results).await;
        }
        self.follow(&page["downloadUrl"], false).await;
        for _ in 0..3 {
            let Some(token) = page["nextPageToken"].as_str().map(escape) else {
                break;
            };
            let target = format!("{results}?pageToken={token}");
            self.get(&target).await;
            page = self.get(&target).await;
        }
        self.cancelled(&id).await;
    }

    /// A run that is cancelled while it is in progress.
    async fn cancelled(&mut self, schedule: &str) {
        let mut slow: Vec<Fault> = vec!["slow-run".parse().unwrap()];
        slow.extend(self.fault.parse::<Fault>());
        self.session.tenant.set_faults(slow);
        let run = self
            .ask(
                "POST",
                &format!("{REPORTS}/schedules/{schedule}/runs"),
                &json!({}),
            )
            .await;
        let run = escape(run["runId"].as_str().unwrap_or("none"));
        for method in ["GET", "DELETE", "GET"] {
            self.ask(method, &format!("{REPORTS}/results/{run}"), &Value::Null)
                .await;
        }
    }

    async fn report_jobs(&mut self) {
        let order = json!({ "fileType": "CSV", "fileName": "one" });
        let job = self
            .ask("POST", &format!("{ACD}/report-jobs/4711"), &order)
            .await;
        let id = job["jobId"].as_str().unwrap_or("none").to_owned();
        let mut job = Value::Null;
        for _ in 0..3 {
            job = self.get(&format!("{ACD}/report-jobs/{id}")).await;
        }
        self.get(&format!("{ACD}/report-jobs")).await;
        self.follow(&job["resultFileURL"], true).await;
    }

    async fn extraction(&mut self) {
        let jobs = "/data-extraction/v1/jobs";
        let order = json!({
            "entityName": "recording-interaction-metadata",
            "version": "7",
            "startDate": "2026-01-14T06:00:00Z",
            "endDate": "2026-01-15T06:00:00Z",
        });
        let id = self.ask("POST", jobs, &order).await;
        let id = escape(id.as_str().unwrap_or("none").trim());
        for _ in 0..3 {
            self.session.pass(30);
            let job = self.get(&format!("{jobs}/{id}")).await;
            self.follow(&job["jobStatus"]["result"]["url"], false).await;
        }
    }

    async fn data_download(&mut self) {
        for save in [true, false] {
            let order = json!({
                "fileName": format!("one {save}"),
                "startDate": "2026-01-14",
                "endDate": "2026-01-15",
                "saveAsFile": save,
            });
            let target = format!("{ACD}/report-jobs/datadownload/540");
            let answer = self.ask("POST", &target, &order).await;
            self.follow(&answer["URI"], true).await;
        }
    }

    async fn contacts(&mut self) {
        for skip in [0, 10, 10, 20] {
            let window = "startDate=2026-01-14T00:00:00Z&endDate=2026-01-15T00:00:00Z";
            self.get(&format!("{ACD}/contacts/completed?{window}&skip={skip}"))
                .await;
        }
    }
}

fn json_of(answer: &Answer) -> Value {
    if answer.header("transfer-encoding").is_some()
        && crate::client::dechunk(&answer.wire).is_none()
    {
        return Value::Null;
    }
    if answer.header("content-encoding").is_some() {
        return Value::Null;
    }
    serde_json::from_slice(&answer.body()).unwrap_or_default()
}

/// The fault as it is played here: early enough, short enough, and on a column that there is.
fn spec(fault: &FaultEntry, api: Api) -> String {
    let column = if api == Api::ReportJobs {
        "Skill Name"
    } else {
        "agentName"
    };
    match fault.name {
        "stalled" | "hang" => format!("{}:ms=1", fault.name),
        "drip" => "drip:limit-ms=1,every-ms=1".to_owned(),
        "bomb" => "bomb:mib=1".to_owned(),
        "huge-headers" => "huge-headers:kib=1".to_owned(),
        "huge-row" => "huge-row:bytes=2000".to_owned(),
        "depth-bomb" => "depth-bomb:depth=200".to_owned(),
        "slow-if-column" => format!("slow-if-column:name={column}"),
        "token-expires" => "token-expires:after=1".to_owned(),
        "state-case" if api == Api::DataExtraction => "state-case:case=lower".to_owned(),
        // The first page of contacts begins a run whenever it is read.
        "order-changes" | "rows-change" if api == Api::Contacts => format!("{}:page=1", fault.name),
        // The guide's API is played twice, and the file comes second.
        name if api == Api::Analytics && (name.starts_with("csv-") || name == "download-url") => {
            format!("{name}:times=forever")
        }
        "result-gone" => "result-gone:after=1".to_owned(),
        name => name.to_owned(),
    }
}

/// Faults that need what this client does not do: to keep a connection.
const OTHER_WAYS: [&str; 1] = ["stale-keep-alive"];

async fn check(api: Api) {
    let clean = Transcript::of(api, "").await;
    assert_eq!(
        Transcript::of(api, "").await,
        clean,
        "{api} is the same every time"
    );
    let own: BTreeSet<&str> = Fault::of(api).map(|fault| fault.name).collect();
    let mut wrong = Vec::new();
    for fault in Fault::catalogue().iter().chain(Fault::published()) {
        if OTHER_WAYS.contains(&fault.name) {
            continue;
        }
        let changes = Transcript::of(api, &spec(fault, api)).await != clean;
        if changes != own.contains(fault.name) {
            wrong.push((fault.name, changes));
        }
    }
    assert!(
        wrong.is_empty(),
        "{api}: these change something or not: {wrong:?}"
    );
}

#[tokio::test]
async fn faults_of_the_guides_api_reach_it() {
    check(Api::Analytics).await;
}

#[tokio::test]
async fn faults_of_report_jobs_reach_them() {
    check(Api::ReportJobs).await;
}

#[tokio::test]
async fn faults_of_data_extraction_reach_it() {
    check(Api::DataExtraction).await;
}

#[tokio::test]
async fn faults_of_data_download_reach_it() {
    check(Api::DataDownload).await;
}

#[tokio::test]
async fn faults_of_contacts_reach_them() {
    check(Api::Contacts).await;
}
