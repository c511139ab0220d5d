//! A small day to be disturbed.

use std::time::Duration;

use asl::{Clock, Description, EventDetail, Status};
use cxone_sim::Tenant;
use delivery::documents::{Commit, sha256_hex};
use jiff::Timestamp;
use local::handlers::workspace;
use local::world::BUCKET;
use local::{Handlers, Options, ScheduledEvent, World};
use local_aws::Call;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::witness::Witness;

/// The real time that one execution may take, so that nothing hangs for ever.
const PATIENCE: Duration = Duration::from_secs(110);

static HANDLERS: OnceCell<Handlers> = OnceCell::const_new();

/// What a day begins with.
pub(crate) struct Setup {
    tenant: cxone_sim::Options,
    definition: Value,
}

impl Setup {
    /// Three pages in three batches, so that there is something to be disturbed between.
    pub(crate) fn new() -> Self {
        let path = workspace().join("infra/reports/daily-agent-performance.json");
        Self {
            tenant: cxone_sim::Options {
                rows: 24,
                page_size: 8,
                ..cxone_sim::Options::default()
            },
            definition: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
        }
    }

    pub(crate) fn tenant(mut self, change: impl FnOnce(&mut cxone_sim::Options)) -> Self {
        change(&mut self.tenant);
        self
    }

    /// Changes a field of the definition's part that is about the pipeline.
    pub(crate) fn pipeline(mut self, name: &str, value: &str) -> Self {
        self.definition["pipeline"][name] = value.into();
        self
    }

    pub(crate) async fn start(self) -> Stage {
        let handlers = HANDLERS
            .get_or_init(async || Handlers::from_env().await.unwrap())
            .await;
        let at: Timestamp = "2026-11-22T05:30:00Z".parse().unwrap();
        let mut options = Options::new(handlers.clone(), Clock::virtual_at(at), self.tenant);
        options.task_limit = Some(PATIENCE);
        let world = World::start(options).await.unwrap();
        // So little time that each invocation takes one page.
        world.lambda().configure("fetch-page", |function| {
            function.timeout = Duration::from_secs(90);
        });
        Stage {
            witness: Witness::of(&world),
            event: ScheduledEvent::new(self.definition, at),
            world,
        }
    }
}

/// A day under way.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) witness: Witness,
    /// What the schedule sends.
    pub(crate) event: ScheduledEvent,
}

impl Stage {
    pub(crate) fn tenant(&self) -> &Tenant {
        self.world.tenant().unwrap()
    }

    /// Fires the schedule and waits for the end of the execution.
    pub(crate) async fn play(&self) -> Description {
        let arn = self.world.fire(self.event.to_json()).unwrap();
        self.finish(&arn).await
    }

    /// A wish of its own for the same day.
    pub(crate) fn replay(&self) -> Value {
        let wish = self.event.clone().id("wish");
        wish.replay("the day was restated").to_json()
    }

    pub(crate) async fn finish(&self, arn: &str) -> Description {
        let ended = tokio::time::timeout(PATIENCE, self.world.finish(arn)).await;
        ended.expect("it ends").unwrap()
    }

    pub(crate) async fn redrive(&self, ended: &Description) -> Description {
        assert_eq!(ended.not_redrivable, None, "{ended:?}");
        let again = self.world.redrive(&ended.execution_arn);
        let again = tokio::time::timeout(PATIENCE, again).await;
        again.expect("it ends").unwrap()
    }

    /// The errors of the tasks that were retried or that ended the execution.
    pub(crate) fn errors(&self, ended: &Description) -> Vec<String> {
        let history = self.world.engine().history(&ended.execution_arn).unwrap();
        let errors = history.into_iter().filter_map(|event| match event.detail {
            EventDetail::TaskFailed { error, .. } | EventDetail::TaskTimedOut { error, .. } => {
                Some(error)
            }
            _ => None,
        });
        errors.collect()
    }

    /// The calls of the handlers so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut calls = self.world.gateway().calls();
        calls.retain(|call| call.caller.is_some());
        calls
    }

    /// The log after a last look at all that is stored.
    pub(crate) fn log(&self) -> Vec<Commit> {
        self.witness.look();
        self.witness.check();
        let log = self.world.log().unwrap();
        assert!(
            log.iter().map(|it| it.version).eq(1..=log.len() as u64),
            "the log has a gap"
        );
        log
    }

    /// The only commit, which has every row of its runs once.
    pub(crate) fn commit(&self) -> Commit {
        let mut log = self.log();
        assert_eq!(log.len(), 1, "{log:#?}");
        let commit = log.remove(0);
        self.check_rows(&commit);
        commit
    }

    /// Holds the commit's rows against those of its runs, byte for byte and in order.
    pub(crate) fn check_rows(&self, commit: &Commit) {
        for part in &commit.parts {
            let stored = self.world.store().read(BUCKET, &part.key).unwrap();
            assert_eq!(sha256_hex(&stored), part.sha256, "{}", part.key);
        }
        let truth = commit.runs.iter().flat_map(|run| {
            let truth = self.tenant().truth(run.run_id.as_str());
            truth.expect("the commit names a run that the tenant knows")
        });
        let truth: Vec<_> = truth.map(|row| String::from_utf8(row).unwrap()).collect();
        let landed = self.world.rows(commit).unwrap();
        assert_eq!(landed.len() as u64, commit.unique);
        assert!(!truth.is_empty() && landed == truth, "other rows landed");
    }
}

/// Says what went wrong if it was not delivered.
pub(crate) fn delivered(ended: &Description) {
    assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    assert_eq!(ended.state, "Delivered", "{ended:?}");
}
