//! How refusals of the published APIs look: a shape for each family of endpoints.

use cxone_sim::{Options, Rate};
use serde_json::Value;

use crate::acd::ACD;
use crate::client::{Session, small};

/// Where a refusal says what is wrong.
enum Told {
    /// In these fields of JSON.
    Json(&'static [&'static str]),
    /// In the header alone.
    Header,
    Xml,
}

#[tokio::test]
async fn every_family_of_endpoints_refuses_in_its_own_shape() {
    let described = Told::Json(&["error", "error_description"]);
    for (method, target, status, told) in [
        ("POST", "/auth/token", 400, described),
        (
            "POST",
            "/authentication/v1/token/access-key",
            401,
            Told::Json(&["errorCode", "errorMessage"]),
        ),
        (
            "GET",
            "/.well-known/cxone-configuration?tenantId=x",
            404,
            Told::Json(&["status", "error", "detail"]),
        ),
        ("GET", "ACD/reports", 401, Told::Header),
        (
            "POST",
            "ACD/report-jobs/4711",
            401,
            Told::Json(&["error", "error_description"]),
        ),
        (
            "GET",
            "ACD/report-jobs/1",
            401,
            Told::Json(&["error", "error_description"]),
        ),
        ("GET", "ACD/files?fileName=x", 401, Told::Header),
        (
            "POST",
            "ACD/report-jobs/datadownload/540",
            401,
            Told::Json(&["message"]),
        ),
        (
            "GET",
            "ACD/contacts/completed",
            401,
            Told::Json(&["resultCode", "resultDescription"]),
        ),
        (
            "POST",
            "/data-extraction/v1/jobs",
            401,
            Told::Json(&["code", "message", "traceId"]),
        ),
        ("GET", "/extracts/1.csv", 404, Told::Xml),
    ] {
        let session = Session::open(small()).await;
        let accept = "Accept: application/json\r\n";
        let target = target.replace("ACD", ACD);
        let answer = session.send(method, &target, accept, b"").await;
        assert_eq!(answer.status, status, "{target}");
        let header = answer.header("icStatusDescription").is_some();
        assert_eq!(header, matches!(told, Told::Header), "{target}");
        match told {
            Told::Json(fields) => {
                let body = answer.json();
                assert!(
                    fields.iter().all(|field| body.get(field).is_some()),
                    "{target}: {body}"
                );
            }
            Told::Header => assert!(answer.wire.is_empty(), "{target}"),
            Told::Xml => assert!(answer.wire.starts_with(b"<?xml"), "{target}"),
        }
    }
}

#[tokio::test]
async fn faults_refuse_in_the_shape_of_the_api_that_they_happen_to() {
    for (fault, status) in [
        ("throttled", 429),
        ("unavailable", 503),
        ("unauthorized", 401),
        ("forbidden", 403),
    ] {
        let session = Session::small_acd(&[fault]).await;
        let target = format!("{ACD}/contacts/completed");
        let answer = session.get(&target).await;
        assert_eq!(answer.status, status, "{fault}");
        assert!(answer.json()["resultDescription"].is_string(), "{fault}");
    }
}

#[tokio::test]
async fn calls_are_limited_and_files_are_free() {
    let options = Options {
        rate: Some(Rate {
            per_minute: 1,
            burst: 2,
        }),
        ..small()
    };
    let session = Session::acd(options, &[]).await;
    let job = session
        .ask("POST", &format!("{ACD}/report-jobs/4711"), &Value::Null)
        .await;
    let id = job.json()["jobId"].as_str().unwrap().to_owned();
    let target = format!("{ACD}/report-jobs/{id}");
    let job = session.get(&target).await.json();
    let refused = session.get(&target).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("60"))
    );
    let link = job["resultFileURL"].as_str().unwrap();
    assert_eq!(session.get(session.own(link)).await.status, 200);
}

#[tokio::test]
async fn a_templates_range_is_taken_in_the_business_units_zone() {
    for (zone, start) in [
        ("UTC", "2026-01-14T00:00:00Z"),
        ("America/Denver", "2026-01-13T07:00:00Z"),
        ("Europe/Vienna", "2026-01-13T23:00:00Z"),
    ] {
        let options = Options {
            business_zone: zone.to_owned(),
            ..small()
        };
        let session = Session::acd(options, &[]).await;
        session
            .ask("POST", &format!("{ACD}/report-jobs/4711"), &Value::Null)
            .await;
        let window = session.tenant.runs()[0].window;
        assert_eq!(window.start, start.parse().unwrap(), "{zone}");
        assert_eq!(window.seconds(), 86_400);
    }
}

#[tokio::test]
async fn paths_that_there_are_not() {
    let session = Session::small_acd(&[]).await;
    for (target, status) in [
        ("/inContactAPI/services/v34.0/report-jobs/1/2", 404),
        ("/inContactAPI/services/v34/reports", 404),
        ("/inContactAPI/services/v99.0/reports", 404),
        ("/inContactAPI/reports", 404),
        ("/data-extraction/v2/jobs", 404),
        ("/authentication/v1/token", 404),
        ("/auth/token", 405),
        ("/authentication/v1/token/access-key", 405),
    ] {
        assert_eq!(session.get(target).await.status, status, "{target}");
    }
}
