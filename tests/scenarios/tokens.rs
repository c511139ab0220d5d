//! Access tokens that end, and credentials that are refused.

use std::time::Duration;

use cxone_sim::Kind;
use local::world::{TENANT, TOKEN_SECRET};
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder};

/// Changes fields of the tenant's secret.
fn change_secret(pipeline: &Pipeline, changes: &Value) {
    let secret = pipeline.world.tenant_secret_with(changes);
    pipeline.world.put_tenant(TENANT, &secret);
}

/// The tenant's access key.
fn access_key() -> Value {
    json!({"access_key_id": "SIMKEY/1==", "access_key_secret": "sim+key/secret=="})
}

/// How many requests were refused for their token.
fn refused(pipeline: &Pipeline) -> usize {
    let journal = pipeline.tenant().journal();
    let refused = journal.iter().filter(|entry| entry.status == 401);
    refused.count()
}

#[tokio::test]
async fn a_token_that_ends_among_the_pages_is_replaced() {
    let setup = PipelineBuilder::daily()
        .rows(1_000, 50)
        .fault("token-expires:on=page,after=7,times=forever");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.commit();
    assert_eq!(refused(&pipeline), 2);
    assert_eq!(pipeline.requests(Kind::Token).len(), 3);
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn a_token_that_ends_by_the_tenants_clock_is_replaced() {
    let setup = PipelineBuilder::daily()
        .tenant(|tenant| tenant.token_lifetime = Duration::from_mins(10))
        .fault("slow-run:seconds=2400");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    pipeline.commit();
    // One in ten minutes for who polls, and one for each of the two others.
    let tokens = pipeline.requests(Kind::Token).len();
    assert!(tokens <= 1 + 4 + 2, "{tokens} tokens in 40 minutes");
}

#[tokio::test]
async fn a_day_is_fetched_for_the_user_of_an_access_key() {
    let setup = PipelineBuilder::daily()
        .rows(1_000, 50)
        .fault("token-expires:on=page,after=7,times=forever");
    let pipeline = setup.start().await;
    let secrets = &pipeline.world.services().secrets;
    change_secret(&pipeline, &access_key());
    pipeline.deliver().await;
    pipeline.commit();
    assert_eq!(refused(&pipeline), 2);
    // One grant and two renewals: nobody needs a grant while there is a refresh token that was not used.
    assert_eq!(pipeline.requests(Kind::Token).len(), 3);
    let stored = secrets.current(TOKEN_SECRET).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(stored["v"], 2);
    let refresh = stored["refresh_token"].as_str().unwrap();
    Canaries::of(&pipeline)
        .and("sim+key/secret==")
        .and("SIMKEY/1==")
        .and(refresh)
        .check(&pipeline);
}

#[tokio::test]
async fn refresh_tokens_that_are_refused_cost_a_grant_each() {
    let setup = PipelineBuilder::daily()
        .rows(1_000, 50)
        .fault("token-expires:on=page,after=7,times=forever")
        .fault("refresh-refused");
    let pipeline = setup.start().await;
    change_secret(&pipeline, &access_key());
    pipeline.deliver().await;
    pipeline.commit();
    // Three grants, and a refresh token that was tried in vain before each of the last two.
    assert_eq!(pipeline.requests(Kind::Token).len(), 5);
    Canaries::of(&pipeline)
        .and("sim+key/secret==")
        .check(&pipeline);
}

#[tokio::test]
async fn a_wrong_client_secret_stops_at_once() {
    let pipeline = PipelineBuilder::daily().start().await;
    let wrong = json!({"client_secret": "CANARY~wrong/secret"});
    change_secret(&pipeline, &wrong);
    let ended = pipeline.fail("Cxone.Auth").await;
    assert_eq!(ended.state, "Trigger");
    let tried = pipeline.requests(Kind::Token).len();
    assert!(tried <= 2, "the wrong secret was tried {tried} times");
    Canaries::of(&pipeline)
        .and("CANARY~wrong/secret")
        .check(&pipeline);

    // The operator puts it right and redrives.
    change_secret(&pipeline, &json!({"client_secret": "sim-secret"}));
    pipeline.world.lambda().cool_down();
    pipeline_tests::harness::delivered(pipeline.redrive(&ended).await);
    pipeline.commit();
}

#[tokio::test]
async fn a_token_that_is_never_accepted_stops_at_once() {
    let pipeline = PipelineBuilder::daily()
        .fault("unauthorized:on=page")
        .start()
        .await;
    let ended = pipeline.fail("Cxone.Auth").await;
    assert_eq!(ended.state, "FetchPage");
    // A fresh token is tried once, and once more when it is some seconds old (D08); what was taken before is stored, and
    // the page tried again on its own.
    assert!(
        refused(&pipeline) <= 2 * 3,
        "{} refusals",
        refused(&pipeline)
    );
    pipeline.set_faults(&[]);
    pipeline_tests::harness::delivered(pipeline.redrive(&ended).await);
    pipeline.commit();
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let setup = PipelineBuilder::daily().tenant(|tenant| {
        tenant.scopes = vec!["analytics:reports:read".to_owned()];
    });
    let pipeline = setup.start().await;
    let ended = pipeline.fail("Cxone.Auth").await;
    let cause = ended.cause.unwrap();
    assert!(cause.contains("create schedule"), "{cause}");
    assert!(cause.contains("analytics:reports:write"), "{cause}");
}

/// The first token that the tenant grants; it depends on its seed alone.
async fn first_token() -> String {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let stored = pipeline.world.services().secrets.current(TOKEN_SECRET);
    let stored: serde_json::Value = serde_json::from_str(&stored.unwrap()).unwrap();
    let texts = stored.as_object().unwrap().values();
    let token = texts
        .filter_map(|value| value.as_str())
        .find(|text| text.starts_with("sim-1-"));
    token.expect("the token is stored").to_owned()
}

#[tokio::test]
async fn a_token_that_the_tenant_repeats_in_its_own_words_is_not_shown() {
    let token = first_token().await;
    let fault = format!("definition-refused:text=not for Bearer {token}");
    let pipeline = PipelineBuilder::daily().fault(&fault).start().await;
    let ended = pipeline.fail("Cxone.Config").await;
    assert!(ended.cause.unwrap().contains("not for Bearer"));
    Canaries::of(&pipeline).and(&token).check(&pipeline);

    let fault = format!("run-fails:message=not for Bearer {token}");
    let pipeline = PipelineBuilder::daily().fault(&fault).start().await;
    pipeline.deliver().await;
    let alert = &pipeline.world.alerts()[0].message;
    assert!(alert.contains("not for Bearer"), "{alert}");
    Canaries::of(&pipeline).and(&token).check(&pipeline);
}
