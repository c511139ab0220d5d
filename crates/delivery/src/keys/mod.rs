//! Every object key of the protocol is spelled here and nowhere else.

mod folder;

use definition::{ReportName, TenantId, Window};
use jiff::Timestamp;

use crate::SegmentId;

pub use folder::{report_folder, report_name};

/// The object that keeps the calls of one API of one tenant apart. It can't collide with a report's
/// folder, whose name never begins with `_`.
#[must_use]
pub fn rate_limit(prefix: &str, tenant: &TenantId, api: &str) -> String {
    format!("{}/_pace/{api}.json", tenant_root(prefix, tenant))
}

/// `{prefix}/{tenant}`; the prefix may be empty.
fn tenant_root(prefix: &str, tenant: &TenantId) -> String {
    format!("{}{}", tenants(prefix), tenant.as_str())
}

/// The folder of all tenants, with a slash at its end; empty where there is no prefix.
#[must_use]
pub fn tenants(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

/// Between which keys all folders lie that are directly below this one, which has a slash at its end or is the bucket.
#[must_use]
pub fn folders_below(folder: &str) -> (String, String) {
    let first = if folder.is_empty() { "!" } else { folder };
    (first.to_owned(), format!("{folder}\u{7f}"))
}

/// Where one report of one tenant lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportKeys {
    root: String,
}

impl ReportKeys {
    /// `{prefix}/{tenant}/{report}`; the prefix may be empty.
    #[must_use]
    pub fn new(prefix: &str, tenant: &TenantId, report: &ReportName) -> Self {
        Self {
            root: format!("{}/{}", tenant_root(prefix, tenant), report_folder(report)),
        }
    }

    /// Where the report lives whose folder this is, with or without a slash at its end; `None` for a folder beside those of
    /// reports.
    #[must_use]
    pub fn in_folder(folder: &str) -> Option<Self> {
        let root = folder.trim_end_matches('/');
        let name = root.rsplit('/').next()?;
        (!name.is_empty() && !name.starts_with('_')).then(|| Self {
            root: root.to_owned(),
        })
    }

    /// The folder itself, without a slash at its end.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The folder of the commit log.
    #[must_use]
    pub fn log(&self) -> String {
        format!("{}/_log/", self.root)
    }

    /// One entry of the commit log.
    #[must_use]
    pub fn commit(&self, version: u64) -> String {
        format!("{}/_log/{version:020}.json", self.root)
    }

    /// The manifest of one entry, in the form that Redshift's COPY reads.
    #[must_use]
    pub fn manifest(&self, version: u64) -> String {
        format!("{}/_manifest/{version:020}.json", self.root)
    }

    /// The folder of the table that is made of the commits.
    #[must_use]
    pub fn table(&self) -> TableKeys {
        TableKeys {
            folder: format!("{}/table/", self.root),
        }
    }

    /// The folder of all rows.
    #[must_use]
    pub fn rows(&self) -> String {
        format!("{}/data/", self.root)
    }

    /// The key behind which all rows lie of windows that begin at a time or later.
    #[must_use]
    pub fn rows_beginning(&self, from: Timestamp) -> String {
        format!("{}{}", self.rows(), from.strftime(Window::KEY_TIME))
    }

    /// The folder of all windows' claims.
    #[must_use]
    pub fn windows(&self) -> String {
        format!("{}/win/", self.root)
    }

    /// Between which keys the folders of all windows lie that can overlap this one. They sort by their start.
    #[must_use]
    pub fn windows_around(&self, window: &Window) -> (String, String) {
        self.windows_beginning(window.start() - Window::LONGEST, window.end())
    }

    /// Between which keys the folders of all windows lie that begin between two times.
    #[must_use]
    pub fn windows_beginning(&self, from: Timestamp, before: Timestamp) -> (String, String) {
        let begins =
            |time: Timestamp| format!("{}{}", self.windows(), time.strftime(Window::KEY_TIME));
        (begins(from), begins(before))
    }

    /// The window whose folder this is.
    #[must_use]
    pub fn window_of(&self, folder: &str) -> Option<Window> {
        let name = folder.strip_prefix(&self.windows())?.strip_suffix('/')?;
        name.parse().ok()
    }

    /// The folder of a window's claims.
    #[must_use]
    pub fn window(&self, window: &Window) -> String {
        format!("{}/win/{}/", self.root, window.key())
    }

    /// One generation of a window.
    #[must_use]
    pub fn generation(&self, window: &Window, generation: u32) -> GenerationKeys {
        GenerationKeys {
            claims: format!("{}g{generation:04}/", self.window(window)),
            data: format!("{}/data/{}/g{generation:04}/", self.root, window.key()),
        }
    }
}

/// Where the table of one report lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableKeys {
    folder: String,
}

impl TableKeys {
    /// The folder itself, with a slash at its end: what readers of the table are given.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// One version of the table.
    #[must_use]
    pub fn version(&self, version: u64) -> String {
        format!("{}_delta_log/{version:020}.json", self.folder)
    }

    /// What the table is at a version, in one file.
    #[must_use]
    pub fn checkpoint(&self, version: u64) -> String {
        format!("{}_delta_log/{version:020}.checkpoint.parquet", self.folder)
    }

    /// A file of rows, by its path from the folder.
    #[must_use]
    pub fn file(&self, path: &str) -> String {
        format!("{}{path}", self.folder)
    }
}

/// The version that a log key holds.
#[must_use]
pub fn version_of(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?.strip_suffix(".json")?;
    (name.len() == 20).then(|| name.parse().ok()).flatten()
}

/// The generation that a key below [`ReportKeys::window`] belongs to.
#[must_use]
pub fn generation_of(window_prefix: &str, key: &str) -> Option<u32> {
    let rest = key.strip_prefix(window_prefix)?.strip_prefix('g')?;
    rest.split('/').next()?.parse().ok()
}

/// Where one generation lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationKeys {
    claims: String,
    data: String,
}

impl GenerationKeys {
    /// The folder of its claims.
    #[must_use]
    pub fn claims(&self) -> &str {
        &self.claims
    }

    /// Who asked and why.
    #[must_use]
    pub fn open(&self) -> String {
        format!("{}open.json", self.claims)
    }

    /// One run of one segment.
    #[must_use]
    pub fn run(&self, segment: &SegmentId, run: u32) -> RunKeys {
        RunKeys {
            claims: format!("{}s{segment}/r{run:02}/", self.claims),
            data: format!("{}s{segment}-r{run:02}-", self.data),
        }
    }

    /// How the names of parts that finalize wrote anew begin.
    #[must_use]
    pub fn merged(&self) -> String {
        format!("{}merged-", self.data)
    }
}

/// Where one run lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKeys {
    claims: String,
    data: String,
}

impl RunKeys {
    /// The folder of its claims.
    #[must_use]
    pub fn claims(&self) -> &str {
        &self.claims
    }

    /// The run's binding to a CXone run id.
    #[must_use]
    pub fn run(&self) -> String {
        format!("{}run.json", self.claims)
    }

    /// Why it ended without its data.
    #[must_use]
    pub fn end(&self) -> String {
        format!("{}end.json", self.claims)
    }

    #[must_use]
    pub fn slot(&self, batch: u32) -> String {
        format!("{}b{batch:06}.json", self.claims)
    }

    /// How the names of a batch's parts begin; the rest is unique.
    #[must_use]
    pub fn part(&self, batch: u32) -> String {
        format!("{}b{batch:06}-", self.data)
    }
}

/// What a key below [`GenerationKeys::claims`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Open,
    Run(SegmentId, u32),
    End(SegmentId, u32),
    Slot(SegmentId, u32, u32),
}

impl Claim {
    /// Reads a key; `None` for anything that the protocol does not write.
    #[must_use]
    pub fn parse(generation: &GenerationKeys, key: &str) -> Option<Self> {
        let rest = key.strip_prefix(generation.claims())?;
        if rest == "open.json" {
            return Some(Self::Open);
        }
        let mut levels = rest.splitn(3, '/');
        let segment = levels.next()?.strip_prefix('s')?.parse().ok()?;
        let run = levels.next()?.strip_prefix('r')?.parse().ok()?;
        match levels.next()?.strip_suffix(".json")? {
            "run" => Some(Self::Run(segment, run)),
            "end" => Some(Self::End(segment, run)),
            slot => Some(Self::Slot(
                segment,
                run,
                slot.strip_prefix('b')?.parse().ok()?,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(report: &str) -> ReportKeys {
        ReportKeys::new(
            "/reports/",
            &"acme".parse().unwrap(),
            &report.parse().unwrap(),
        )
    }

    fn window() -> Window {
        "20261121T000000Z-20261122T000000Z".parse().unwrap()
    }

    #[test]
    fn a_report_name_can_not_leave_its_folder() {
        assert_eq!(
            keys("Daily Agent Performance").root(),
            "reports/acme/Daily_Agent_Performance"
        );
        assert_eq!(keys("../_log?").root(), "reports/acme/~2E~2E~2F~5Flog~3F");
        assert_ne!(keys("a b").root(), keys("a_b").root());
        assert_ne!(keys("_pace").root(), "reports/acme/_pace");
        assert_eq!(keys("win").root(), "reports/acme/~77in");
        assert_eq!(keys("data").root(), "reports/acme/~64ata");
        assert_eq!(keys("table").root(), "reports/acme/~74able");
        assert_eq!(keys("wins").root(), "reports/acme/wins");
        for name in ["win", "a b", "a_b", "../_log?", "Zoë's 5%"] {
            let report: ReportName = name.parse().unwrap();
            assert_eq!(report_name(&report_folder(&report)), Some(report));
        }
    }

    #[test]
    fn the_longest_name_leaves_room_for_the_rest_of_a_key() {
        let longest = |last: &str| "\u{1F4DE}".repeat(99) + last;
        let (one, other) = (keys(&longest("a")), keys(&longest("b")));
        assert_ne!(one.root(), other.root());
        assert!(one.root().len() < 700, "{}", one.root());
        assert_eq!(report_name("x~~00"), None);
        let whole = "ü".repeat(100);
        assert_eq!(keys(&whole).root().len(), "reports/acme/".len() + 600);
    }

    #[test]
    fn claims_are_read_back_from_their_keys() {
        let generation = keys("x").generation(&window(), 3);
        let segment: SegmentId = "01".parse().unwrap();
        let run = generation.run(&segment, 2);
        for (key, claim) in [
            (generation.open(), Claim::Open),
            (run.run(), Claim::Run(segment.clone(), 2)),
            (run.end(), Claim::End(segment.clone(), 2)),
            (run.slot(17), Claim::Slot(segment.clone(), 2, 17)),
        ] {
            assert_eq!(Claim::parse(&generation, &key), Some(claim), "{key}");
        }
        assert_eq!(Claim::parse(&generation, "elsewhere/open.json"), None);
        assert_eq!(version_of(&keys("x").commit(7)), Some(7));
        let prefix = keys("x").window(&window());
        assert_eq!(generation_of(&prefix, &generation.open()), Some(3));
    }

    #[test]
    fn every_window_that_can_overlap_lies_between_two_keys() {
        let keys = keys("x");
        let (after, before) = keys.windows_around(&window());
        for (other, is_between) in [
            ("20261121T000000Z-20261122T000000Z", true),
            ("20261021T000000Z-20261121T000000Z", true),
            ("20261021T000001Z-20261121T000001Z", true),
            ("20261121T235959Z-20261201T000000Z", true),
            // A month in which clocks are set back may be three hours longer than 31 days.
            ("20261020T210000Z-20261121T000000Z", true),
            ("20261020T205959Z-20261120T235959Z", false),
            ("20261122T000000Z-20261123T000000Z", false),
        ] {
            let other: Window = other.parse().unwrap();
            let folder = keys.window(&other);
            assert_eq!(folder > after && folder < before, is_between, "{folder}");
            assert_eq!(keys.window_of(&folder), Some(other));
        }
        assert_eq!(keys.window_of("elsewhere/"), None);
    }

    #[test]
    fn slots_sort_before_the_end_and_the_run() {
        let run = keys("x")
            .generation(&window(), 1)
            .run(&SegmentId::whole(), 1);
        assert!(run.slot(999_999) < run.end() && run.end() < run.run());
    }
}
