//! Several tenants in one deployment, and what their secrets may hold.

use cxone_sim::{Kind, Tenant};
use delivery::documents::Commit;
use local::handlers::NAMES;
use local::world::{BUCKET, PREFIX, TENANT, TOKEN_SECRET};
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered};

const GLOBEX_SECRET: &str = "CANARY~globex+secret==";
const GLOBEX_TOKEN: &str = "cxone/globex/token";

/// Acme and globex behind one deployment, whose every function is one process.
struct TwoTenants {
    pipeline: Pipeline,
    globex: Tenant,
}

impl TwoTenants {
    async fn start() -> Self {
        let pipeline = PipelineBuilder::daily().rows(250, 50).start().await;
        pipeline.one_page_a_batch();
        for function in NAMES {
            let lambda = pipeline.world.lambda();
            lambda.configure(function, |function| function.max_instances = 1);
        }
        let options = cxone_sim::Options {
            seed: 99,
            rows: 200,
            page_size: 50,
            client_id: "globex@vendor".to_owned(),
            client_secret: GLOBEX_SECRET.to_owned(),
            now: pipeline.world.clock().now_fn(),
            ..cxone_sim::Options::default()
        };
        let globex = Tenant::start(options).await.unwrap();
        let secret = json!({
            "base_url": globex.base_url(), "token_url": globex.token_url(),
            "client_id": "globex@vendor", "client_secret": GLOBEX_SECRET, "client_auth": "post",
        });
        pipeline.world.put_tenant("globex", &secret);
        Self { pipeline, globex }
    }

    fn event(&self, tenant: &str) -> Value {
        let mut event = self.pipeline.event().to_json();
        event["detail"]["definition"]["pipeline"]["tenant"] = tenant.into();
        event
    }

    /// The only commit of a tenant, which holds the rows of this simulated one.
    fn check_commit(&self, tenant: &str, simulated: &Tenant) {
        let log = self.pipeline.world.log().unwrap();
        let mut log = log.iter().filter(|commit| commit.tenant.as_str() == tenant);
        let commit: &Commit = log.next().unwrap();
        assert_eq!(log.next(), None);
        let runs = commit.runs.iter();
        let truth = runs.flat_map(|run| simulated.truth(run.run_id.as_str()).unwrap());
        self.pipeline.check_lines(commit, truth);
        let folder = format!("{PREFIX}/{tenant}/");
        assert!(
            commit
                .parts
                .iter()
                .all(|part| part.key.starts_with(&folder))
        );
    }

    fn stored_token(&self, secret: &str) -> String {
        let stored = self.pipeline.world.services().secrets.current(secret);
        let stored: Value = serde_json::from_str(&stored.unwrap()).unwrap();
        stored["access_token"].as_str().unwrap().to_owned()
    }

    /// Neither tenant saw a token or a client that is not its own, and each signed in once for all processes.
    fn check_apart(&self) {
        let acme = self.pipeline.tenant();
        for tenant in [acme, &self.globex] {
            let journal = tenant.journal();
            assert!(
                journal.iter().all(|entry| entry.status < 400),
                "{journal:#?}"
            );
            let grants = journal.iter().filter(|entry| entry.kind == Kind::Token);
            assert_eq!(grants.count(), 1);
        }
        self.check_commit(TENANT, acme);
        self.check_commit("globex", &self.globex);
        let folders = ["acme", "globex"].map(|tenant| format!("{PREFIX}/{tenant}/"));
        for key in self.pipeline.world.store().keys(BUCKET, "") {
            // Whoever asks for a tenant that has no secret leaves the claim of that question, and nothing else.
            assert!(
                folders.iter().any(|folder| key.starts_with(folder)) || key.ends_with("/open.json"),
                "{key}"
            );
        }
        let (ours, theirs) = (
            self.stored_token(TOKEN_SECRET),
            self.stored_token(GLOBEX_TOKEN),
        );
        assert_ne!(ours, theirs);
        Canaries::of(&self.pipeline)
            .and(GLOBEX_SECRET)
            .and(&theirs)
            .check(&self.pipeline);
    }
}

#[tokio::test]
async fn two_tenants_at_once_see_nothing_of_each_other() {
    let both = TwoTenants::start().await;
    let world = &both.pipeline.world;
    let arns = {
        let _still = world.clock().busy();
        [TENANT, "globex"].map(|tenant| world.fire(both.event(tenant)).unwrap())
    };
    for arn in arns {
        delivered(both.pipeline.finish(&arn).await);
    }
    both.check_apart();
    for function in ["trigger", "poll-once", "fetch-page"] {
        assert_eq!(
            world.lambda().started(function),
            1,
            "one process serves both"
        );
    }
}

#[tokio::test]
async fn a_tenant_without_a_secret_is_named_and_nobody_else_is_asked() {
    let both = TwoTenants::start().await;
    for tenant in [TENANT, "globex"] {
        delivered(both.pipeline.play(both.event(tenant)).await);
    }
    let asked = both.pipeline.tenant().journal().len() + both.globex.journal().len();
    // Its name begins like another one's, and ends like that of a token.
    for tenant in ["acm", "acme-token", "token", "nobody"] {
        let ended = both.pipeline.play(both.event(tenant)).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
        let cause = ended.cause.unwrap();
        assert!(
            cause.contains(&format!("secret cxone/{tenant}: it does not exist")),
            "{cause}"
        );
    }
    let more = both.pipeline.tenant().journal().len() + both.globex.journal().len();
    assert_eq!(asked, more);
    both.check_apart();
}

/// D10, and whatever else a person has to correct: by its field, and a redrive goes on in the processes that read it wrong.
#[tokio::test]
async fn a_secret_that_is_wrong_is_named_and_a_redrive_goes_on_when_it_is_corrected() {
    let pipeline = PipelineBuilder::daily().start().await;
    let right = pipeline.world.tenant_secret_with(&Value::Null);
    let mut failed = None;
    for (changes, said) in [
        (
            json!({"client_secret": "CANARY~secret\n"}),
            "its field client_secret has white space",
        ),
        (
            json!({"client_id": " CANARY~id"}),
            "its field client_id has white space",
        ),
        (
            json!({"base_url": "http://CANARY~host.example"}),
            "its field base_url is not https",
        ),
        (
            json!({"clientsecret": "CANARY~secret"}),
            "its field clientsecret is not known",
        ),
        (
            json!({"client_secret": null}),
            "its field client_secret is missing",
        ),
    ] {
        let wrong = pipeline.world.tenant_secret_with(&changes);
        pipeline.world.put_tenant(TENANT, &wrong);
        let ended = match &failed {
            None => pipeline.fail("Cxone.Config").await,
            Some(ended) => pipeline.redrive(ended).await,
        };
        let cause = ended.cause.clone().unwrap();
        assert!(
            cause.contains(&format!("secret cxone/acme: {said}")),
            "{cause}"
        );
        failed = Some(ended);
        pipeline.world.put_tenant(TENANT, &right);
    }
    let canaries = ["CANARY~secret", "CANARY~id", "CANARY~host"];
    let canaries = canaries
        .into_iter()
        .fold(Canaries::of(&pipeline), Canaries::and);
    delivered(pipeline.redrive(&failed.unwrap()).await);
    pipeline.commit();
    canaries.check(&pipeline);
    assert_eq!(pipeline.world.lambda().started("trigger"), 1, "it was warm");
}
