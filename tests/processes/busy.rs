//! An AWS that has no time right now.

use local::world::{TENANT_SECRET, TOKEN_SECRET};
use local_aws::{Action, Service};

use crate::small_day::SmallDayBuilder;
use crate::table::{Ends, On, Row, check, check_row, refuse};
use pipeline_tests::harness::delivered;

/// For ever.
const ALWAYS: u32 = u32::MAX;

/// What is claimed, and what a claim is read by.
const CLAIMS: [&str; 4] = ["open.json", "run.json", "b000000.json", "/_log/"];

fn row(id: &'static str, on: On, action: Action, times: u32, ends: Ends) -> Row {
    Row {
        id,
        on,
        action,
        times,
        ends,
    }
}

#[tokio::test]
async fn a_burst_of_slow_down_is_got_over() {
    let slow_down = || refuse(503, "SlowDown");
    let writes = CLAIMS.map(|key| On::new("PutObject", key));
    let others = [
        On::new("ListObjectsV2", "").of("trigger"),
        On::new("GetObject", "b000000.json").of("finalize"),
        On::new("HeadObject", "/data/").of("finalize"),
        On::new("PutObject", "/data/").of("fetch-page"),
    ];
    let rows = writes.into_iter().chain(others);
    // More often than the SDK tries, so that our own attempts are needed too.
    let rows = rows.map(|on| row("B08", on, slow_down(), 4, Ends::Unharmed));
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_concurrent_writer_is_waited_for() {
    let conflict = || refuse(409, "ConditionalRequestConflict");
    let on = CLAIMS.map(|key| On::new("PutObject", key));
    let rows = on.map(|on| row("B10", on, conflict(), 4, Ends::Unharmed));
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_store_without_an_end_to_its_trouble_fails_visibly_and_is_redriven() {
    let unavailable = Ends::Failed("Cxone.Unavailable", &["PutObject", "_log/"]);
    let on = On::new("PutObject", "/_log/");
    for (id, action) in [
        ("B08", refuse(503, "SlowDown")),
        ("B10", refuse(409, "ConditionalRequestConflict")),
        ("B27", Action::Cut),
    ] {
        let pipeline = SmallDayBuilder::new().start().await;
        // The SDK's own tries would only take time: seven invocations make 35 attempts without them.
        pipeline.world.lambda().configure("finalize", |function| {
            let once = ("AWS_MAX_ATTEMPTS".to_owned(), "1".to_owned());
            function.environment.extend([once]);
        });
        check_row(&pipeline, &row(id, on, action, ALWAYS, unavailable)).await;
        let tried = pipeline.calls().into_iter().filter(|call| {
            call.service == Service::S3
                && call.operation == "PutObject"
                && call.resource.contains("/_log/")
        });
        let tried = tried.count();
        assert!(tried <= 7 * 5 + 1, "{id}: {tried} requests");
    }
}

#[tokio::test]
async fn secrets_manager_may_be_throttled() {
    let on = On::new("GetSecretValue", TENANT_SECRET);
    let retried = Ends::Retried("Cxone.Unavailable");
    let rows = [
        row(
            "B16",
            on,
            refuse(400, "ThrottlingException"),
            2,
            Ends::Unharmed,
        ),
        row(
            "B16",
            on,
            refuse(500, "InternalServiceError"),
            2,
            Ends::Unharmed,
        ),
        row("B16", on, refuse(400, "ThrottlingException"), 4, retried),
        // The stored token only saves a grant.
        row(
            "B16",
            On::new("GetSecretValue", TOKEN_SECRET),
            refuse(400, "ThrottlingException"),
            ALWAYS,
            Ends::Unharmed,
        ),
    ];
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_token_that_can_never_be_stored_fails_nothing() {
    let on = On::new("PutSecretValue", TOKEN_SECRET);
    for action in [
        refuse(400, "LimitExceededException"),
        refuse(400, "AccessDeniedException"),
        refuse(500, "InternalServiceError"),
        Action::Cut,
    ] {
        let pipeline = SmallDayBuilder::new().start().await;
        check_row(&pipeline, &row("B17", on, action, ALWAYS, Ends::Unharmed)).await;
        assert_eq!(pipeline.world.services().secrets.versions(TOKEN_SECRET), 0);
    }
}

#[tokio::test]
async fn the_token_is_written_once_in_a_day() {
    let pipeline = SmallDayBuilder::new().start().await;
    delivered(pipeline.play().await);
    pipeline.commit();
    assert_eq!(pipeline.world.services().secrets.versions(TOKEN_SECRET), 1);
}
