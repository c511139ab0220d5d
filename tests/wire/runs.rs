//! Group 3: schedules, runs and their states (A40 to A56).

use cxone::{CancelOutcome, Error};
use cxone_sim::{Kind, Options};
use definition::RunStatus;

use crate::cases::Call::{self, File, Pages, Register, Start};
use crate::cases::Outcome::{
    self, Ambiguous, Contract, Failed, Forbidden, Good, NotCompleted, NotFound, Pending, Rejected,
    RunFailed, Throttled, Unavailable,
};
use crate::cases::{check, check_within};
use crate::harness::{ClientUnderTest, limits, short, small};

const LOOK: Call = Call::Look;
const CANCEL: Call = Call::Cancel;

#[rustfmt::skip]
#[tokio::test]
async fn a_start_whose_answer_is_lost_is_ambiguous() {
    check(&[
        ("A40", "start-run-ambiguous:how=close", Start, Ambiguous("broke off")),
        ("A40", "start-run-ambiguous:how=reset", Start, Ambiguous("broke off")),
        ("A40", "short-body:on=start-run", Start, Ambiguous("broke off")),
        ("A40", "gzip-truncated:on=start-run", Start, Ambiguous("cut off")),
    ])
    .await;
    let hangs = ("A40", "hang:on=start-run,ms=9000", Start, Ambiguous("too long"));
    check_within(short(), &[hangs]).await;
}

/// A40: it had been started all the same, and the next start is another run.
#[tokio::test]
async fn a_lost_start_leaves_a_run_behind() {
    let under_test = ClientUnderTest::new("start-run-ambiguous", "json").await;
    assert!(matches!(
        under_test.start().await,
        Err(Error::Ambiguous { .. })
    ));
    assert_eq!(under_test.tenant.runs().len(), 1);
    let run = under_test.start().await.unwrap();
    assert_eq!(under_test.tenant.runs().len(), 2);
    assert_eq!(under_test.tenant.runs()[1].id, run.as_str());
}

#[rustfmt::skip]
#[tokio::test]
async fn states_mean_what_their_words_say_and_nothing_else() {
    check(&[
        ("A43", "state-unknown", LOOK, Pending("archiving")),
        ("A43", "state-unknown:looks=0", Pages, NotCompleted("archiving")),
        ("A43", "state-unknown:state=completed\u{200b}", LOOK, Pending("completed\u{200b}")),
        ("A43", "state-unknown:state=complete", LOOK, Pending("complete")),
        ("A43", "state-case:case=upper", LOOK, Good),
        ("A43", "state-case:case=title", LOOK, Good),
        ("A43", "state-case:case=upper", Pages, Good),
        ("A43", "state-null:as=null", LOOK, Pending("")),
        ("A43", "state-null:as=missing", LOOK, Pending("")),
        ("A43", "state-null:as=missing,looks=0", Pages, NotCompleted("")),
        ("A43", "state-null:as=number", LOOK, Contract("state is not of the kind")),
        ("A44", "run-fails", LOOK, Failed("query exceeded the execution limit")),
        ("A44", "run-fails:control=yes", LOOK, Failed("query exceeded the execution limit   [31m")),
        ("A44", "run-fails:bytes=200000,control=yes", LOOK, Failed("query exceeded")),
        // What is larger than that explains nothing.
        ("A44", "run-fails:bytes=300000", LOOK, Contract("a field is larger than 256 KiB")),
        ("A44", "run-fails", Pages, RunFailed("query exceeded the execution limit")),
        ("A46", "processing-forever", LOOK, Pending("processing")),
        ("A46", "queued-forever", LOOK, Pending("queued")),
        ("A46", "slow-run", LOOK, Pending("processing")),
        ("A46", "slow-if-wide", LOOK, Pending("processing")),
        ("A46", "slow-if-column", LOOK, Pending("processing")),
        ("A46", "processing-forever", Pages, NotCompleted("processing")),
        ("A49", "poll-early-404", LOOK, NotFound(404)),
        ("A49", "run-vanishes:after=0", LOOK, NotFound(404)),
        ("A49", "run-vanishes:after=0,status=410", LOOK, NotFound(410)),
        ("A49", "run-vanishes:after=0", Pages, NotFound(404)),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn completed_without_a_result_is_no_empty_result() {
    check(&[
        ("A50", "completed-empty", Pages, Good),
        ("A50", "completed-empty", File, Good),
        ("A51", "completed-bare", Pages, Contract("neither rows nor a download URL")),
        ("A51", "completed-bare", File, Contract("neither rows nor a download URL")),
        ("A51", "data-shape:as=null", Pages, Contract("neither rows nor a download URL")),
        ("A51", "data-shape:as=object", Pages, Contract("not a list")),
        ("A51", "data-shape:as=string", Pages, Contract("not a list")),
        ("A51", "data-shape:as=rows", Pages, Contract("an object was expected")),
        ("A51", "data-shape:as=rows,page=1", Pages, Contract("an object was expected")),
        ("A52", "completed-both:agree=yes", Pages, Good),
        ("A52", "completed-both:agree=no", Pages, Good),
        ("D16", "loose-forms & run-id:id=9007199254740993", Pages, Good),
        ("D16", "loose-forms & run-id:id=17", File, Good),
        ("D16", "loose-forms & run-id:id=17", Start, Good),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn cancelling_never_hides_why_it_was_tried() {
    let refused = |status: u16| -> &'static str {
        Box::leak(format!("processing-forever & cancel-refused:status={status}").into_boxed_str())
    };
    check(&[
        ("A47", "processing-forever", CANCEL, Outcome::Cancelled(CancelOutcome::Accepted)),
        ("A47", "processing-forever & cancel-ignored", CANCEL, Outcome::Cancelled(CancelOutcome::Accepted)),
        ("A47", "cancel-fails-run & slow-run", CANCEL, Outcome::Cancelled(CancelOutcome::Accepted)),
        ("A47", "run-fails", CANCEL, Outcome::Cancelled(CancelOutcome::AlreadyEnded)),
        ("A47", refused(404), CANCEL, Outcome::Cancelled(CancelOutcome::Unknown)),
        ("A47", refused(410), CANCEL, Outcome::Cancelled(CancelOutcome::Unknown)),
        ("A47", refused(409), CANCEL, Outcome::Cancelled(CancelOutcome::AlreadyEnded)),
        ("A47", refused(405), CANCEL, Outcome::Cancelled(CancelOutcome::Unsupported)),
        ("A47", refused(501), CANCEL, Outcome::Cancelled(CancelOutcome::Unsupported)),
        ("A47", refused(500), CANCEL, Unavailable("status 500")),
        ("A47", refused(503), CANCEL, Unavailable("status 503")),
        ("A47", refused(429), CANCEL, Throttled(None)),
        ("A47", refused(403), CANCEL, Forbidden("misbehaves")),
        ("A48", "cancel-completes & slow-run", CANCEL, Outcome::Cancelled(CancelOutcome::AlreadyEnded)),
    ])
    .await;
}

/// A47, A48: what a look says after the cancellation.
#[tokio::test]
async fn the_look_after_a_cancellation_says_what_came_of_it() {
    for (spec, answer, after) in [
        (
            "slow-run & cancel-completes:answer=204",
            CancelOutcome::Accepted,
            Ok(RunStatus::Completed),
        ),
        (
            "slow-run & cancel-completes:answer=409",
            CancelOutcome::AlreadyEnded,
            Ok(RunStatus::Completed),
        ),
        ("slow-run", CancelOutcome::Accepted, Err(404)),
        (
            "slow-run & cancel-ignored",
            CancelOutcome::Accepted,
            Ok(processing()),
        ),
        (
            "slow-run & cancel-fails-run",
            CancelOutcome::Accepted,
            Ok(RunStatus::Failed {
                message: "cancelled by the client".to_owned(),
            }),
        ),
    ] {
        let under_test = ClientUnderTest::new(spec, "json").await;
        let run = under_test.start().await.unwrap();
        assert_eq!(under_test.cancel(&run).await.unwrap(), answer, "{spec}");
        let look = under_test.look(&run).await.map_err(|error| match error {
            Error::NotFound { status, .. } => status,
            other => panic!("{spec}: {other}"),
        });
        assert_eq!(look, after, "{spec}");
        if look == Ok(RunStatus::Completed) {
            assert_eq!(
                under_test.read(&run).await.unwrap().rows,
                under_test.truth(),
                "{spec}"
            );
        }
    }
}

fn processing() -> RunStatus {
    RunStatus::Pending {
        state: "processing".to_owned(),
        known: true,
    }
}

/// A43, A45, A49: one look after the other.
#[tokio::test]
async fn states_come_and_go_and_the_rows_come_with_completed_alone() {
    for (spec, looks) in [
        ("state-back:looks=2", "C p p C C"),
        ("state-unknown:looks=2", "archiving archiving C C C"),
        ("poll-early-404:looks=2", "404 404 C C C"),
        ("run-vanishes:after=2", "C C 404 404 404"),
    ] {
        let under_test = ClientUnderTest::new(spec, "json").await;
        let run = under_test.start().await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(match under_test.look(&run).await {
                Ok(RunStatus::Completed) => "C".to_owned(),
                Ok(RunStatus::Pending { state, .. }) if state == "processing" => "p".to_owned(),
                Ok(RunStatus::Pending {
                    state,
                    known: false,
                }) => state,
                Err(Error::NotFound { status, .. }) => status.to_string(),
                other => panic!("{spec}: {other:?}"),
            });
        }
        assert_eq!(seen.join(" "), looks, "{spec}");
    }
    // A page asked for on the strength of an old look.
    let under_test = ClientUnderTest::new("state-back:looks=1", "json").await;
    let run = under_test.start().await.unwrap();
    assert_eq!(under_test.look(&run).await.unwrap(), RunStatus::Completed);
    let error = under_test.page(&run, None).await.unwrap_err();
    assert!(matches!(error, Error::NotCompleted { .. }), "{error}");
    assert_eq!(
        under_test.read(&run).await.unwrap().rows,
        under_test.truth()
    );
}

#[rustfmt::skip]
#[tokio::test]
async fn a_schedule_is_looked_up_by_its_exact_name() {
    check(&[
        ("A41", "similar-schedules", Register, Good),
        ("A41", "similar-schedules & schedules-paged", Register, Good),
        ("A41", "duplicate-schedules:count=1", Register, Good),
        ("D16", "schedules-form:as=bare", Register, Good),
        ("D16", "schedules-form:as=renamed & similar-schedules & schedules-paged", Register, Good),
        ("A41", "duplicate-schedules", Register, Contract("two schedules have this name: sch-")),
        ("A41", "duplicate-schedules & schedules-paged", Register, Contract("delete or rename one")),
        ("A54", "definition-refused", Register, Rejected(400, "\"talkTime\" is not valid for report type \"ic\"")),
        ("A54", "definition-refused & duplicate-schedules:count=1", Register, Rejected(400, "\"talkTime\"")),
    ])
    .await;
}

/// A41: how many schedules there are afterwards, and what was asked for it.
#[tokio::test]
async fn a_schedule_is_created_once_and_updated_only_if_it_differs() {
    for (spec, schedules, created, updated) in [
        ("", 1, 1, 0),
        ("similar-schedules", 4, 1, 0),
        ("similar-schedules & schedules-paged", 4, 1, 0),
        ("duplicate-schedules:count=1", 1, 0, 1),
        ("schedules-form:as=bare", 1, 1, 0),
        (
            "schedules-form:as=renamed & similar-schedules & schedules-paged",
            4,
            1,
            0,
        ),
    ] {
        let under_test = ClientUnderTest::new(spec, "json").await;
        let first = under_test.register().await.unwrap();
        assert_eq!(under_test.register().await.unwrap(), first, "{spec}");
        let asked = |kind| under_test.asked(kind).len();
        assert_eq!(under_test.tenant.schedule_count(), schedules, "{spec}");
        assert_eq!(
            (asked(Kind::CreateSchedule), asked(Kind::UpdateSchedule)),
            (created, updated),
            "{spec}"
        );
    }
    // A list that hides what there is leads to a double. Both say what is wanted, so that everybody takes the same one.
    let under_test = ClientUnderTest::new("schedules-hidden:at=2", "json").await;
    let first = under_test.register().await.unwrap();
    let second = under_test.register().await.unwrap();
    assert_ne!(first, second);
    let lower = first.min(second);
    assert_eq!(under_test.register().await.unwrap(), lower);
    assert_eq!(under_test.asked(Kind::CreateSchedule).len(), 2);
}

/// A50: an empty result says so itself, in every way there is.
#[tokio::test]
async fn an_empty_result_has_a_total_of_none() {
    for format in ["json", "csv"] {
        let under_test = ClientUnderTest::new("completed-empty", format).await;
        let run = under_test.start().await.unwrap();
        let read = under_test.read(&run).await.unwrap();
        assert_eq!((read.rows.len(), read.ends.len()), (0, 1), "{format}");
        assert_eq!(
            (read.ends[0].total, &read.ends[0].next),
            (Some(0), &None),
            "{format}"
        );
    }
    let options = Options {
        total: false,
        ..small()
    };
    let under_test = ClientUnderTest::with(options, limits(), "json").await;
    let run = under_test.start().await.unwrap();
    assert_eq!(under_test.read(&run).await.unwrap().ends[0].total, None);
}

/// A53: the pages say different totals, and the client says so of each.
#[tokio::test]
async fn the_total_of_every_page_is_told() {
    for (spec, totals) in [
        ("", [60, 60, 60]),
        ("total-changes", [60, 61, 61]),
        ("total-changes:page=2,by=5", [60, 60, 65]),
        ("total-wrong:by=3", [63, 63, 63]),
    ] {
        let under_test = ClientUnderTest::new(spec, "json").await;
        let run = under_test.start().await.unwrap();
        let read = under_test.read(&run).await.unwrap();
        let told: Vec<_> = read.ends.iter().map(|end| end.total).collect();
        assert_eq!(told, totals.map(Some), "{spec}");
        assert_eq!(read.rows, under_test.truth(), "{spec}");
    }
}

/// A55: a run covers the window that it was started for, whatever day it is at the tenant.
#[tokio::test]
async fn a_run_covers_the_window_that_was_asked_for() {
    let under_test = ClientUnderTest::new("", "json").await;
    under_test.start().await.unwrap();
    under_test.start().await.unwrap();
    let window = crate::harness::window();
    for run in under_test.tenant.runs() {
        assert_eq!(
            (run.window.start, run.window.end),
            (window.start(), window.end())
        );
    }
}
