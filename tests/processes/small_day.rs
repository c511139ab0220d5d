//! A small day to be disturbed, with a witness who looks at the bucket.

use std::ops::Deref;

use asl::{Description, EventDetail};
use delivery::ScheduledEvent;
use delivery::documents::Commit;
use local_aws::Call;
use pipeline_tests::harness::{Pipeline, PipelineBuilder};
use serde_json::Value;

use crate::witness::Witness;

/// What a small day begins with: three pages in three batches, so that there is something to be disturbed between.
pub(crate) struct SmallDayBuilder(PipelineBuilder);

impl SmallDayBuilder {
    pub(crate) fn new() -> Self {
        Self(PipelineBuilder::daily().rows(24, 8))
    }

    pub(crate) fn tenant(self, change: impl FnOnce(&mut cxone_sim::Options)) -> Self {
        Self(self.0.tenant(change))
    }

    /// Changes a field of the definition's part that is about the pipeline.
    pub(crate) fn pipeline(self, name: &str, value: &str) -> Self {
        Self(self.0.define(&format!("/pipeline/{name}"), value.into()))
    }

    pub(crate) async fn start(self) -> SmallDay {
        let pipeline = self.0.start().await;
        pipeline.one_page_a_batch();
        SmallDay {
            witness: Witness::of(&pipeline.world),
            event: pipeline.event(),
            pipeline,
        }
    }
}

/// A small day under way.
pub(crate) struct SmallDay {
    pipeline: Pipeline,
    pub(crate) witness: Witness,
    /// What the schedule sends.
    pub(crate) event: ScheduledEvent,
}

impl Deref for SmallDay {
    type Target = Pipeline;

    fn deref(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl SmallDay {
    /// Fires the schedule and waits for the end of the execution.
    pub(crate) async fn play(&self) -> Description {
        self.pipeline.play(self.event.to_json()).await
    }

    /// The event of another request for the same day.
    pub(crate) fn replay(&self) -> Value {
        let request = self.event.clone().with_id("wish");
        request
            .with_replay(local::replay("the day was restated"))
            .to_json()
    }

    pub(crate) async fn redrive(&self, ended: &Description) -> Description {
        assert_eq!(ended.not_redrivable, None, "{ended:?}");
        self.pipeline.redrive(ended).await
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
        self.pipeline.log()
    }

    /// The only commit, which has every row of its runs once.
    pub(crate) fn commit(&self) -> Commit {
        let mut log = self.log();
        assert_eq!(log.len(), 1, "{log:#?}");
        let commit = log.remove(0);
        self.check_rows(&commit);
        commit
    }

    /// Holds the commit's rows against those of its runs, of which there are some.
    pub(crate) fn check_rows(&self, commit: &Commit) {
        assert!(commit.unique > 0, "{commit:?}");
        self.pipeline.check_committed_rows(commit);
    }
}
