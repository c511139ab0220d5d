//! What an operator types after a failure. Each begins with what `cxr status` says, types only what it prints, and ends with
//! `cxr status --check`; the AWS CLI is not needed. The transcripts are `crates/operator/TRANSCRIPTS.md`, which this test
//! compares, and writes with `UPDATE_DOCS=1`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't go on should say where"
)]

mod shift;

use std::path::PathBuf;

use pipeline_tests::harness::PipelineBuilder;
use serde_json::json;
use shift::{Failure, Shift};

/// Failures of one day each, mended by what `status` prints. `cause` goes away by itself, or is put right elsewhere.
const FAILURES: [Failure; 8] = [
    Failure {
        title: "A wrong client secret",
        faults: &[],
        secret: Some("wrong"),
        put_right: "the secret is put right: cxr tenant set acme acme.json",
        error: "Cxone.Auth",
    },
    Failure {
        title: "A permission is missing",
        faults: &["forbidden:times=forever"],
        secret: None,
        put_right: "the permission is granted in CXone",
        error: "Cxone.Auth",
    },
    Failure {
        title: "Every run fails at CXone",
        faults: &["run-fails:times=forever"],
        secret: None,
        put_right: "CXone runs reports again",
        error: "Cxone.RunsExhausted",
    },
    Failure {
        title: "Two rows with the same key",
        faults: &["conflict:page=1,times=forever"],
        secret: None,
        put_right: "",
        error: "Cxone.Conflict",
    },
    Failure {
        title: "A login page in place of rows",
        faults: &["html-200:times=forever"],
        secret: None,
        put_right: "CXone answers again",
        error: "Cxone.Contract",
    },
    Failure {
        title: "A state that nobody knows, for ever",
        faults: &["state-unknown:looks=0,times=forever"],
        secret: None,
        put_right: "CXone ends its runs again",
        error: "Cxone.RunsExhausted",
    },
    Failure {
        title: "Throttled for ever",
        faults: &["throttled:seconds=120,times=forever"],
        secret: None,
        put_right: "whatever used up the tenant's rate limit is stopped",
        error: "Cxone.Throttled",
    },
    Failure {
        title: "A run that hangs",
        faults: &["processing-forever:times=forever"],
        secret: None,
        put_right: "CXone is quick again",
        error: "Cxone.RunsExhausted",
    },
];

fn transcripts() -> PathBuf {
    local::handlers::workspace().join("crates/operator/TRANSCRIPTS.md")
}

#[tokio::test]
async fn each_failure_is_mended_with_what_is_printed() {
    let pipeline = PipelineBuilder::daily()
        .fired_at("2026-11-10T05:30:00Z")
        .start()
        .await;
    let mut shift = Shift::begin(&pipeline).await;
    for failure in &FAILURES {
        shift.fail(failure).await;
        shift.mend(failure.title, failure.put_right).await;
    }
    let mut typo = pipeline.definition.clone();
    typo["report"]["metrics"][0] = json!("handelTime");
    shift.fail_with("Cxone.Config", typo).await;
    let deploy = "the corrected definition is deployed";
    shift
        .mend("A typo in the deployed definition", deploy)
        .await;
    shift.skip_days(3).await;
    shift
        .mend("The schedule did not fire for three days", "")
        .await;
    shift.stop().await;
    shift.mend("Somebody stopped it", "").await;
    shift.skip_days(6).await;
    shift.check_bound(2).await;

    let written = shift.transcript();
    if local_env("UPDATE_DOCS") {
        std::fs::write(transcripts(), &written).unwrap();
    }
    let stored = std::fs::read_to_string(transcripts()).unwrap_or_default();
    assert!(
        stored == written,
        "crates/operator/TRANSCRIPTS.md is out of date; UPDATE_DOCS=1 writes it:\n{written}"
    );
}

#[expect(clippy::disallowed_methods, reason = "how documents are written anew")]
fn local_env(name: &str) -> bool {
    std::env::var(name).is_ok()
}
