//! One report, from the event to the commit.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use asl::Status;
use definition::{Api, Definition, Window, WindowZone};
use delivery::ScheduledEvent;
use delivery::documents::Commit;
use jiff::{SignedDuration, Timestamp};
use local::handlers::workspace;
use local::{World, replay, scheduled_event};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::Run;
use crate::clock::TimeScale;
use crate::failure::{self, Failure, TenantFile};
use crate::progress::{self, Executions, Follower};
use crate::scenario::{Defaults, WorldBuilder};
use crate::terminal::Terminal;
use crate::{restate, scenario, summary};

/// A run takes some seven minutes of the state machine's time.
const DEFAULT_FACTOR: f64 = 40.0;

/// Delivers the report and shows what landed.
pub(crate) async fn run_report(arguments: &Run, terminal: &Terminal) -> Result<(), Failure> {
    // The arguments are checked before anything is built.
    let time = choose_time(arguments);
    let event = make_event(arguments, time, terminal)?;
    let defaults = choose_defaults(arguments, &event.detail().definition, time);
    let builder = WorldBuilder::new(&arguments.world, &defaults)?;
    let handlers = scenario::build_handlers(terminal).await?;
    terminal.line(&builder.describe_clock());
    let started = Instant::now();
    let world = builder.start(handlers).await?;
    let logs = arguments.world.out.join("handlers.log");
    if let Err(error) = world.lambda().logs().copy_to(&logs) {
        tracing::warn!(%error, "the handlers' log can't be written to a file");
    }
    let definition = &event.detail().definition;
    if arguments.restate {
        restate::show_restatements(&world, definition, time, terminal).await?;
    } else {
        let tenant = arguments.world.tenant.as_deref();
        let tenant = tenant.map(|path| TenantFile::new(path, &defaults.tenant_name));
        deliver(&world, &event, tenant, terminal).await?;
    }
    summary::print_table(&world, definition, terminal);
    let took = started.elapsed().as_secs_f64();
    terminal.line(&format!(
        "took {took:.1} s of real time; the handlers' log is {}",
        logs.display()
    ));
    Ok(())
}

fn choose_defaults(arguments: &Run, definition: &Value, time: Timestamp) -> Defaults {
    let (faults, scale) = if arguments.restate {
        (restate::FAULTS, TimeScale::Virtual)
    } else {
        let faults = scenario::default_faults(api_of(definition));
        (faults, TimeScale::Factor(DEFAULT_FACTOR))
    };
    Defaults {
        faults,
        slow: true,
        scale,
        start: time,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tenant_name: tenant_of(definition),
        instances: None,
    }
}

async fn deliver(
    world: &World,
    event: &ScheduledEvent,
    tenant: Option<TenantFile>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let before = world.log()?;
    let mut follower = Follower::new(world, terminal, Executions::One);
    let arn = world.fire(event.to_json())?;
    let ended = tokio::select! {
        ended = world.finish(&arn) => ended?,
        never = follower.follow() => match never {},
    };
    follower.catch_up();
    if ended.status != Status::Succeeded {
        return Err(Failure::Execution(Box::new(ended), tenant));
    }
    let log = world.log()?;
    // Other reports may have landed in this folder too.
    let mut new = log.iter().filter(|commit| !before.contains(commit));
    if let Some(commit) = new.next_back() {
        summary::print_commit(world, commit, terminal)?;
        return Ok(());
    }
    let delivered = progress::find_delivered_version(world.engine(), &arn);
    let name = event.detail().definition["name"]
        .as_str()
        .unwrap_or_default();
    let ours =
        |commit: &&Commit| commit.report.as_str() == name && Some(commit.version) == delivered;
    let mut found = log.iter().filter(ours);
    let output = ended.output.unwrap_or_default();
    let commit = found
        .next_back()
        .ok_or_else(|| Failure::NoCommit(ended.name))?;
    summary::print_delivered_already(world, commit, output["note"].as_str(), terminal);
    Ok(())
}

/// Today's scheduled time; with a real tenant the last scheduled time that has passed.
fn choose_time(arguments: &Run) -> Timestamp {
    let now = Timestamp::now();
    let today = scenario::scheduled_time(now);
    if arguments.world.tenant.is_some() && today > now {
        return today
            .checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(today);
    }
    today
}

fn make_event(
    arguments: &Run,
    time: Timestamp,
    terminal: &Terminal,
) -> Result<ScheduledEvent, Failure> {
    let path = arguments.definition.clone().unwrap_or_else(|| {
        workspace().join(match arguments.api {
            None | Some(Api::Analytics) => "infra/reports/daily-agent-performance.json".to_owned(),
            Some(api) => format!("crates/local/definitions/{api}.json"),
        })
    });
    let mut definition = read_definition(&path, terminal)?;
    if arguments.restate {
        restate::refuse_template(&definition, &path)?;
        definition = restate::add_distances(definition);
        let checked = Definition::from_value(&definition);
        checked.map_err(|findings| Failure::Definition { path, findings })?;
    }
    if let Some(format) = arguments.table {
        definition["pipeline"]["table"] = json!({"format": format});
    }
    let mut event = scheduled_event(definition, time);
    if let Some(text) = &arguments.window {
        let zone = zone_of(&event.detail().definition);
        event = event.with_window(parse_window(text, &zone)?);
    }
    if let Some(reason) = &arguments.replay {
        let now = Timestamp::now().as_millisecond();
        event = event
            .with_id(format!("00000000-0000-4000-b000-{now:012x}"))
            .with_replay(replay(reason));
    }
    Ok(event)
}

/// The API that a definition names; without one it is the guide's.
pub(crate) fn api_of(definition: &Value) -> Api {
    let api = &definition["pipeline"]["api"];
    Api::deserialize(api).unwrap_or(Api::Analytics)
}

/// The tenant that a definition names, which was checked.
fn tenant_of(definition: &Value) -> String {
    let tenant = &definition["pipeline"]["tenant"];
    tenant.as_str().unwrap_or_default().to_owned()
}

fn read_definition(path: &Path, terminal: &Terminal) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::DefinitionFile {
        path: path.to_owned(),
        source,
    })?;
    let path: PathBuf = path.to_owned();
    let checked = match Definition::parse(&text) {
        Ok(checked) => checked,
        Err(findings) => return Err(Failure::Definition { path, findings }),
    };
    for warning in &checked.warnings {
        terminal.line(&failure::describe_finding(warning));
    }
    serde_json::from_str(&text).map_err(|error| Failure::DefinitionFile {
        path,
        source: error.into(),
    })
}

/// The zone of a report's days. The definition was checked.
fn zone_of(definition: &Value) -> WindowZone {
    let zone = definition["pipeline"]["windowZone"].as_str();
    zone.and_then(|zone| zone.parse().ok())
        .unwrap_or_else(WindowZone::utc)
}

fn parse_window(text: &str, zone: &WindowZone) -> Result<Window, Failure> {
    zone.read_window(text).map_err(|reason| Failure::Window {
        text: text.to_owned(),
        reason,
    })
}
