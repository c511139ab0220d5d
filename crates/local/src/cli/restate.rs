//! `--restate`: a day that changes after it was delivered.

use std::path::Path;

use asl::Status;
use definition::text::count_rows;
use delivery::documents::Commit;
use jiff::{SignedDuration, Timestamp};
use local::{World, scheduled_event};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::summary;
use crate::terminal::Terminal;

/// Until half a day after the end of a window, rows are missing and values are not final.
pub(crate) const FAULTS: &[&str] = &["late-rows"];

/// The report has a name of its own, so that what earlier runs delivered does not count.
const NAME: &str = "Late Rows";

/// How many days later the window is stated anew.
const DISTANCES: [(i64, &str); 2] = [(1, "P1D"), (7, "P7D")];

/// The definition of a report whose windows are stated anew.
pub(crate) fn add_distances(mut definition: Value) -> Value {
    definition["name"] = json!(NAME);
    definition["pipeline"]["restate"] = json!(DISTANCES.map(|(_, distance)| distance));
    definition
}

/// Refuses a report whose window can't be asked for a second time.
pub(crate) fn refuse_template(definition: &Value, path: &Path) -> Result<(), Failure> {
    if definition["report"]["range"] == "template" {
        return Err(Failure::RestateOfTemplate(path.to_owned()));
    }
    Ok(())
}

/// Fires the schedule at its time and then those that state its window anew, and says what each commits.
pub(crate) async fn show_restatements(
    world: &World,
    definition: &Value,
    time: Timestamp,
    terminal: &Terminal,
) -> Result<(), Failure> {
    terminal.line("");
    show_execution(world, definition, time, None, terminal).await?;
    for (days, distance) in DISTANCES {
        let later = time + SignedDuration::from_hours(24 * days);
        // The clock is virtual, so that it jumps.
        drop(world.clock().sleep_until(later).await);
        show_execution(world, definition, later, Some(distance), terminal).await?;
    }
    if let Some(last) = commits(world)?.pop() {
        let path = summary::commit_path(world, &last);
        terminal.line(&format!("\nlast commit  {path}"));
    }
    Ok(())
}

async fn show_execution(
    world: &World,
    definition: &Value,
    time: Timestamp,
    distance: Option<&str>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let event = scheduled_event(definition.clone(), time);
    let (event, what) = match distance {
        None => (event, "the schedule's own run".to_owned()),
        Some(distance) => (
            event.with_restatement(distance),
            format!("stated anew after {distance}"),
        ),
    };
    let known = commits(world)?.len();
    let ended = world.run(event.to_json()).await?;
    if ended.status != Status::Succeeded {
        return Err(Failure::Execution(Box::new(ended), None));
    }
    let commits = commits(world)?;
    let commit = commits.get(known);
    let told = commit.map_or_else(
        || "nothing to do: this was delivered already; for an empty folder: --out DIR".to_owned(),
        describe_commit,
    );
    terminal.line(&format!("{time}  {what:<22}  {told}"));
    if let Some(commit) = commit {
        summary::print_warnings(commit, terminal);
    }
    Ok(())
}

fn describe_commit(commit: &Commit) -> String {
    let version = commit.version;
    let rows = count_rows(commit.unique);
    match commit.supersedes {
        Some(before) if commit.unchanged => {
            format!("version {version}: {rows}, unchanged since version {before}")
        }
        Some(before) => format!("version {version}: {rows}, which replace version {before}"),
        None => format!("version {version}: {rows}"),
    }
}

/// The commits of this report, in the order of its log.
fn commits(world: &World) -> Result<Vec<Commit>, Failure> {
    let mut commits = world.log()?;
    commits.retain(|commit| commit.report.as_str() == NAME);
    Ok(commits)
}
