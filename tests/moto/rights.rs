//! The deployed executables, each with what its role in the template allows and nothing else.
//!
//! `tests/moto/rights` starts moto with these rights enforced and says where it is; `cargo test` leaves this out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use asl::{Clock, Description, Status};
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use delivery::ScheduledEvent;
use jiff::Timestamp;
use local::handlers::workspace;
use local::{Handlers, Options, World};
use serde::Deserialize;
use serde_json::Value;

/// What `enforced.py` says of the deployment.
#[derive(Deserialize)]
struct Roles {
    /// The environment of each function, with the credentials of its role.
    functions: BTreeMap<String, BTreeMap<String, String>>,
    /// That of whoever makes the secrets of tenants.
    owner: BTreeMap<String, String>,
}

impl Roles {
    #[expect(
        clippy::disallowed_methods,
        reason = "how tests/moto/rights says where they are"
    )]
    fn read() -> Self {
        let folder = std::env::var("RIGHTS_FOLDER").expect("start this with tests/moto/rights");
        let path = PathBuf::from(folder).join("roles.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// What the template says.
    fn environment(&self, function: &str) -> BTreeMap<String, String> {
        self.functions[function].clone()
    }

    /// Makes the two secrets of a tenant below the template's prefix.
    async fn create_tenant(&self, name: &str, secret: &Value) {
        let variable = |name: &str| self.owner[name].clone();
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            Some(variable("AWS_SESSION_TOKEN")),
            None,
            "test",
        );
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(variable("AWS_REGION")))
            .credentials_provider(credentials)
            .endpoint_url(variable("AWS_ENDPOINT_URL"))
            .build();
        let secrets = aws_sdk_secretsmanager::Client::from_conf(config);
        let prefix = &self.functions["trigger"]["CXONE_SECRET_PREFIX"];
        let tenant = secrets.create_secret().name(format!("{prefix}{name}"));
        let tenant = tenant.secret_string(secret.to_string());
        tenant.send().await.unwrap();
        let token = secrets.create_secret();
        let token = token.name(format!("{prefix}{name}/token"));
        token.send().await.unwrap();
    }
}

/// Everything but moto, and a tenant of this name in moto.
async fn world(
    name: &str,
    rows: u64,
    fault: Option<&str>,
    roles: &Roles,
    role_of: impl Fn(&str) -> String,
) -> World {
    let at: Timestamp = "2026-11-22T05:30:00Z".parse().unwrap();
    let tenant = cxone_sim::Options {
        rows,
        page_size: 30_000,
        faults: fault.map(|it| it.parse().unwrap()).into_iter().collect(),
        ..cxone_sim::Options::default()
    };
    let handlers = Handlers::from_env().await.unwrap();
    let options = Options::new(handlers, Clock::virtual_at(at), tenant);
    let world = World::start(options).await.unwrap();
    let secret = world.tenant_secret_with(&Value::Null);
    roles.create_tenant(name, &secret).await;
    for function in local::handlers::NAMES {
        world.lambda().configure(function, |it| {
            it.environment.extend(roles.environment(&role_of(function)));
        });
    }
    world
}

/// Yesterday's report of a tenant of this name, so that every test has keys of its own.
fn event(tenant: &str) -> ScheduledEvent {
    let path = workspace().join("infra/reports/daily-agent-performance.json");
    let mut definition: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    definition["pipeline"]["tenant"] = tenant.into();
    definition["pipeline"]["compression"] = "none".into();
    definition["pipeline"]["table"] = serde_json::json!({"format": "delta"});
    let at = "2026-11-22T05:30:00Z".parse().unwrap();
    local::scheduled_event(definition, at)
}

async fn play(world: &World, event: &ScheduledEvent) -> Description {
    world.run(event.to_json()).await.unwrap()
}

/// Two pages, of which the first is uploaded in pieces, and the same day asked for again.
#[tokio::test]
async fn what_a_day_needs_is_allowed() {
    let roles = Roles::read();
    let world = world("needed", 40_000, None, &roles, str::to_owned).await;
    let event = event("needed");
    // The second finds that all is published.
    for _ in 0..2 {
        let ended = play(&world, &event).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        assert_eq!(ended.state, "Delivered", "{ended:?}");
    }
}

#[tokio::test]
async fn what_a_day_needs_that_is_cut_off_and_stated_anew_is_allowed() {
    let roles = Roles::read();
    let fault = Some("slow-run:seconds=36000");
    let world = world("cut-off", 10, fault, &roles, str::to_owned).await;
    let event = event("cut-off");
    let again = event
        .clone()
        .with_id("again")
        .with_replay(local::replay("late rows"));
    for event in [event, again] {
        let ended = play(&world, &event).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        assert_eq!(ended.state, "Delivered", "{ended:?}");
    }
    let runs = world.tenant().unwrap().runs();
    assert_eq!(runs[0].state, "cancelled", "{runs:#?}");
}

/// A function with another's role stops at once and names its configuration, instead of trying for hours.
#[tokio::test]
async fn a_function_with_anothers_role_stops_and_says_so() {
    let roles = Roles::read();
    for (function, role, error) in [
        ("trigger", "poll-once", "Cxone.Config"),
        ("poll-once", "finalize", "Cxone.Config"),
        ("fetch-page", "finalize", "Cxone.Config"),
        ("finalize", "fetch-page", "Cxone.Config"),
        ("publish", "finalize", "Cxone.Config"),
    ] {
        let role_of = |name: &str| if name == function { role } else { name }.to_owned();
        // The environment goes with the role, but what it names is the function's own.
        let tenant = format!("{function}-as-{role}");
        let world = world(&tenant, 10, None, &roles, role_of).await;
        world.lambda().configure(function, |it| {
            let mut own = roles.environment(function);
            own.retain(|name, _| !name.starts_with("AWS_"));
            it.environment.extend(own);
        });
        let ended = play(&world, &event(&tenant)).await;
        assert_eq!(ended.status, Status::Failed, "{function}: {ended:?}");
        assert_eq!(ended.error.as_deref(), Some(error), "{function}: {ended:?}");
    }
}
