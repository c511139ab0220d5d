//! `cxr probe` against a simulated tenant.

use std::path::Path;

use cxone_sim::{Options, Tenant};
use serde_json::{Value, json};

use crate::states::Server;
use crate::{NOW, cxr};

/// A tenant that keeps no calls apart, because nothing waits here.
async fn start(faults: &[&str]) -> Tenant {
    let options = Options {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        extraction_spacing: std::time::Duration::ZERO,
        now: std::sync::Arc::new(|| NOW.parse().unwrap()),
        ..Options::default()
    };
    Tenant::start(options).await.unwrap()
}

fn secret(tenant: &Tenant) -> Value {
    json!({
        "base_url": tenant.base_url(), "token_url": tenant.token_url(),
        "client_id": "sim-client", "client_secret": "sim-secret",
    })
}

fn write(folder: &Path, value: &Value) -> String {
    let file = folder.join("acme.json");
    std::fs::write(&file, value.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tenant_is_probed_from_its_file_and_the_report_is_written() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let tenant = start(&["unavailable:status=404,times=forever,api=analytics"]).await;
    let file = write(folder.path(), &secret(&tenant));
    let out = folder.path().join("report.json");
    let args = ["probe", &file, "--out", out.to_str().unwrap()];
    let (code, said) = cxr(&server, &args).await;
    assert_eq!(code.unwrap(), 5, "{said}");
    assert!(
        said.contains("use \"api\": \"data-extraction\" in pipeline"),
        "{said}"
    );
    assert!(
        said.contains("\nP-10  differs    the guide's API is there: status 404\n"),
        "{said}"
    );
    let report: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(report["v"], 1);
    let (code, said) = cxr(&server, &["probe", &file, "--format", "json"]).await;
    assert_eq!(code.unwrap(), 5);
    assert_eq!(
        serde_json::from_str::<Value>(&said).unwrap()["rows"],
        report["rows"]
    );
    let (code, said) = cxr(&server, &["probe", &file, "--api", "contacts"]).await;
    assert_eq!(code.unwrap(), 0, "{said}");
    // What was seen is shown, even if the file can't be written.
    let nowhere = folder.path().join("none/report.json");
    let nowhere = nowhere.to_str().unwrap();
    let args = ["probe", &file, "--api", "contacts", "--out", nowhere];
    let (unwritten, said) = cxr(&server, &args).await;
    let error = unwritten.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO029", 2));
    assert!(error.to_string().starts_with(nowhere), "{error}");
    assert!(said.contains("contacts         ok "), "{said}");
    assert!(
        tenant
            .journal()
            .iter()
            .all(|entry| entry.method == "GET" || entry.path == "/auth/token")
    );
}

#[tokio::test]
async fn a_deployed_tenant_is_probed_by_its_name() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let tenant = start(&[]).await;
    let file = write(folder.path(), &secret(&tenant));
    cxr(&server, &["tenant", "set", "acme", &file])
        .await
        .0
        .unwrap();
    let (code, said) = cxr(&server, &["probe", "--name", "acme", "--api", "contacts"]).await;
    assert_eq!(code.unwrap(), 0, "{said}");
    assert!(said.contains("contacts         ok "), "{said}");
    let (none, _) = cxr(&server, &["probe", "--name", "globex"]).await;
    assert_eq!(none.unwrap_err().code(), "CXO019");
}

#[tokio::test]
async fn deep_runs_a_definition_and_nothing_else_does() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let tenant = start(&[]).await;
    let file = write(folder.path(), &secret(&tenant));
    let definition = "../local/definitions/report-jobs.json";
    let args = ["probe", &file, "--api", "report-jobs", "--deep", definition];
    let (code, said) = cxr(&server, &args).await;
    assert_eq!(code.unwrap(), 0, "{said}");
    assert_eq!(tenant.runs().len(), 1);
    let (wrong, _) = cxr(&server, &["probe", &file, "--deep", &file]).await;
    assert_eq!(wrong.unwrap_err().code(), "CXO002");
}

#[tokio::test]
async fn a_file_that_is_no_tenant_is_refused_before_anything_is_asked() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let file = write(folder.path(), &json!({"base_url": "https://x.example"}));
    let (wrong, said) = cxr(&server, &["probe", &file]).await;
    assert_eq!(wrong.unwrap_err().code(), "CXO017");
    assert_eq!(said, "");
}
