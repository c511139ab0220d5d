//! What an operator types after a failure. Each begins with the mail that tells of it, types only what the mail and the commands
//! print, and ends with `cxr status --check`; the AWS CLI is not needed. The transcripts are `crates/operator/TRANSCRIPTS.md`,
//! which this test compares, and writes with `UPDATE_DOCS=1`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't go on should say where"
)]

mod mail;
mod shift;

use std::path::PathBuf;

use mail::Sender;
use pipeline_tests::harness::PipelineBuilder;
use serde_json::json;
use shift::{Failure, Shift};

/// Failures of one day each.
const FAILURES: [Failure; 8] = [
    Failure {
        title: "A wrong client secret",
        faults: &[],
        secret: Some("wrong"),
        put_right: "the secret is put right: cxr tenant set acme acme.json",
        error: "Cxone.Auth",
        told_by: Sender::Alarm,
    },
    Failure {
        title: "A permission is missing",
        faults: &["forbidden:times=forever"],
        secret: None,
        put_right: "the permission is granted in CXone",
        error: "Cxone.Auth",
        told_by: Sender::Alarm,
    },
    Failure {
        title: "Every run fails at CXone",
        faults: &["run-fails:times=forever"],
        secret: None,
        put_right: "CXone runs reports again",
        error: "Cxone.RunsExhausted",
        told_by: Sender::LastRun,
    },
    Failure {
        title: "Two rows with the same key",
        faults: &["conflict:page=1,times=forever"],
        secret: None,
        put_right: "",
        error: "Cxone.Conflict",
        told_by: Sender::Alarm,
    },
    Failure {
        title: "A login page in place of rows",
        faults: &["html-200:times=forever"],
        secret: None,
        put_right: "CXone answers again",
        error: "Cxone.Contract",
        told_by: Sender::Alarm,
    },
    Failure {
        title: "A state that nobody knows, for ever",
        faults: &["state-unknown:looks=0,times=forever"],
        secret: None,
        put_right: "CXone ends its runs again",
        error: "Cxone.RunsExhausted",
        told_by: Sender::LastRun,
    },
    Failure {
        title: "Throttled for ever",
        faults: &["throttled:seconds=120,times=forever"],
        secret: None,
        put_right: "whatever used up the tenant's rate limit is stopped",
        error: "Cxone.Throttled",
        told_by: Sender::Alarm,
    },
    Failure {
        title: "A run that hangs",
        faults: &["processing-forever:times=forever"],
        secret: None,
        put_right: "CXone is quick again",
        error: "Cxone.RunsExhausted",
        told_by: Sender::LastRun,
    },
];

/// Of another API, whose causes are others.
const FORBIDDEN_ENTITY: Failure = Failure {
    title: "An entity of data-extraction is not allowed",
    faults: &["extraction-forbidden:times=forever"],
    secret: None,
    put_right: "the permission is granted in CXone",
    error: "Cxone.Auth",
    told_by: Sender::Alarm,
};

const HEADER: &str = "# What to type after a failure

From the mail that tells of a failure to a report that is complete: only what is printed is typed, with words in place of TEXT, and the
AWS CLI is not needed. What has to be done elsewhere stands behind a `#`. The test `tests/operators` plays these with the deployed
executables and state machine, and writes this file; what differs from one time to the next is left out.
";

fn transcripts() -> PathBuf {
    local::handlers::workspace().join("crates/operator/TRANSCRIPTS.md")
}

#[tokio::test]
async fn each_failure_is_mended_with_what_is_printed() {
    let day = PipelineBuilder::daily().fired_at("2026-11-10T05:30:00Z");
    let pipeline = day.start().await;
    let mut shift = Shift::begin(&pipeline, HEADER.to_owned()).await;
    for failure in &FAILURES {
        shift.fail(failure).await;
        shift
            .mend(failure.title, failure.told_by, failure.put_right)
            .await;
    }
    shift.drift(&["schema-drift:as=missing,page=1"]).await;
    let restored = "the column is there again in CXone's report";
    shift
        .mend(
            "A column is missing from a page on",
            Sender::Warning,
            restored,
        )
        .await;
    let mut typo = pipeline.definition.clone();
    typo["report"]["metrics"][0] = json!("handelTime");
    shift.fail_with("Cxone.Config", typo).await;
    let deploy = "the corrected definition is deployed";
    shift
        .mend("A typo in the deployed definition", Sender::Alarm, deploy)
        .await;
    shift.skip_days(3).await;
    shift
        .mend(
            "The schedule did not fire for three days",
            Sender::Expectation,
            "",
        )
        .await;
    shift.lose_bucket().await;
    let restored = "the bucket is restored";
    shift
        .mend("The bucket is gone", Sender::Alarm, restored)
        .await;
    shift.lose_part().await;
    shift
        .mend(
            "A part that was committed is deleted",
            Sender::Expectation,
            "",
        )
        .await;
    shift.stop().await;
    shift.mend("Somebody stopped it", Sender::Alarm, "").await;
    let written = shift.transcript();

    let day = PipelineBuilder::daily().fired_at("2026-11-10T05:30:00Z");
    let pipeline = day.start().await;
    let mut shift = Shift::begin(&pipeline, written).await;
    shift.crowd(20).await;
    let free = "the account has room for functions again";
    shift
        .mend(
            "Twenty windows at once, and no room for functions",
            Sender::Alarm,
            free,
        )
        .await;
    shift.check_bound(20, 4);
    let written = shift.transcript();

    let day = PipelineBuilder::of_api("data-extraction").fired_at("2026-11-10T05:30:00Z");
    let pipeline = day.start().await;
    let mut shift = Shift::begin(&pipeline, written).await;
    shift.fail(&FORBIDDEN_ENTITY).await;
    let Failure {
        title,
        told_by,
        put_right,
        ..
    } = FORBIDDEN_ENTITY;
    shift.mend(title, told_by, put_right).await;
    compare(&shift.transcript());
}

fn compare(written: &str) {
    if local_env("UPDATE_DOCS") {
        std::fs::write(transcripts(), written).unwrap();
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
