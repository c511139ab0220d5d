//! A row of a table of faults: which calls, what becomes of them, and how the day has to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use asl::Status;
use futures_util::StreamExt as _;
use local_aws::{Action, Call};

use crate::small_day::{SmallDay, SmallDayBuilder};
use pipeline_tests::harness::delivered;

/// Rows under way at once: most of their time goes by in the pauses of the SDK.
const AT_ONCE: usize = 6;

/// The fault of a table's row.
#[derive(Clone)]
pub(crate) struct Row {
    /// In the failure catalogue.
    pub(crate) id: &'static str,
    pub(crate) on: On,
    /// What becomes of the calls.
    pub(crate) action: Action,
    /// How many calls.
    pub(crate) times: u32,
    pub(crate) ends: Ends,
}

/// Calls of handlers. An empty text stands for any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct On {
    pub(crate) function: &'static str,
    pub(crate) operation: &'static str,
    /// What the key or the secret's name contains.
    pub(crate) resource: &'static str,
}

impl On {
    pub(crate) const fn new(operation: &'static str, resource: &'static str) -> Self {
        Self {
            function: "",
            operation,
            resource,
        }
    }

    pub(crate) const fn of(self, function: &'static str) -> Self {
        Self { function, ..self }
    }

    fn is(&self, call: &Call) -> bool {
        let Some(caller) = &call.caller else {
            return false;
        };
        let same = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        same(self.function, &caller.function)
            && same(self.operation, &call.operation)
            && call.resource.contains(self.resource)
    }
}

/// How the day ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// The handler gets over it by itself.
    Unharmed,
    /// The state machine tries again after this error.
    Retried(&'static str),
    /// One or the other: it depends on how far the handler has come when it notices.
    UnharmedOrRetried(&'static str),
    /// The execution fails with this error, whose cause says all of this; a redrive after the fault delivers.
    Failed(&'static str, &'static [&'static str]),
}

/// An error of AWS.
pub(crate) fn refuse(status: u16, code: &str) -> Action {
    Action::Refuse {
        status,
        code: code.to_owned(),
        message: "as the table wants it".to_owned(),
    }
}

/// A day for each row.
pub(crate) async fn check(setup: fn() -> SmallDayBuilder, rows: impl IntoIterator<Item = Row>) {
    let days = rows.into_iter().map(|row| async move {
        let pipeline = setup().start().await;
        check_row(&pipeline, &row).await;
    });
    let mut days = futures_util::stream::iter(days).buffer_unordered(AT_ONCE);
    while days.next().await.is_some() {}
}

/// Plays the row's day; at its end there is one commit with every row, and no claim has changed.
pub(crate) async fn check_row(pipeline: &SmallDay, row: &Row) {
    let what = format!("{}: {:?} on {:?}", row.id, row.action, row.on);
    let hits = disturb(pipeline, row);
    let mut ended = pipeline.play().await;
    let errors = pipeline.errors(&ended);
    assert!(
        hits.load(Ordering::SeqCst) > 0,
        "{what}: there was no such call"
    );
    match row.ends {
        Ends::Unharmed => assert_eq!(errors, [""; 0], "{what}: {ended:?}"),
        Ends::Retried(error) | Ends::UnharmedOrRetried(error) => {
            let may_be_none = matches!(row.ends, Ends::UnharmedOrRetried(_));
            assert!(
                may_be_none || !errors.is_empty(),
                "{what}: nothing was tried again"
            );
            assert!(errors.iter().all(|it| it == error), "{what}: {errors:?}");
        }
        Ends::Failed(error, said) => {
            assert_eq!(ended.status, Status::Failed, "{what}: {ended:?}");
            assert_eq!(ended.error.as_deref(), Some(error), "{what}: {ended:?}");
            let cause = ended.cause.clone().unwrap_or_default();
            for said in said {
                assert!(cause.contains(said), "{what}: {said} is not in {cause}");
            }
            assert!(pipeline.log().is_empty(), "{what}: something was committed");
            pipeline.world.gateway().clear_hook();
            ended = pipeline.redrive(&ended).await;
        }
    }
    assert_eq!(ended.status, Status::Succeeded, "{what}: {ended:?}");
    delivered(ended.clone());
    pipeline.commit();
}

/// Lets the row's fault come true; gives the count of its calls.
fn disturb(pipeline: &SmallDay, row: &Row) -> Arc<AtomicU32> {
    let hits = Arc::new(AtomicU32::new(0));
    let (row, counted, witness) = (row.clone(), Arc::clone(&hits), pipeline.witness.clone());
    pipeline.world.gateway().set_hook(move |call| {
        witness.look();
        if !row.on.is(call) || counted.load(Ordering::SeqCst) == row.times {
            return Action::Pass;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        row.action.clone()
    });
    hits
}
