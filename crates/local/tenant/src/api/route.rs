//! Which call a path and a method are.

use crate::apis::Api;
use crate::journal::Kind;
use crate::request::{self, Request};

const GUIDE: &str = "/api/v2/analytics/reports/";
const ACD: &str = "/inContactAPI/services/v";
const EXTRACTION: &str = "/data-extraction/v1/";
/// The versions of the ACD's APIs that there are.
const VERSIONS: std::ops::RangeInclusive<u16> = 10..=36;

/// A call as its path and method say.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) kind: Kind,
    pub(super) api: Option<Api>,
    /// The version that the path names; 0 where it names none.
    pub(super) version: u16,
    /// What the path names: a schedule, a run, a job, a report, a file, or a way to sign in.
    pub(super) id: String,
    /// The methods that the path takes, where it wasn't one of them.
    pub(super) allowed: Option<&'static str>,
}

/// A kind and what it names, or the methods that the path takes; nothing where there is no such path.
type Found<'r> = Option<Result<(Kind, &'r str), &'static str>>;

impl Route {
    pub(super) fn of(request: &Request) -> Self {
        let path = request.path.as_str();
        let method = request.method.as_str();
        if let Some(rest) = path.strip_prefix(GUIDE) {
            return Self::to(Some(Api::Analytics), 0, guide(rest, request));
        }
        if let Some(file) = path.strip_prefix("/download/") {
            let found = Some(only(method, "GET", Kind::Download, file));
            return Self::to(Some(Api::Analytics), 0, found);
        }
        if let Some(rest) = path.strip_prefix(EXTRACTION) {
            return Self::to(Some(Api::DataExtraction), 0, extraction(rest, method));
        }
        if let Some(file) = path.strip_prefix("/extracts/") {
            let found = Some(only(method, "GET", Kind::Download, file));
            return Self::to(Some(Api::DataExtraction), 0, found);
        }
        if let Some(rest) = path.strip_prefix(ACD) {
            return Self::acd(rest, method);
        }
        Self::to(None, 0, sign_in(path, method))
    }

    /// `/inContactAPI/services/v34.0/…`
    fn acd(rest: &str, method: &str) -> Self {
        let (version, rest) = rest.split_once(".0/").unwrap_or_default();
        let version = version.parse().unwrap_or(0);
        if !VERSIONS.contains(&version) {
            return Self::to(None, 0, None);
        }
        let segments: Vec<&str> = rest.split('/').collect();
        let (api, found) = match segments.as_slice() {
            ["reports"] => (
                Api::ReportJobs,
                Some(only(method, "GET", Kind::ListReports, "")),
            ),
            ["report-jobs"] => (
                Api::ReportJobs,
                Some(only(method, "GET", Kind::ListJobs, "")),
            ),
            ["report-jobs", "datadownload", id] => (
                Api::DataDownload,
                Some(only(method, "POST", Kind::Page, id)),
            ),
            ["report-jobs", id] => (
                Api::ReportJobs,
                match method {
                    "GET" => Some(Ok((Kind::Look, *id))),
                    "POST" => Some(Ok((Kind::StartRun, *id))),
                    _ => Some(Err("GET, POST")),
                },
            ),
            ["files"] => (
                Api::ReportJobs,
                Some(only(method, "GET", Kind::Download, "")),
            ),
            ["contacts", "completed"] => (Api::Contacts, Some(only(method, "GET", Kind::Page, ""))),
            _ => return Self::to(None, version, None),
        };
        Self::to(Some(api), version, found)
    }

    fn to(api: Option<Api>, version: u16, found: Found<'_>) -> Self {
        let (kind, id, allowed) = match found {
            Some(Ok((kind, id))) => (kind, id, None),
            Some(Err(allowed)) => (Kind::Unknown, "", Some(allowed)),
            None => (Kind::Unknown, "", None),
        };
        Self {
            kind,
            api,
            version,
            id: request::decode(id.as_bytes(), false),
            allowed,
        }
    }
}

fn only<'r>(
    method: &str,
    allowed: &'static str,
    kind: Kind,
    id: &'r str,
) -> Result<(Kind, &'r str), &'static str> {
    if method == allowed {
        Ok((kind, id))
    } else {
        Err(allowed)
    }
}

fn sign_in<'r>(path: &str, method: &str) -> Found<'r> {
    match path {
        "/auth/token" => Some(only(method, "POST", Kind::Token, "issuer")),
        "/authentication/v1/token/access-key" => {
            Some(only(method, "POST", Kind::Token, "access-key"))
        }
        "/authentication/v1/token/refresh" => Some(only(method, "POST", Kind::Token, "refresh")),
        "/.well-known/cxone-configuration" => Some(only(method, "GET", Kind::Discovery, "")),
        _ => None,
    }
}

fn guide<'r>(rest: &'r str, request: &Request) -> Found<'r> {
    let segments: Vec<&str> = rest.split('/').collect();
    Some(match (segments.as_slice(), request.method.as_str()) {
        (["schedules"], "GET") => Ok((Kind::ListSchedules, "")),
        (["schedules"], "POST") => Ok((Kind::CreateSchedule, "")),
        (["schedules"], _) => Err("GET, POST"),
        (["schedules", id], "PUT") => Ok((Kind::UpdateSchedule, id)),
        (["schedules", _], _) => Err("PUT"),
        (["schedules", id, "runs"], "POST") => Ok((Kind::StartRun, id)),
        (["schedules", _, "runs"], _) => Err("POST"),
        (["results", id], "GET") if request.query("pageToken").is_some() => Ok((Kind::Page, id)),
        (["results", id], "GET") => Ok((Kind::Look, id)),
        (["results", id], "DELETE") => Ok((Kind::Cancel, id)),
        (["results", _], _) => Err("GET, DELETE"),
        _ => return None,
    })
}

fn extraction<'r>(rest: &'r str, method: &str) -> Found<'r> {
    let segments: Vec<&str> = rest.split('/').collect();
    Some(match (segments.as_slice(), method) {
        (["jobs"], "GET") => Ok((Kind::ListJobs, "")),
        (["jobs"], "POST") => Ok((Kind::StartRun, "")),
        (["jobs"], _) => Err("GET, POST"),
        (["jobs", id], "GET") => Ok((Kind::Look, id)),
        (["jobs", _], _) => Err("GET"),
        _ => return None,
    })
}
