//! What a person has to put right.

use serde_json::{Value, json};

use crate::stage::{Setup, delivered};

/// The execution fails in Trigger for its configuration, and its cause says all of this.
async fn check(setup: Setup, said: &[&str]) {
    let stage = setup.start().await;
    let ended = stage.fail("Cxone.Config").await;
    assert_eq!(ended.state, "Trigger");
    let cause: Value = serde_json::from_str(&ended.cause.unwrap()).unwrap();
    let message = cause["errorMessage"].as_str().unwrap();
    for said in said {
        assert!(message.contains(said), "{said} is not in: {message}");
    }
    assert_eq!(stage.tenant().journal(), [], "the tenant was asked");
    assert_eq!(stage.listing(), [], "something was stored");
}

#[tokio::test]
async fn all_findings_of_a_definition_are_named() {
    let setup = Setup::new()
        .define(
            "/report/metrics",
            json!(["handleTime", "handelTime", "handleTime"]),
        )
        .define("/report/grouping", json!(["skillId"]))
        .define("/schedule/timezone", json!("Europe/Berlin"))
        .define("/pipeline/maxRuns", json!(0))
        .define("/pipeline/retries", json!(3));
    let findings = ["CXD030", "CXD033", "CXD032", "CXD020", "CXD014", "CXD003"];
    check(setup, &findings).await;
    check(Setup::new().define("/pipeline", Value::Null), &["CXD010"]).await;
}

#[tokio::test]
async fn a_definition_that_the_tenant_refuses_is_shown_with_its_words() {
    let stage = Setup::new().fault("definition-refused").start().await;
    let ended = stage.fail("Cxone.Config").await;
    let cause = ended.cause.clone().unwrap();
    assert!(cause.contains("is not valid for report type"), "{cause}");
    assert_eq!(stage.started(), 0);
    stage.set_faults(&[]);
    delivered(stage.redrive(&ended).await);
    stage.commit();
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let stage = Setup::new().start().await;
    let configure = |bucket: &str| {
        stage.world.lambda().configure("trigger", |function| {
            function
                .environment
                .insert("LANDING_BUCKET".to_owned(), bucket.to_owned());
        });
    };
    configure("elsewhere");
    let ended = stage.fail("Cxone.Config").await;
    let cause = ended.cause.clone().unwrap();
    assert!(cause.contains("elsewhere"), "{cause}");
    configure(local::world::BUCKET);
    delivered(stage.redrive(&ended).await);
    stage.commit();
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named() {
    for (function, variable) in [
        ("trigger", "LANDING_BUCKET"),
        ("trigger", "CXONE_CLIENT_SECRET_ID"),
        ("poll-once", "CXONE_BASE_URL"),
        ("fetch-page", "CXONE_TOKEN_SECRET_ID"),
        ("finalize", "LANDING_PREFIX"),
    ] {
        let stage = Setup::new().start().await;
        stage.world.lambda().configure(function, |function| {
            function.environment.remove(variable).expect("it was set");
        });
        if variable == "LANDING_PREFIX" {
            continue;
        }
        let ended = stage.fail("Cxone.Config").await;
        let cause = ended.cause.unwrap();
        assert!(cause.contains(variable), "{cause}");
    }
}

#[tokio::test]
async fn an_event_without_a_definition_is_refused() {
    let stage = Setup::new().start().await;
    let mut event = stage.event().to_json();
    event["detail"] = json!({});
    let ended = stage.play(event).await;
    assert_eq!(ended.status, asl::Status::Failed);
    assert_eq!(
        ended.error.as_deref(),
        Some("Cxone.Config"),
        "{:?}",
        ended.cause
    );
}

#[tokio::test]
async fn two_schedules_of_the_same_name_are_not_guessed_at() {
    let stage = Setup::new()
        .fault("duplicate-schedules:count=2")
        .start()
        .await;
    let ended = stage.fail("Cxone.Contract").await;
    assert_eq!(stage.started(), 0);
    assert!(ended.cause.unwrap().contains("sch-"));
}

#[tokio::test]
async fn schedules_of_similar_names_are_told_apart() {
    let setup = Setup::new()
        .fault("similar-schedules:count=5")
        .fault("schedules-paged:size=2");
    let stage = setup.start().await;
    stage.deliver().await;
    stage.commit();
    assert_eq!(stage.tenant().schedule_count(), 6);
}
