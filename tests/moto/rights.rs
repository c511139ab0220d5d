//! The deployed executables, each with what its role in the SAM template allows and nothing else.
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

    /// What the template says, but for where the tenant is: that is a simulated one.
    fn environment(&self, function: &str) -> impl Iterator<Item = (String, String)> {
        let ours = |name: &str| {
            name.starts_with("AWS_") || name.starts_with("LANDING_") || name.ends_with("_SECRET_ID")
        };
        let all = self.functions[function].clone().into_iter();
        all.filter(move |(name, _)| ours(name))
    }
}

async fn world(
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
    for function in local::handlers::NAMES {
        world.lambda().configure(function, |it| {
            it.environment.extend(roles.environment(&role_of(function)));
        });
    }
    world
}

/// Yesterday's report under another name, so that every test has keys of its own.
fn event(name: &str) -> ScheduledEvent {
    let path = workspace().join("infra/reports/daily-agent-performance.json");
    let mut definition: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    definition["name"] = name.into();
    definition["pipeline"]["compression"] = "none".into();
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
    let world = world(40_000, None, &roles, str::to_owned).await;
    let event = event("needed");
    for state in ["Delivered", "Nothing to do"] {
        let ended = play(&world, &event).await;
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        assert_eq!(ended.state, state, "{ended:?}");
    }
}

#[tokio::test]
async fn what_a_day_needs_that_is_cut_off_and_stated_anew_is_allowed() {
    let roles = Roles::read();
    let fault = Some("slow-run:seconds=36000");
    let world = world(10, fault, &roles, str::to_owned).await;
    let event = event("cut off");
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
    ] {
        let role_of = |name: &str| if name == function { role } else { name }.to_owned();
        // The environment goes with the role, but the secrets' names are the function's own.
        let world = world(10, None, &roles, role_of).await;
        world.lambda().configure(function, |it| {
            let own = roles.environment(function);
            it.environment
                .extend(own.filter(|(name, _)| !name.starts_with("AWS_")));
        });
        let ended = play(&world, &event(&format!("{function} as {role}"))).await;
        assert_eq!(ended.status, Status::Failed, "{function}: {ended:?}");
        assert_eq!(ended.error.as_deref(), Some(error), "{function}: {ended:?}");
    }
}
