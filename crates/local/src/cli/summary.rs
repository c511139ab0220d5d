//! What landed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use definition::SourceRange;
use delivery::documents::Commit;
use local::World;
use local::handlers::NAMES;
use local::world::LandedError;

use crate::progress::grouped;
use crate::terminal::Terminal;

/// The first rows that are shown.
const SHOWN: usize = 3;

/// Shows a commit, its files and its first rows.
pub(crate) fn landed(
    world: &World,
    commit: &Commit,
    bucket: &Path,
    terminal: &Terminal,
) -> Result<(), LandedError> {
    terminal.line("");
    for line in table(commit) {
        terminal.line(&line);
    }
    terminal.line("");
    terminal.line(&format!("{:<10} {}", "source", source(commit)));
    terminal.line(&format!("{:<10} {}", "commit", path(commit, bucket)));
    for part in &commit.parts {
        let path = bucket.join(&part.key);
        terminal.line(&format!("{:<10} {}", "part", path.display()));
    }
    for row in world.rows(commit)?.iter().take(SHOWN) {
        terminal.line(&format!("{:<10} {row}", "row"));
    }
    for line in met(world) {
        terminal.line(&line);
    }
    Ok(())
}

/// Where the rows are from, and what was left out or behind.
fn source(commit: &Commit) -> String {
    let source = &commit.source;
    let mut text = format!(
        "{}, times are {}, the range is the one {}",
        source.api,
        source.time_zone,
        match source.range {
            SourceRange::Requested => "that was asked for",
            SourceRange::Template => "of the report's template",
        }
    );
    if commit.summary_rows > 0 {
        let _ = write!(text, "; {} summary rows left out", commit.summary_rows);
    }
    if !commit.abandoned.is_empty() {
        let _ = write!(text, "; {} runs abandoned", commit.abandoned.len());
    }
    text
}

/// Says that there was nothing to do.
pub(crate) fn delivered_already(commit: &Commit, bucket: &Path, terminal: &Terminal) {
    terminal.line(&format!(
        "delivered already: version {}, {} rows, committed at {}; nothing was changed",
        commit.version,
        grouped(commit.unique),
        commit.committed_at
    ));
    terminal.line(&format!("{:<10} {}", "commit", path(commit, bucket)));
    terminal.line("to state the window anew: --replay REASON; for an empty folder: --out DIR");
}

fn path(commit: &Commit, bucket: &Path) -> String {
    // The log lies beside the data: {root}/data/{window}/… and {root}/_log/….
    let name = format!("_log/{:020}.json", commit.version);
    let part = commit.parts.first().map(|part| part.key.as_str());
    let root = part
        .and_then(|key| key.split_once("/data/"))
        .map(|(root, _)| root);
    root.map_or_else(
        || name.clone(),
        |root| bucket.join(root).join(&name).display().to_string(),
    )
}

/// Two lines: names and values, one under the other.
fn table(commit: &Commit) -> [String; 2] {
    let bytes = commit.parts.iter().map(|part| part.bytes).sum();
    let verification = serde_json::to_value(commit.verification).unwrap_or_default();
    let columns = [
        ("window", window(commit)),
        ("version", commit.version.to_string()),
        ("generation", commit.generation.to_string()),
        ("runs", commit.runs.len().to_string()),
        ("rows", grouped(commit.rows)),
        ("unique", grouped(commit.unique)),
        ("duplicates", grouped(commit.duplicates)),
        (
            "verification",
            verification.as_str().unwrap_or_default().to_owned(),
        ),
        ("parts", commit.parts.len().to_string()),
        ("bytes", grouped(bytes)),
    ];
    let mut lines = [String::new(), String::new()];
    for (name, value) in columns {
        let width = name.len().max(value.len());
        for (line, text) in lines.iter_mut().zip([name, &value]) {
            let _ = write!(line, "{text:<width$}  ");
        }
    }
    lines.map(|line| line.trim_end().to_owned())
}

fn window(commit: &Commit) -> String {
    let (start, end) = (commit.window.start(), commit.window.end());
    let whole_days = [start, end]
        .iter()
        .all(|time| time.as_second() % 86_400 == 0);
    let format = if whole_days {
        "%Y-%m-%d"
    } else {
        "%Y-%m-%dT%H:%M:%SZ"
    };
    format!("{}/{}", start.strftime(format), end.strftime(format))
}

/// How the simulated tenant misbehaved.
fn met(world: &World) -> Vec<String> {
    let Some(tenant) = world.tenant() else {
        return Vec::new();
    };
    let journal = tenant.journal();
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in journal.iter().flat_map(|entry| &entry.faults) {
        *faults.entry(fault.as_str()).or_default() += 1;
    }
    let refused = journal.iter().filter(|entry| entry.status == 401).count();
    let mut line = format!("{} requests", journal.len());
    if refused > 0 {
        let _ = write!(line, ", {refused} answered with 401");
    }
    for (fault, times) in faults {
        let _ = write!(line, ", {fault} \u{d7}{times}");
    }
    vec![
        format!("{:<10} {line}", "tenant"),
        format!("{:<10} {}", "memory", memory(world)),
    ]
}

/// The most memory that each handler held.
fn memory(world: &World) -> String {
    let peaks = NAMES.iter().filter_map(|name| {
        let peak = world.lambda().peak_memory(name)?;
        Some(format!("{name} {} MiB", peak.div_ceil(1 << 20)))
    });
    peaks.collect::<Vec<_>>().join(", ")
}
