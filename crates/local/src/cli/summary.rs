//! Prints what landed, with a line about each figure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use definition::SourceRange;
use definition::text::{count_of, count_rows, group_thousands};
use delivery::documents::{Commit, Verification};
use delivery::keys::{ReportKeys, TableKeys};
use local::World;
use local::handlers::NAMES;
use local::world::{BUCKET, LandedError, PREFIX};
use serde_json::Value;

use crate::terminal::Terminal;

/// The number of rows that are printed.
const SHOWN: usize = 3;

/// Prints a commit, its files, its first rows and what the simulated tenant did.
pub(crate) fn print_commit(
    world: &World,
    commit: &Commit,
    terminal: &Terminal,
) -> Result<(), LandedError> {
    terminal.line("");
    for (name, value, meaning) in list_figures(commit) {
        let line = format!("{name:<13} {value:<22} {meaning}");
        terminal.line(line.trim_end());
    }
    terminal.line("");
    print_warnings(commit, terminal);
    for remark in list_remarks(commit) {
        print_named(terminal, "note", &remark);
    }
    print_named(terminal, "source", &describe_source(commit));
    print_named(terminal, "commit", &commit_path(world, commit));
    for part in &commit.parts {
        print_named(terminal, "part", &object_path(world, &part.key));
    }
    for row in world.rows(commit)?.iter().take(SHOWN) {
        print_named(terminal, "row", row);
    }
    print_tenant(world, terminal);
    print_named(terminal, "memory", &describe_memory(world));
    Ok(())
}

/// Says that the window was delivered before, and what Trigger notes about that.
pub(crate) fn print_delivered_already(
    world: &World,
    commit: &Commit,
    note: Option<&str>,
    terminal: &Terminal,
) {
    terminal.line(&format!(
        "delivered already: version {}, {}, committed at {}; nothing was changed",
        commit.version,
        count_rows(commit.unique),
        commit.committed_at
    ));
    if let Some(note) = note {
        print_named(terminal, "note", note);
    }
    print_named(terminal, "commit", &commit_path(world, commit));
    terminal.line(
        "to fetch the window again: --replay REASON; to start with an empty folder: --out DIR",
    );
}

/// Where the table of a definition's report is, if it asks for one, and how it is read in Python.
pub(crate) fn print_table(world: &World, definition: &Value, terminal: &Terminal) {
    let Some(keys) = find_table(definition) else {
        return;
    };
    let path = object_path(world, keys.folder());
    print_named(terminal, "table", &path);
    for (engine, line) in [
        ("  polars", format!("polars.read_delta({path:?})")),
        (
            "  delta-rs",
            format!("deltalake.DeltaTable({path:?}).to_pyarrow_table()"),
        ),
        (
            "  duckdb",
            format!("duckdb.sql(\"from delta_scan('{path}')\")"),
        ),
    ] {
        print_named(terminal, engine, &line);
    }
}

fn find_table(definition: &Value) -> Option<TableKeys> {
    let pipeline = &definition["pipeline"];
    pipeline["table"].as_object()?;
    let tenant = pipeline["tenant"].as_str()?.parse().ok()?;
    let report = definition["name"].as_str()?.parse().ok()?;
    Some(ReportKeys::new(PREFIX, &tenant, &report).table())
}

/// Says what an operator should look at, as the alert does.
pub(crate) fn print_warnings(commit: &Commit, terminal: &Terminal) {
    for warning in &commit.warnings {
        print_named(terminal, "warning", warning);
    }
}

fn print_named(terminal: &Terminal, name: &str, value: &str) {
    terminal.line(&format!("{name:<13} {value}"));
}

/// The figures by their names in the commit, each with its meaning.
fn list_figures(commit: &Commit) -> [(&'static str, String, String); 9] {
    let bytes = commit.parts.iter().map(|part| part.bytes).sum();
    let verification = serde_json::to_value(commit.verification).unwrap_or_default();
    let verification = verification.as_str().unwrap_or_default().to_owned();
    let text = String::from;
    [
        (
            "window",
            format_window(commit),
            text("start/end in UTC; the end is not included"),
        ),
        (
            "version",
            commit.version.to_string(),
            text("number of this commit in the report's log"),
        ),
        (
            "generation",
            commit.generation.to_string(),
            text("1 is the first delivery of the window; each replay makes the next one"),
        ),
        (
            "runs",
            commit.runs.len().to_string(),
            text("runs at CXone that the rows come from"),
        ),
        (
            "rows",
            group_thousands(commit.rows),
            text("received from CXone"),
        ),
        (
            "unique",
            group_thousands(commit.unique),
            text("stored: the rows without duplicates"),
        ),
        (
            "duplicates",
            group_thousands(commit.duplicates),
            text("received more than once and dropped"),
        ),
        (
            "verification",
            verification,
            text(explain_verification(commit.verification)),
        ),
        (
            "parts",
            commit.parts.len().to_string(),
            format!("files with the rows, {} bytes", group_thousands(bytes)),
        ),
    ]
}

fn explain_verification(verification: Verification) -> &'static str {
    match verification {
        Verification::Total => "as many rows as CXone said there are",
        Verification::Consistent => "CXone gave no total; the pages contradict each other nowhere",
        Verification::SecondRun => {
            "no total, and duplicates across pages; a second run had the same content"
        }
        Verification::None => {
            "no total, duplicates across pages, and no second run with the same content"
        }
    }
}

fn describe_source(commit: &Commit) -> String {
    let source = &commit.source;
    let range = match source.range {
        SourceRange::Requested => "the range was part of the request",
        SourceRange::Template => "the range is that of the report's template",
    };
    let mut text = format!(
        "API {}; times are {}; {range}",
        source.api, source.time_zone
    );
    if commit.summary_rows > 0 {
        let _ = write!(text, "; {} summary rows left out", commit.summary_rows);
    }
    if !commit.abandoned.is_empty() {
        let runs = count_of(commit.abandoned.len() as u64, "run");
        let _ = write!(text, "; {runs} abandoned");
    }
    text
}

/// What sets this commit apart from an ordinary first delivery.
fn list_remarks(commit: &Commit) -> Vec<String> {
    let mut remarks = Vec::new();
    if commit.withdrawn {
        remarks.push("the window was withdrawn; it has no rows now".to_owned());
    }
    if let Some(version) = commit.supersedes {
        let same = if commit.unchanged {
            ", and its content is the same"
        } else {
            ""
        };
        remarks.push(format!("supersedes version {version}{same}"));
    }
    if !commit.replaces.is_empty() {
        let windows: Vec<String> = commit.replaces.iter().map(ToString::to_string).collect();
        remarks.push(format!("replaces the windows {}", windows.join(", ")));
    }
    if commit.replaced > 0 {
        let (were, later) = if commit.replaced == 1 {
            ("was", "a later one")
        } else {
            ("were", "later ones")
        };
        let rows = count_rows(commit.replaced);
        remarks.push(format!(
            "{rows} {were} given up for {later} with the same key"
        ));
    }
    if let Some(reason) = &commit.reason {
        let who = commit.requested_by.as_deref().unwrap_or("unknown");
        remarks.push(format!("requested by {who}: {reason}"));
    }
    remarks
}

/// The file of a commit.
pub(crate) fn commit_path(world: &World, commit: &Commit) -> String {
    let keys = ReportKeys::new(PREFIX, &commit.tenant, &commit.report);
    object_path(world, &keys.commit(commit.version))
}

fn object_path(world: &World, key: &str) -> String {
    world.store().object_path(BUCKET, key).display().to_string()
}

fn format_window(commit: &Commit) -> String {
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

/// What the simulated tenant was asked, and the faults that it was told to have.
fn print_tenant(world: &World, terminal: &Terminal) {
    let Some(tenant) = world.tenant() else {
        return;
    };
    let journal = tenant.journal();
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in journal.iter().flat_map(|entry| &entry.faults) {
        *faults.entry(fault.as_str()).or_default() += 1;
    }
    let refused = journal.iter().filter(|entry| entry.status == 401).count();
    let mut line = format!("simulated; {} requests", journal.len());
    if refused > 0 {
        let _ = write!(line, ", {refused} answered with 401");
    }
    for (at, (fault, times)) in faults.into_iter().enumerate() {
        let before = if at == 0 {
            "; faults on purpose: "
        } else {
            ", "
        };
        let _ = write!(line, "{before}{fault} \u{d7}{times}");
    }
    print_named(terminal, "tenant", &line);
    print_named(
        terminal,
        "values",
        "made up, and odd on purpose: quotes and line breaks in names, integers above 2^53, nulls",
    );
}

/// The most memory that each handler used.
fn describe_memory(world: &World) -> String {
    let peaks = NAMES.iter().filter_map(|name| {
        let peak = world.lambda().peak_memory(name)?;
        Some(format!("{name} {} MiB", peak.div_ceil(1 << 20)))
    });
    let peaks: Vec<_> = peaks.collect();
    format!("at most {}", peaks.join(", "))
}
