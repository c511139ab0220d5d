//! One report, from the event to the commit.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use asl::Status;
use definition::{Definition, Window};
use delivery::documents::Commit;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local::handlers::workspace;
use local::world::BUCKET;
use local::{ScheduledEvent, World};

use crate::arguments::Run;
use crate::clock::TimeScale;
use crate::failure::{self, Failure, WindowProblem};
use crate::progress::{self, Follower};
use crate::setting::Usual;
use crate::terminal::Terminal;
use crate::{setting, summary};

/// The usual run takes some seven minutes of the state machine's time.
const USUAL_FACTOR: f64 = 40.0;

/// Delivers the report and shows what landed.
pub(crate) async fn run(asked: &Run, terminal: &Terminal) -> Result<(), Failure> {
    // What is wrong with the arguments is said before anything is built.
    let time = fired_at(asked);
    let event = event(asked, time, terminal)?;
    let api = event.definition["pipeline"]["api"].as_str();
    let usual = Usual {
        faults: setting::usual_faults(api),
        slow: true,
        scale: TimeScale::Factor(USUAL_FACTOR),
        start: time,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    let prepared = setting::Prepared::new(&asked.world, &usual)?;
    let handlers = setting::handlers(terminal).await?;
    let started = Instant::now();
    let world = prepared.start(handlers).await?;
    let logs = asked.world.out.join("handlers.log");
    if let Err(error) = world.lambda().logs().copy_to(&logs) {
        tracing::warn!(%error, "the handlers' log can't be kept");
    }
    deliver(&world, &event, terminal).await?;
    let took = started.elapsed().as_secs_f64();
    terminal.line(&format!(
        "took {took:.1} s; the handlers' log is {}",
        logs.display()
    ));
    Ok(())
}

async fn deliver(
    world: &World,
    event: &ScheduledEvent,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let before = world.log()?;
    let mut follower = Follower::new(world, terminal);
    let arn = world.fire(event.to_json())?;
    let ended = tokio::select! {
        ended = world.finish(&arn) => ended?,
        never = follower.follow() => match never {},
    };
    follower.catch_up();
    if ended.status != Status::Succeeded {
        return Err(Failure::Execution(Box::new(ended)));
    }
    let log = world.log()?;
    let bucket = world.store().bucket_path(BUCKET);
    // Other reports may have landed in this folder too.
    let mut new = log.iter().filter(|commit| !before.contains(commit));
    if let Some(commit) = new.next_back() {
        summary::landed(world, commit, &bucket, terminal)?;
        return Ok(());
    }
    let delivered = progress::delivered(world.engine(), &arn);
    let name = event.definition["name"].as_str().unwrap_or_default();
    let ours =
        |commit: &&Commit| commit.report.as_str() == name && Some(commit.version) == delivered;
    let mut found = log.iter().filter(ours);
    let commit = found
        .next_back()
        .ok_or_else(|| Failure::NoCommit(ended.name))?;
    summary::delivered_already(commit, &bucket, terminal);
    Ok(())
}

/// Today's scheduled time; for a real tenant the last one that has passed.
fn fired_at(asked: &Run) -> Timestamp {
    let now = Timestamp::now();
    let today = setting::scheduled(now);
    if asked.world.tenant.is_some() && today > now {
        return today
            .checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(today);
    }
    today
}

fn event(asked: &Run, time: Timestamp, terminal: &Terminal) -> Result<ScheduledEvent, Failure> {
    let path = asked.definition.clone().unwrap_or_else(|| {
        workspace().join(match asked.api.as_deref() {
            None | Some("analytics") => "infra/reports/daily-agent-performance.json".to_owned(),
            Some(api) => format!("crates/local/definitions/{api}.json"),
        })
    });
    let mut event = ScheduledEvent::new(definition(&path, terminal)?, time);
    event.window = asked.window.as_deref().map(window).transpose()?;
    if let Some(reason) = &asked.replay {
        let id = format!(
            "00000000-0000-4000-b000-{:012x}",
            Timestamp::now().as_millisecond()
        );
        event = event.replay(reason).id(id);
    }
    Ok(event)
}

fn definition(path: &Path, terminal: &Terminal) -> Result<serde_json::Value, Failure> {
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
        terminal.line(&failure::one(warning));
    }
    serde_json::from_str(&text).map_err(|error| Failure::DefinitionFile {
        path,
        source: error.into(),
    })
}

fn window(text: &str) -> Result<Window, Failure> {
    let read = || -> Result<Window, WindowProblem> {
        let (start, end) = text.split_once('/').ok_or(WindowProblem::NoSlash)?;
        Ok(Window::new(moment(start)?, moment(end)?)?)
    };
    read().map_err(|reason| Failure::Window {
        text: text.to_owned(),
        reason,
    })
}

/// A time, or the beginning of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, jiff::Error> {
    if text.len() > "2026-11-20".len() {
        return text.parse();
    }
    let day: Date = text.parse()?;
    Ok(day.to_zoned(TimeZone::UTC)?.timestamp())
}
