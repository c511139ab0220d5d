//! The deployed executables over moto, an implementation of S3 and Secrets Manager that is not ours.
//!
//! `tests/moto/run` starts moto and says where it is; `cargo test` leaves this out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod moto;

use asl::{Clock, Status};
use cxone_sim::Tenant;
use delivery::documents::{Commit, sha256_hex};
use jiff::Timestamp;
use local::handlers::workspace;
use local::{Handlers, Options, ScheduledEvent, World};
use serde_json::Value;

use crate::moto::Moto;

struct Stage {
    moto: Moto,
    world: World,
    event: ScheduledEvent,
}

impl Stage {
    /// A tenant with so many rows, a bucket of its own in moto, and parts that are not compressed.
    async fn start(name: &str, rows: u64, page_size: u32) -> Self {
        let path = "infra/reports/daily-agent-performance.json";
        Self::of(path, name, rows, page_size).await
    }

    async fn of(path: &str, name: &str, rows: u64, page_size: u32) -> Self {
        let moto = Moto::prepare(name).await;
        let path = workspace().join(path);
        let mut definition: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        definition["pipeline"]["compression"] = "none".into();
        let at: Timestamp = "2026-11-22T05:30:00Z".parse().unwrap();
        let tenant = cxone_sim::Options {
            rows,
            page_size,
            ..cxone_sim::Options::default()
        };
        let handlers = Handlers::from_env().await.unwrap();
        let options = Options::new(handlers, Clock::virtual_at(at), tenant);
        let world = World::start(options).await.unwrap();
        for function in local::handlers::NAMES {
            world.lambda().configure(function, |function| {
                function.environment.extend(moto.environment());
            });
        }
        Self {
            moto,
            world,
            event: ScheduledEvent::new(definition, at),
        }
    }

    fn tenant(&self) -> &Tenant {
        self.world.tenant().unwrap()
    }

    async fn play(&self, event: Value, ends: &[&str]) {
        let ended = self.world.run(event).await.unwrap();
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
            for row in self.tenant().truth(run.run_id.as_str()).unwrap() {
                truth.extend(row);
                truth.push(b'\n');
            }
        }
        assert!(!truth.is_empty() && landed == truth, "other rows landed");
    }
}

#[tokio::test]
async fn a_day_lands_and_lands_once_and_can_be_restated() {
    let stage = Stage::start("good-day", 2_500, 100).await;
    stage.play(stage.event.to_json(), &["Delivered"]).await;
    stage.play(stage.event.to_json(), &["Nothing to do"]).await;
    let wish = stage.event.clone().id("wish").replay("late rows");
    stage.tenant().set_rows(2_600);
    stage.play(wish.to_json(), &["Delivered"]).await;
    let log = stage.log().await;
    assert_eq!(log.len(), 2);
    for commit in &log {
        stage.check_rows(commit).await;
    }
    assert_eq!((log[1].generation, log[1].supersedes), (2, Some(1)));
    assert_eq!(stage.moto.token_versions().await, 1);
}

#[tokio::test]
async fn a_part_that_is_uploaded_in_pieces_lands() {
    let stage = Stage::start("pieces", 30_000, 30_000).await;
    stage.play(stage.event.to_json(), &["Delivered"]).await;
    let log = stage.log().await;
    assert!(log[0].parts.iter().any(|part| part.bytes > 5 << 20));
    stage.check_rows(&log[0]).await;
    assert_eq!(stage.moto.open_uploads().await, 0);
}

#[tokio::test]
async fn two_firings_at_once_are_one_commit() {
    let stage = Stage::start("twice", 100, 20).await;
    let arns = {
        let _still = stage.world.clock().busy();
        [(); 2].map(|()| stage.world.fire(stage.event.to_json()).unwrap())
    };
    for arn in arns {
        let ended = stage.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    }
    let log = stage.log().await;
    assert_eq!(log.len(), 1, "{log:#?}");
    stage.check_rows(&log[0]).await;
}

#[tokio::test]
async fn calls_of_two_extractions_at_once_are_kept_apart() {
    let path = "crates/local/definitions/data-extraction.json";
    let stage = Stage::of(path, "pace", 100, 100).await;
    let arns = {
        let _still = stage.world.clock().busy();
        ["One", "Two"].map(|name| {
            let mut event = stage.event.to_json();
            event["detail"]["definition"]["name"] = name.into();
            stage.world.fire(event).unwrap()
        })
    };
    for arn in arns {
        let ended = stage.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    }
    assert!(stage.tenant().extraction_calls().len() >= 4);
    assert_eq!(stage.tenant().spacing_violations(), 0);
}
