//! Custom reports: jobs, their queue, their files.

use std::time::Duration;

use cxone_sim::{Api, Kind, Options};
use serde_json::{Value, json};

use crate::acd::{ACD, decode};
use crate::client::{Answer, Session, small};

impl Session {
    async fn job(&self, version: u16, body: Value) -> Answer {
        let target = format!("/inContactAPI/services/v{version}.0/report-jobs/4711");
        self.ask("POST", &target, &body).await
    }

    /// The id of a job under a name of its own.
    async fn new_job(&self) -> String {
        let name = format!("file {}", self.tenant.runs().len());
        let answer = self
            .job(34, json!({ "fileType": "CSV", "fileName": name }))
            .await;
        assert_eq!(
            answer.status,
            202,
            "{}",
            String::from_utf8_lossy(&answer.raw)
        );
        answer.json()["jobId"].as_str().unwrap().to_owned()
    }

    async fn state(&self, job: &str) -> Answer {
        self.get(&format!("{ACD}/report-jobs/{job}")).await
    }

    /// The answer that holds the file of a finished job.
    async fn job_file(&self, job: &str) -> Answer {
        let state = self.state(job).await.json();
        self.get(self.own(state["resultFileURL"].as_str().unwrap()))
            .await
    }

    /// The file of a job that is done at once.
    async fn whole_file(&self) -> String {
        let job = self.new_job().await;
        decode(&self.job_file(&job).await.json()["files"]["file"])
    }
}

#[tokio::test]
async fn a_job_has_the_rows_of_the_templates_range_in_base64() {
    let session = Session::small_acd(&[]).await;
    let text = session.whole_file().await;
    assert!(text.starts_with("Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,"));
    assert_eq!(text, session.csv_truth());
    let run = session.tenant.runs().pop().unwrap();
    assert_eq!(
        (run.api, run.rows, run.schedule.as_str()),
        (Api::ReportJobs, 25, "4711")
    );
    assert_eq!(run.window.start, "2026-01-14T00:00:00Z".parse().unwrap());
    let kinds: Vec<Kind> = session.tenant.journal()[1..]
        .iter()
        .map(|call| call.kind)
        .collect();
    assert_eq!(kinds, [Kind::StartRun, Kind::Look, Kind::Download]);
}

#[tokio::test]
async fn the_reports_are_listed() {
    let session = Session::small_acd(&[]).await;
    let all = session.get(&format!("{ACD}/reports")).await.json();
    assert_eq!(all["reports"][0]["reportId"], 4711);
    let one = session
        .get(&format!("{ACD}/reports?reportType=datadownload"))
        .await
        .json();
    assert_eq!(one["reports"][0]["reportName"], "Contact History");
    assert_eq!(
        session
            .get(&format!("{ACD}/reports?reportType=BI"))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn dates_are_for_old_versions() {
    let dates = json!({ "startDate": "2026-01-01", "endDate": "2026-01-02T12:00:00Z" });
    for (version, status) in [(10, 202), (13, 202), (14, 400), (34, 400), (9, 404)] {
        let session = Session::small_acd(&[]).await;
        assert_eq!(
            session.job(version, dates.clone()).await.status,
            status,
            "v{version}"
        );
        if status == 202 {
            let window = session.tenant.runs()[0].window;
            assert_eq!(window.seconds(), 36 * 3_600);
        }
    }
    let session = Session::small_acd(&[]).await;
    let target =
        "/inContactAPI/services/v12.0/report-jobs/4711?startDate=2026-01-01&endDate=2026-01-02";
    assert_eq!(
        session.ask("POST", target, &Value::Null).await.status,
        202,
        "in the query too"
    );
}

#[tokio::test]
async fn what_a_start_refuses() {
    for (report, body, status) in [
        ("1", json!({}), 404),
        ("x", json!({}), 404),
        ("4711", json!([]), 400),
        ("4711", json!({ "fileType": "Word" }), 400),
        ("4711", json!({ "deleteAfter": 6 }), 400),
        ("4711", json!({ "deleteAfter": "15" }), 400),
        ("4711", json!({ "overwrite": "maybe" }), 400),
        (
            "4711",
            json!({ "fileType": "PDF", "deleteAfter": 14, "appendDate": true }),
            202,
        ),
    ] {
        let session = Session::small_acd(&[]).await;
        let answer = session
            .ask("POST", &format!("{ACD}/report-jobs/{report}"), &body)
            .await;
        assert_eq!(answer.status, status, "{report} {body}");
        if status != 202 {
            assert!(answer.json()["error_description"].is_string());
        }
    }
}

#[tokio::test]
async fn answers_are_wrapped_in_old_versions_and_on_request() {
    for (version, fault, wrapped) in [
        (34, "", false),
        (18, "", false),
        (17, "", true),
        (34, "job-form", true),
        (13, "job-form:as=flat", false),
    ] {
        let faults: Vec<&str> = [fault]
            .into_iter()
            .filter(|fault| !fault.is_empty())
            .collect();
        let session = Session::small_acd(&faults).await;
        let job = session.new_job().await;
        let target = format!("/inContactAPI/services/v{version}.0/report-jobs/{job}");
        let answer = session.get(&target).await.json();
        assert_eq!(
            answer.get("jobResult").is_some(),
            wrapped,
            "v{version} {fault}"
        );
        let inner = if wrapped {
            &answer["jobResult"]
        } else {
            &answer
        };
        assert_eq!(
            (&inner["state"], &inner["jobId"]),
            (&json!("Finished"), &json!(job))
        );
    }
}

#[tokio::test]
async fn a_job_has_no_link_until_it_is_done() {
    let options = Options {
        queued: Duration::from_secs(10),
        processing: Duration::from_secs(20),
        ..small()
    };
    let session = Session::acd(options, &[]).await;
    let job = session.new_job().await;
    for (state, linked, pass) in [
        ("Queued", false, 10),
        ("Running", false, 20),
        ("Finished", true, 0),
    ] {
        let answer = session.state(&job).await.json();
        assert_eq!(answer["state"], state);
        assert_eq!(answer["resultFileURL"] != "", linked, "{state}");
        session.pass(pass);
    }
    let fields = session
        .get(&format!("{ACD}/report-jobs/{job}?fields=state,fileName"))
        .await;
    assert_eq!(fields.json().as_object().unwrap().len(), 2);
    assert_eq!(session.state("404").await.status, 404);
    let cancel = session
        .ask("DELETE", &format!("{ACD}/report-jobs/{job}"), &Value::Null)
        .await;
    assert_eq!(
        (cancel.status, cancel.header("allow")),
        (405, Some("GET, POST"))
    );
}

#[tokio::test]
async fn jobs_are_done_one_after_another_and_twelve_wait() {
    let options = Options {
        processing: Duration::from_mins(1),
        ..small()
    };
    let session = Session::acd(options, &[]).await;
    let mut jobs = Vec::new();
    for _ in 0..12 {
        jobs.push(session.new_job().await);
    }
    assert_eq!(
        session.job(34, json!({ "fileName": "13" })).await.status,
        429
    );
    session.pass(60);
    assert_eq!(session.state(&jobs[0]).await.json()["state"], "Finished");
    assert_eq!(session.state(&jobs[1]).await.json()["state"], "Running");
    assert_eq!(session.state(&jobs[2]).await.json()["state"], "Queued");
    let list = session
        .get(&format!("{ACD}/report-jobs?reportId=4711"))
        .await
        .json();
    let count = |group: &str| list[group].as_array().unwrap().len();
    assert_eq!((count("runningJobs"), count("completedJobs")), (11, 1));
    assert_eq!(
        session.job(34, json!({ "fileName": "13" })).await.status,
        202
    );
    session.pass(12 * 60);
    assert_eq!(session.state(&jobs[11]).await.json()["state"], "Finished");
}

#[tokio::test]
async fn a_job_that_never_ends_is_in_nobodys_way() {
    let session = Session::small_acd(&["processing-forever:run=1"]).await;
    let (stuck, other) = (session.new_job().await, session.new_job().await);
    session.pass(3_599);
    assert_eq!(session.state(&stuck).await.json()["state"], "Running");
    assert_eq!(session.state(&other).await.json()["state"], "Finished");
}

#[tokio::test]
async fn jobs_are_listed_by_report_status_and_age() {
    let session = Session::small_acd(&[]).await;
    let list = async |query: &str| session.get(&format!("{ACD}/report-jobs{query}")).await;
    assert_eq!(list("").await.status, 204);
    session.new_job().await;
    session.pass(3_000);
    for (query, status) in [
        ("", 200),
        ("?jobStatus=Completed", 200),
        ("?jobStatus=Running", 204),
        ("?reportId=1", 204),
        ("?jobSpan=0", 204),
    ] {
        assert_eq!(list(query).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn a_file_of_the_same_name_is_in_the_way() {
    let mut session = Session::small_acd(&[]).await;
    let first = session.job(34, json!({})).await.json()["jobId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(session.job(34, json!({})).await.status, 409);
    assert_eq!(
        session.job(34, json!({ "appendDate": true })).await.status,
        202
    );
    assert_eq!(
        session.job(34, json!({ "appendDate": true })).await.status,
        409,
        "the same second"
    );
    assert_eq!(session.state(&first).await.status, 200);
    assert_eq!(
        session.job(34, json!({ "overwrite": true })).await.status,
        202
    );
    assert_eq!(
        session.state(&first).await.status,
        409,
        "its result is gone"
    );
    session.pass(7 * 86_400);
    session.login().await;
    assert_eq!(
        session.job(34, json!({})).await.status,
        202,
        "after a week it is deleted"
    );
}

#[tokio::test]
async fn a_file_wants_the_token_and_says_why_in_a_header() {
    let session = Session::small_acd(&[]).await;
    let job = session.new_job().await;
    let state = session.state(&job).await.json();
    let target = session
        .own(state["resultFileURL"].as_str().unwrap())
        .to_owned();
    let bearer = format!("Authorization: Bearer {}\r\n", session.token);
    let accept = "Accept: application/json\r\n";
    for (headers, status) in [
        (accept.to_owned(), 401),
        (bearer.clone(), 406),
        (format!("{bearer}Accept: */*\r\n"), 406),
        (format!("{bearer}{accept}"), 200),
    ] {
        let answer = session.send("GET", &target, &headers, b"").await;
        assert_eq!(answer.status, status, "{headers}");
        let told = answer.header("icStatusDescription").is_some() && answer.wire.is_empty();
        assert_eq!(told, status != 200, "{headers}");
    }
    let gone = session
        .get(&format!("{ACD}/files?fileName=other.csv"))
        .await;
    assert_eq!(
        (gone.status, gone.header("icStatusDescription")),
        (404, Some("File not found"))
    );
}

#[tokio::test]
async fn a_look_shows_what_the_fault_says() {
    for (fault, expected) in [
        (
            "state-unknown:state=Archived,looks=1",
            &["Archived", "Finished+"][..],
        ),
        ("state-unknown:looks=0", &["archiving", "archiving"]),
        ("state-case:case=lower", &["finished+"]),
        ("state-case:case=upper", &["FINISHED+"]),
        ("state-null:looks=1", &["null", "Finished+"]),
        ("state-null:as=missing,looks=1", &["200", "Finished+"]),
        ("state-back", &["Finished+", "Running", "Finished+"]),
        ("run-fails", &["Failed"]),
        ("run-fails:word=Aborted", &["Aborted"]),
        ("run-vanishes", &["Finished+", "404"]),
        ("poll-early-404:looks=1", &["404", "Finished+"]),
        ("completed-bare", &["Finished"]),
        ("result-url-late", &["Finished", "Finished+"]),
        (
            "result-url-late:looks=2",
            &["Finished", "Finished", "Finished+"],
        ),
        ("result-gone", &["409"]),
        ("result-gone:after=1", &["Finished+", "409"]),
        ("slow-run", &["Running"]),
        ("queued-forever", &["Queued"]),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let job = session.new_job().await;
        let mut seen = Vec::new();
        for _ in expected {
            let answer = session.state(&job).await;
            let body = answer.json();
            let plus = body["resultFileURL"]
                .as_str()
                .is_some_and(|link| !link.is_empty());
            let state = body
                .get("state")
                .map_or(answer.status.to_string(), |state| {
                    state.to_string().trim_matches('"').to_owned()
                });
            seen.push(state + if plus { "+" } else { "" });
        }
        assert_eq!(seen, expected, "{fault}");
    }
}

#[tokio::test]
async fn the_id_of_a_job_comes_in_another_form() {
    for (fault, id) in [
        ("job-id", None),
        ("job-id:as=empty", Some(json!(""))),
        ("job-id:as=missing", Some(Value::Null)),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let answer = session.job(34, json!({})).await.json();
        let number = json!(session.tenant.runs()[0].id.parse::<u64>().unwrap());
        assert_eq!(answer["jobId"], id.unwrap_or(number), "{fault}");
    }
}

#[tokio::test]
async fn the_columns_of_a_file_change() {
    for (fault, header, cells) in [
        (
            "csv-drift",
            "Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled,Avg Handle Time,Sentiment",
            9,
        ),
        (
            "csv-duplicate-columns:as=added",
            "Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled,Avg Handle Time,Avg Handle Time",
            9,
        ),
        (
            "csv-drift:as=missing",
            "Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled",
            7,
        ),
        (
            "csv-drift:as=renamed",
            "Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled,Renamed",
            8,
        ),
        (
            "csv-drift:as=moved",
            "Avg Handle Time,Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled",
            8,
        ),
        (
            "csv-drift:as=emptied",
            "Agent ID,Agent Name,Skill ID,Skill Name,Handle Time,Talk Time,Calls Handled,Avg Handle Time",
            8,
        ),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let text = session.whole_file().await;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(
            records[0].iter().collect::<Vec<_>>().join(","),
            header,
            "{fault}"
        );
        assert!(
            records.iter().all(|record| record.len() == cells),
            "{fault}"
        );
        assert_eq!(records.len(), 26);
        let is_emptied = records[1..]
            .iter()
            .all(|record| record[cells - 1].is_empty());
        assert_eq!(is_emptied, fault == "csv-drift:as=emptied");
    }
}

#[tokio::test]
async fn a_start_is_refused_on_request() {
    for (fault, statuses) in [
        ("file-exists", [409, 202]),
        ("queue-full", [429, 202]),
        ("queue-full:status=409,times=2", [409, 409]),
    ] {
        let session = Session::small_acd(&[fault]).await;
        for status in statuses {
            assert_eq!(session.job(34, json!({})).await.status, status, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_file_is_spoilt_on_request() {
    let truth = {
        let session = Session::small_acd(&[]).await;
        session.whole_file().await;
        session.csv_truth()
    };
    let (header, records) = truth.split_once("\r\n").unwrap();
    let last = Session::small_acd(&["total-row:label=Grand Total"])
        .await
        .whole_file()
        .await;
    let last = last.strip_prefix(&truth).unwrap();
    assert!(
        last.starts_with("Grand Total,,,,") && last.ends_with("\r\n"),
        "{last}"
    );
    assert_eq!(last.matches(',').count(), header.matches(',').count());
    for (fault, expected) in [
        ("csv-bom", format!("\u{feff}{truth}")),
        ("csv-lf", truth.replace("\r\n", "\n")),
        (
            "csv-duplicate-columns",
            format!(
                "{}\r\n{records}",
                header.replace("Avg Handle Time", "Calls Handled")
            ),
        ),
        ("completed-empty", format!("{header}\r\n")),
    ] {
        assert_eq!(
            Session::small_acd(&[fault]).await.whole_file().await,
            expected,
            "{fault}"
        );
    }
    for (fault, end) in [
        ("csv-doubled-crlf", "\r\n\r\n"),
        ("csv-doubled-crlf:as=cr", "\r\r\n"),
    ] {
        let text = Session::small_acd(&[fault]).await.whole_file().await;
        assert!(text.starts_with(&format!("{header}{end}")), "{fault}");
        assert_eq!(text.matches(end).count(), 26, "{fault}");
        assert_eq!(text.replace(end, "\r\n"), truth, "{fault}");
    }
    let bare = Session::small_acd(&[]).await;
    let job = bare
        .job(34, json!({ "includeHeaders": false }))
        .await
        .json();
    let file = bare.job_file(job["jobId"].as_str().unwrap()).await.json();
    assert_eq!(decode(&file["files"]["file"]), records);
}

/// The JSON of a file of 2,000 rows under a fault.
async fn spoilt(fault: &str) -> (String, String) {
    let options = Options {
        rows: 2_000,
        ..small()
    };
    let session = Session::acd(options, &[fault]).await;
    let job = session.new_job().await;
    let body = String::from_utf8(session.job_file(&job).await.body()).unwrap();
    (body, session.csv_truth())
}

#[tokio::test]
async fn base64_is_broken_in_every_way() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let text = |body: &str| -> String {
        let body: Value = serde_json::from_str(body).unwrap();
        body["files"]["file"].as_str().unwrap().to_owned()
    };
    for (fault, good) in [
        ("base64:as=escaped", true),
        ("base64:as=truncated", false),
        ("base64:as=characters", false),
        ("base64:as=after-padding", false),
    ] {
        let (body, truth) = spoilt(fault).await;
        let decoded = STANDARD.decode(text(&body));
        assert_eq!(decoded.is_ok(), good, "{fault}");
        assert!(
            decoded.is_err() || decoded.unwrap() == truth.as_bytes(),
            "{fault}"
        );
        assert_eq!(
            body.contains("\\u002b") || body.contains("\\/"),
            good,
            "{fault}"
        );
    }
    let (body, truth) = spoilt("base64:as=lines").await;
    let lines = text(&body);
    assert!(lines.split("\r\n").all(|line| line.len() <= 76));
    assert_eq!(
        STANDARD.decode(lines.replace("\r\n", "")).unwrap(),
        truth.as_bytes()
    );
    let (body, truth) = spoilt("base64:as=url-safe").await;
    assert_eq!(URL_SAFE.decode(text(&body)).unwrap(), truth.as_bytes());
    assert!(!spoilt("base64:as=unpadded").await.0.contains('='));
}

#[tokio::test]
async fn a_file_comes_in_another_shape() {
    for (fault, begins, ends) in [
        (
            "file-shape",
            "{\"files\":{\"file\":\"",
            "\"fileName\":\"file 0.csv\"}}",
        ),
        (
            "file-shape:as=null",
            "{\"files\":{\"fileName\":\"file 0.csv\"",
            "\"file\":null}}",
        ),
        (
            "file-shape:as=missing",
            "{\"files\":{\"fileName\"",
            "\"file 0.csv\"}}",
        ),
        (
            "file-shape:as=empty",
            "{\"files\":{\"fileName\"",
            "\"file\":\"\"}}",
        ),
        ("file-shape:as=array", "{\"files\":[{\"fileName\"", "\"}]}"),
    ] {
        let (body, _) = spoilt(fault).await;
        assert!(
            body.starts_with(begins) && body.ends_with(ends),
            "{fault}: {}",
            &body[..60]
        );
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{fault}");
    }
}

#[tokio::test]
async fn links_and_transport_are_spoilt_as_everywhere() {
    let session = Session::small_acd(&["download-url:to=metadata"]).await;
    let job = session.new_job().await;
    let link = session.state(&job).await.json()["resultFileURL"].clone();
    assert!(
        link.as_str()
            .unwrap()
            .starts_with("http://169.254.169.254/")
    );
    for (fault, status) in [
        ("throttled", 429),
        ("unavailable", 503),
        ("unauthorized", 401),
        ("forbidden", 403),
    ] {
        let session = Session::small_acd(&[fault]).await;
        assert_eq!(session.job(34, json!({})).await.status, status, "{fault}");
    }
    let session =
        Session::small_acd(&["duplicate-schedules", "cancel-ignored", "token-weird"]).await;
    session.new_job().await;
    assert!(
        session
            .tenant
            .journal()
            .iter()
            .all(|call| call.faults.is_empty())
    );
}
