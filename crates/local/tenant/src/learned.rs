//! Learns how a tenant answers from the report of `cxr probe`: the same answers, as faults.

use std::fmt;

use serde_json::Value;

use crate::apis::Api;
use crate::fault::{Fault, ParseFaultError};
use crate::options::Options;

/// The version of reports that can be read.
const VERSION: u64 = 1;

/// Why nothing could be learned from a text.
#[derive(Debug)]
pub struct LearnError(String);

impl fmt::Display for LearnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was learned: {}", self.0)
    }
}

impl std::error::Error for LearnError {}

impl From<ParseFaultError> for LearnError {
    fn from(error: ParseFaultError) -> Self {
        Self(error.to_string())
    }
}

/// A question of the probe's, and the calls here that it is.
struct Asked {
    api: Api,
    on: &'static str,
    /// Where a job's state stands, if it asks for a job.
    states: &'static [&'static str],
}

impl Asked {
    fn find(question: &str) -> Option<Self> {
        let (api, on, states): (_, _, &[&str]) = match question {
            "contacts" => (Api::Contacts, "page", &[]),
            "schedules" => (Api::Analytics, "list-schedules", &[]),
            "reports" => (Api::ReportJobs, "list-reports", &[]),
            "report-jobs" => (Api::ReportJobs, "list-jobs", &[]),
            "report-job" => (Api::ReportJobs, "look", &["/jobResult/state", "/state"]),
            "extractions" => (Api::DataExtraction, "list-jobs", &[]),
            "extraction" => (Api::DataExtraction, "look", &["/jobStatus/status"]),
            _ => return None,
        };
        Some(Self { api, on, states })
    }

    fn scope(&self) -> String {
        format!("on={},api={}", self.on, self.api)
    }
}

impl Options {
    /// These options, changed so that the tenant answers as the one that a probe's report is about.
    ///
    /// # Errors
    /// For a text that is no report of the version that is known.
    pub fn learn(mut self, report: &str) -> Result<Self, LearnError> {
        let report: Value =
            serde_json::from_str(report).map_err(|error| LearnError(error.to_string()))?;
        if report["v"] != VERSION {
            return Err(LearnError(format!("its version is not {VERSION}")));
        }
        let mut faults = learn_sign_in(&report["signIn"]);
        let mut listed = Vec::new();
        let observations = report["observations"].as_array();
        for observation in observations.into_iter().flatten() {
            let question = observation["question"].as_str().unwrap_or_default();
            let Some(asked) = Asked::find(question) else {
                continue;
            };
            if !observation["states"].is_null() {
                listed.push(asked.api);
            }
            faults.extend(learn_delivery(observation, &asked.scope()));
            let shown = learn_body(observation, &asked).into_iter();
            faults.extend(shown.map(|fault| format!("{fault},api={}", asked.api)));
            match observation["isKnownJob"].as_bool() {
                Some(true) => self.jobs.push(asked.api),
                // It was listed, and its id is none that can be asked for.
                Some(false) if listed.contains(&asked.api) => {
                    self.jobs.push(asked.api);
                    faults.push(format!("run-id:times=forever,api={}", asked.api));
                }
                _ => {}
            }
            if observation["body"]["totalRecords"].is_null() && asked.api == Api::Contacts {
                self.total &= observation["status"] != 200;
            }
        }
        faults.extend(learn_clock(&report));
        for fault in faults {
            self.faults.push(fault.parse::<Fault>()?);
        }
        Ok(self)
    }
}

fn learn_sign_in(sign_in: &Value) -> Vec<String> {
    let found = match sign_in["found"].as_str() {
        Some("refused") => Some("discovery-404"),
        Some("differs") => Some("discovery-foreign:to=missing"),
        Some("no-answer") => Some("refused:on=discovery,times=forever"),
        _ => None,
    };
    let mut faults: Vec<String> = found.map(str::to_owned).into_iter().collect();
    let token = &sign_in["token"];
    if token.is_null() {
        return faults;
    }
    faults.extend(learn_delivery(token, "on=token"));
    let body = &token["body"];
    let is_token = token["status"] == 200 && body.is_object();
    let lifetime = match body["expires_in"].as_str() {
        None => Some("missing"),
        Some("null") => Some("null"),
        Some("number-in-text") => Some("string"),
        Some("number") => Some("float"),
        Some("text" | "empty-text") => Some("word"),
        Some(_) => None,
    };
    let lifetime = lifetime.filter(|_| is_token);
    faults.extend(lifetime.map(|form| format!("expires-in:as={form}")));
    if is_token && sign_in["isGranted"] == false {
        faults.push(
            match body["access_token"].as_str() {
                None => "token-text:as=missing",
                Some("empty-text") => "token-text:as=empty",
                Some("whole-number") => "token-text:as=number",
                Some(_) => "token-type:as=mac",
            }
            .to_owned(),
        );
    }
    faults
}

/// Statuses, and answers that break off or are of another type.
fn learn_delivery(seen: &Value, scope: &str) -> Vec<String> {
    let tries = seen["triesBefore"].as_array();
    let tries: Vec<u64> = tries
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let mut faults: Vec<String> = tries
        .iter()
        .zip(1..)
        .map(|(status, at)| format!("{},at={at},times=1,{scope}", refusal(*status, true)))
        .collect();
    let lasting = match seen["came"].as_str() {
        Some("no-answer") => Some(refusal(0, true)),
        Some("unreadable") => Some("gzip-plain:times=forever".to_owned()),
        _ => learn_answer(seen),
    };
    let at = tries.len() + 1;
    faults.extend(lasting.map(|fault| {
        let times = if fault.contains("times=") {
            ""
        } else {
            ",times=forever"
        };
        format!("{fault}{times},at={at},{scope}")
    }));
    faults
}

fn learn_answer(seen: &Value) -> Option<String> {
    let status = seen["status"].as_u64()?;
    let is_unknown_job = seen["isKnownJob"] == false && [404, 410].contains(&status);
    let is_empty = seen["body"] == "no-body";
    match status {
        _ if is_unknown_job => None,
        200..300 if is_empty => Some(format!("empty:status={status}")),
        200..300 if seen["content"] == "html" || seen["body"] == "not-json" => {
            Some("html-200:times=forever".to_owned())
        }
        200..300 => None,
        300..400 => Some(format!("redirect:status={status}")),
        _ => Some(refusal(status, seen["explains"] == true)),
    }
}

/// An answer of this status, 0 for none.
fn refusal(status: u64, explains: bool) -> String {
    match (status, explains) {
        (0, _) => "refused:how=close".to_owned(),
        (429, true) => "throttled:retry-after=none".to_owned(),
        (_, true) => format!("unavailable:status={status}"),
        (_, false) => format!("unavailable:status={status},body=none"),
    }
}

/// What the body of a good answer has that others' have not.
fn learn_body(seen: &Value, asked: &Asked) -> Vec<String> {
    let body = &seen["body"];
    if seen["status"] != 200 {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if body["totalRecords"] == "number-in-text" {
        faults.push("total-text:times=forever".to_owned());
    }
    if asked.on == "list-schedules" && body.is_array() {
        faults.push("schedules-form:as=bare".to_owned());
    } else if asked.on == "list-schedules" && body.get("schedules").is_none() {
        faults.push("schedules-form:as=renamed".to_owned());
    }
    if body.get("jobResult").is_some() {
        faults.push("job-form:as=wrapped".to_owned());
    }
    if seen["isKnownJob"] == true {
        let state = learn_state(seen, asked);
        let is_done = state.as_ref().is_none_or(|it| it.starts_with("state-case"));
        let link = match (seen["link"]["allowed"].as_str(), &seen["link"]["isFresh"]) {
            // A link to `files` would be asked at the tenant's own address.
            (Some("refused"), _) => Some("download-url:to=fragment,times=forever"),
            (Some("differs"), Value::Bool(true)) => Some("download-url:to=userinfo,times=forever"),
            (Some("differs"), _) => Some("download-url:to=file,times=forever"),
            (_, Value::Bool(false)) => Some("link-once:times=forever"),
            // The look that was to compare links did not show the job any more.
            (Some(_), Value::Null) if asked.api == Api::DataExtraction => {
                Some("run-vanishes:after=1,times=forever")
            }
            (None, _) if is_done => Some("completed-bare:times=forever"),
            _ => None,
        };
        faults.extend(state);
        faults.extend(link.map(str::to_owned));
    }
    faults
}

/// The state of a job. A word that the report does not tell is some word that nobody knows.
fn learn_state(seen: &Value, asked: &Asked) -> Option<String> {
    let states = seen["states"].as_array();
    let word = states.and_then(|states| states.first()?.as_str());
    let kind = asked
        .states
        .iter()
        .find_map(|at| seen["body"].pointer(at)?.as_str());
    let is_done = |word: &str| ["finished", "succeeded"].contains(&word.to_lowercase().as_str());
    let fault = match (word, kind) {
        (Some("Finished" | "SUCCEEDED"), _) => return None,
        (Some(word), _) if is_done(word) => spell_state(word),
        (Some("RUNNING" | "Running"), _) => "processing-forever:times=forever".to_owned(),
        (Some("Queued"), _) => "queued-forever:times=forever".to_owned(),
        (Some("FAILED"), _) => "run-fails:times=forever".to_owned(),
        (Some("EXPIRED"), _) => "job-expired:times=forever".to_owned(),
        (Some("{word}"), _) => "state-unknown:state=unheard,looks=0,times=forever".to_owned(),
        (Some(word), _) => format!("state-unknown:state={word},looks=0,times=forever"),
        (None, Some("null")) => "state-null:as=null,looks=0,times=forever".to_owned(),
        (None, Some("whole-number")) => "state-null:as=number,looks=0,times=forever".to_owned(),
        (None, _) => "state-null:as=missing,looks=0,times=forever".to_owned(),
    };
    Some(fault)
}

/// The word of a job that is done, in this case.
fn spell_state(word: &str) -> String {
    let case = if word == word.to_uppercase() {
        "upper"
    } else if word == word.to_lowercase() {
        "lower"
    } else {
        "title"
    };
    format!("state-case:case={case},times=forever")
}

fn learn_clock(report: &Value) -> Option<String> {
    let observations = report["observations"].as_array();
    let seen = observations
        .into_iter()
        .flatten()
        .chain([&report["signIn"]["token"]]);
    let mut clocks = seen.filter_map(|seen| seen["clock"].as_str());
    let wrong = clocks.find(|clock| ["ahead", "behind"].contains(clock))?;
    Some(format!("clock-skew:direction={wrong}"))
}
