//! The rows of a commit, held against what the source had.

use definition::Window;
use delivery::EndReason;
use delivery::documents::{Commit, EndRecord, GenerationRecord, Verification};

use crate::store::Store;
use crate::tenant::Tenant;

/// What a consumer loads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// Sorted.
    pub(crate) rows: Vec<String>,
    /// The windows that the rows were asked for in.
    pub(crate) pieces: Vec<Window>,
    /// Whether these are the rows of the source: a tenant that pages unstably may have kept some back.
    pub(crate) is_exact: bool,
}

/// The rows that a consumer loads are those that the source had for the runs' windows, once each.
pub(crate) fn content_of(
    store: &Store,
    tenant: &Tenant,
    root: &str,
    commit: &Commit,
) -> Result<Content, String> {
    if let Some(part) = commit.parts.iter().find(|part| !part.key.starts_with(root)) {
        return Err(format!("{root} shows {}", part.key));
    }
    if commit.withdrawn {
        return no_rows(commit);
    }
    let parts = commit.parts.iter();
    let mut landed: Vec<&String> = parts.flat_map(|part| store.rows(&part.key)).collect();
    landed.sort_unstable();
    let mut content = Content {
        rows: landed.iter().copied().cloned().collect(),
        pieces: commit.runs.iter().map(|run| run.window).collect(),
        is_exact: true,
    };
    let mut source: Vec<&String> = Vec::new();
    let mut whole = true;
    let mut at = commit.window.start();
    for run in &commit.runs {
        if run.window.start() != at {
            return Err(format!(
                "the runs of version {} leave a hole",
                commit.version
            ));
        }
        at = run.window.end();
        let Some(asked) = tenant.runs.get(&run.run_id) else {
            return Err(format!("version {} is of nobody's run", commit.version));
        };
        source.extend(&asked.truth);
        whole &= asked.is_whole;
    }
    if at != commit.window.end() {
        return Err(format!(
            "the runs of version {} stop at {at}",
            commit.version
        ));
    }
    // A tenant that pages unstably and says so by nothing but duplicates can't be made safe;
    // the commit then says that it was not verified.
    let unverified = matches!(
        commit.verification,
        Verification::None | Verification::SecondRun
    );
    if !whole && unverified {
        content.is_exact = false;
        return Ok(content);
    }
    if !whole {
        return Err(format!(
            "version {} trusts pages that shifted",
            commit.version
        ));
    }
    let given = source.len() as u64;
    source.sort_unstable();
    source.dedup();
    if landed != source {
        return Err(format!(
            "version {}: a consumer holds {} rows, the source had {}",
            commit.version,
            landed.len(),
            source.len()
        ));
    }
    count_rightly(store, tenant, root, commit, given)?;
    Ok(content)
}

/// What a commit counts is what there is.
fn count_rightly(
    store: &Store,
    tenant: &Tenant,
    root: &str,
    commit: &Commit,
    given: u64,
) -> Result<(), String> {
    let shown = commit.parts.iter().map(|part| part.rows).sum::<u64>();
    if commit.rows != given || commit.unique != shown {
        return Err(format!(
            "version {} counts wrongly: {commit:?}",
            commit.version
        ));
    }
    let files = commit.runs.len() as u64;
    if commit.summary_rows != if tenant.sums_up() { files } else { 0 } {
        return Err(format!(
            "version {} leaves {} rows out",
            commit.version, commit.summary_rows
        ));
    }
    if commit.abandoned.len() as u64 != left_behind(store, tenant, root, commit) {
        return Err(format!(
            "version {} tells of {:?}",
            commit.version, commit.abandoned
        ));
    }
    if commit.empty != (shown == 0) {
        return Err(format!(
            "version {} is wrong about being empty",
            commit.version
        ));
    }
    Ok(())
}

/// A window that was withdrawn has no rows, whatever the source has.
fn no_rows(commit: &Commit) -> Result<Content, String> {
    let is_empty = commit.parts.is_empty() && commit.rows == 0 && commit.unique == 0;
    if !is_empty || !commit.runs.is_empty() || commit.reason.is_none() {
        return Err(format!(
            "version {} withdraws, and is not empty",
            commit.version
        ));
    }
    Ok(Content::default())
}

/// How many runs of the generation took too long, and could not be cancelled.
fn left_behind(store: &Store, tenant: &Tenant, root: &str, commit: &Commit) -> u64 {
    if tenant.dialect.can_cancel() {
        return 0;
    }
    let folder = |number: u32| format!("{root}/win/{}/g{number:04}/", commit.window.key());
    let opening = store.read(&format!("{}open.json", folder(commit.generation)));
    let opening: GenerationRecord = serde_json::from_slice(&opening.unwrap()).unwrap();
    // Its pages may be those of an earlier one.
    let generation = folder(opening.stored_from.unwrap_or(commit.generation));
    let cut_off = |key: &String| {
        let end: EndRecord = serde_json::from_slice(&store.read(key).unwrap()).unwrap();
        end.reason == EndReason::TimedOut
    };
    let ends = store.list(&generation, None).into_iter();
    ends.filter(|key| key.ends_with("/end.json"))
        .filter(cut_off)
        .count() as u64
}
