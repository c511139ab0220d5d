//! The deployed executables over moto, an implementation of S3 and Secrets Manager that is not ours.
//!
//! `tests/moto/run` starts moto and says where it is; `cargo test` leaves this out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod moto;

use asl::Status;
use delivery::ScheduledEvent;
use delivery::documents::{Commit, sha256_hex};
use pipeline_tests::harness::{Pipeline, PipelineBuilder};
use serde_json::Value;

use crate::moto::Moto;

struct PipelineOverMoto {
    moto: Moto,
    pipeline: Pipeline,
    event: ScheduledEvent,
}

impl PipelineOverMoto {
    /// A tenant with so many rows, a bucket of its own in moto, and parts that are not compressed.
    async fn start(name: &str, rows: u64, page_size: u32) -> Self {
        Self::of(PipelineBuilder::daily().rows(rows, page_size), name).await
    }

    async fn of(builder: PipelineBuilder, name: &str) -> Self {
        let builder = builder.define("/pipeline/compression", "none".into());
        let pipeline = builder.start().await;
        let tenant = pipeline.world.tenant_secret_with(&Value::Null);
        let moto = Moto::prepare(name, &tenant).await;
        for function in local::handlers::NAMES {
            pipeline.world.lambda().configure(function, |function| {
                function.environment.extend(moto.environment());
            });
        }
        Self {
            event: pipeline.event(),
            moto,
            pipeline,
        }
    }

    async fn play(&self, event: Value, ends: &[&str]) {
        let ended = self.pipeline.play(event).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        assert!(ends.contains(&&*ended.state), "{ended:?}");
    }

    async fn log(&self) -> Vec<Commit> {
        let mut log = Vec::new();
        for key in self.moto.keys("").await {
            if key.contains("/_log/") {
                log.push(serde_json::from_slice(&self.moto.read(&key).await).unwrap());
            }
        }
        assert!(
            log.iter()
                .map(|it: &Commit| it.version)
                .eq(1..=log.len() as u64)
        );
        log
    }

    async fn check_rows(&self, commit: &Commit) {
        let mut landed = Vec::new();
        for part in &commit.parts {
            let stored = self.moto.read(&part.key).await;
            assert_eq!(sha256_hex(&stored), part.sha256, "{}", part.key);
            landed.extend(stored);
        }
        let mut truth = Vec::new();
        for run in &commit.runs {
            for row in self.pipeline.tenant().truth(run.run_id.as_str()).unwrap() {
                truth.extend(row);
                truth.push(b'\n');
            }
        }
        assert!(!truth.is_empty() && landed == truth, "other rows landed");
    }
}

#[tokio::test]
async fn a_day_lands_and_lands_once_and_can_be_restated() {
    let over = PipelineOverMoto::start("good-day", 2_500, 100).await;
    over.play(over.event.to_json(), &["Delivered"]).await;
    over.play(over.event.to_json(), &["Nothing to do"]).await;
    let request = over
        .event
        .clone()
        .with_id("request")
        .with_replay(local::replay("late rows"));
    over.pipeline.tenant().set_rows(2_600);
    over.play(request.to_json(), &["Delivered"]).await;
    let log = over.log().await;
    assert_eq!(log.len(), 2);
    for commit in &log {
        over.check_rows(commit).await;
    }
    assert_eq!((log[1].generation, log[1].supersedes), (2, Some(1)));
    assert_eq!(over.moto.token_versions().await, 1);
}

#[tokio::test]
async fn a_part_that_is_uploaded_in_pieces_lands() {
    let over = PipelineOverMoto::start("pieces", 30_000, 30_000).await;
    over.play(over.event.to_json(), &["Delivered"]).await;
    let log = over.log().await;
    assert!(log[0].parts.iter().any(|part| part.bytes > 5 << 20));
    over.check_rows(&log[0]).await;
    assert_eq!(over.moto.open_uploads().await, 0);
}

#[tokio::test]
async fn two_firings_at_once_are_one_commit() {
    let over = PipelineOverMoto::start("twice", 100, 20).await;
    let arns = {
        let _still = over.pipeline.world.clock().busy();
        [(); 2].map(|()| over.pipeline.world.fire(over.event.to_json()).unwrap())
    };
    for arn in arns {
        let ended = over.pipeline.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    }
    let log = over.log().await;
    assert_eq!(log.len(), 1, "{log:#?}");
    over.check_rows(&log[0]).await;
}

#[tokio::test]
async fn calls_of_two_extractions_at_once_are_kept_apart() {
    let builder = PipelineBuilder::of_api("data-extraction").rows(100, 100);
    let over = PipelineOverMoto::of(builder, "pace").await;
    let arns = {
        let _still = over.pipeline.world.clock().busy();
        ["One", "Two"].map(|name| {
            let mut event = over.event.to_json();
            event["detail"]["definition"]["name"] = name.into();
            over.pipeline.world.fire(event).unwrap()
        })
    };
    for arn in arns {
        let ended = over.pipeline.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    }
    assert!(over.pipeline.tenant().extraction_calls().len() >= 4);
    assert_eq!(over.pipeline.tenant().spacing_violations(), 0);
}
