//! What a person has to put right.

use serde_json::{Value, json};

use pipeline_tests::harness::{PipelineBuilder, delivered, message};

/// The execution fails in Trigger for its configuration, and its cause says all of this.
async fn check(setup: PipelineBuilder, said: &[&str]) {
    let pipeline = setup.start().await;
    let ended = pipeline.fail("Cxone.Config").await;
    assert_eq!(ended.state, "Trigger");
    let message = message(&ended);
    for said in said {
        assert!(message.contains(said), "{said} is not in: {message}");
    }
    assert_eq!(pipeline.tenant().journal(), [], "the tenant was asked");
    assert_eq!(pipeline.listing(), [], "something was stored");
}

#[tokio::test]
async fn all_findings_of_a_definition_are_named() {
    let setup = PipelineBuilder::daily()
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
    check(
        PipelineBuilder::daily().define("/pipeline", Value::Null),
        &["CXD010"],
    )
    .await;
}

#[tokio::test]
async fn a_definition_that_the_tenant_refuses_is_shown_with_its_words() {
    let pipeline = PipelineBuilder::daily()
        .fault("definition-refused")
        .start()
        .await;
    let ended = pipeline.fail("Cxone.Config").await;
    let cause = ended.cause.clone().unwrap();
    assert!(cause.contains("is not valid for report type"), "{cause}");
    assert_eq!(pipeline.started(), 0);
    pipeline.set_faults(&[]);
    delivered(pipeline.redrive(&ended).await);
    pipeline.commit();
}

#[tokio::test]
async fn a_bucket_that_is_not_there_or_another_accounts_is_named() {
    for (variable, wrong, right) in [
        ("LANDING_BUCKET", "elsewhere", local::world::BUCKET),
        (
            "LANDING_BUCKET_OWNER",
            "111122223333",
            local_aws::BUCKET_OWNER,
        ),
        ("LANDING_BUCKET_OWNER", "acme", local_aws::BUCKET_OWNER),
    ] {
        let pipeline = PipelineBuilder::daily().start().await;
        let configure = |value: &str| {
            pipeline.world.lambda().configure("trigger", |function| {
                let environment = &mut function.environment;
                environment.insert(variable.to_owned(), value.to_owned());
            });
        };
        configure(wrong);
        let ended = pipeline.fail("Cxone.Config").await;
        let cause = ended.cause.clone().unwrap();
        assert!(cause.contains(wrong), "{cause}");
        assert_eq!(cause.contains(variable), wrong != "elsewhere", "{cause}");
        configure(right);
        delivered(pipeline.redrive(&ended).await);
        pipeline.commit();
    }
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named() {
    for (function, variable) in [
        ("trigger", "LANDING_BUCKET"),
        ("trigger", "CXONE_SECRET_PREFIX"),
        ("poll-once", "CXONE_SECRET_PREFIX"),
        ("fetch-page", "CXONE_SECRET_PREFIX"),
        ("finalize", "LANDING_PREFIX"),
    ] {
        let pipeline = PipelineBuilder::daily().start().await;
        pipeline.world.lambda().configure(function, |function| {
            function.environment.remove(variable).expect("it was set");
        });
        if variable == "LANDING_PREFIX" {
            continue;
        }
        let ended = pipeline.fail("Cxone.Config").await;
        let cause = ended.cause.unwrap();
        assert!(cause.contains(variable), "{cause}");
    }
}

#[tokio::test]
async fn an_event_without_a_definition_is_refused() {
    let pipeline = PipelineBuilder::daily().start().await;
    let mut event = pipeline.event().to_json();
    event["detail"] = json!({});
    let ended = pipeline.play(event).await;
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
    let pipeline = PipelineBuilder::daily()
        .fault("duplicate-schedules:count=2")
        .start()
        .await;
    let ended = pipeline.fail("Cxone.Contract").await;
    assert_eq!(pipeline.started(), 0);
    assert!(ended.cause.unwrap().contains("sch-"));
}

#[tokio::test]
async fn schedules_of_similar_names_are_told_apart() {
    let setup = PipelineBuilder::daily()
        .fault("similar-schedules:count=5")
        .fault("schedules-paged:size=2");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.commit();
    assert_eq!(pipeline.tenant().schedule_count(), 6);
}
