//! A bucket that something was delivered to, and a database that is loaded from it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use definition::Window;
use delivery::documents::{Commit, sha256_hex};
use local::handlers::workspace;
use local::world::BUCKET;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, delivered};
use serde_json::Value;
use tempfile::TempDir;

/// A pipeline whose bucket is loaded into a database.
pub(crate) struct LoadedPipeline(Pipeline);

impl Deref for LoadedPipeline {
    type Target = Pipeline;

    fn deref(&self) -> &Pipeline {
        &self.0
    }
}

impl LoadedPipeline {
    /// A tenant with so many rows, and the definition of `infra/` with these fields of its `pipeline`.
    pub(crate) async fn start(pipeline: Value, rows: u64) -> Self {
        let mut builder = PipelineBuilder::daily().rows(rows, 10);
        for (name, value) in pipeline.as_object().unwrap() {
            builder = builder.define(&format!("/pipeline/{name}"), value.clone());
        }
        Self(builder.start().await)
    }

    /// Delivers a window of the operator's choice.
    pub(crate) async fn deliver_window(&self, window: Window) {
        delivered(self.ask_for(window).await);
    }

    /// Delivers a window again, which a window that was taken back needs.
    pub(crate) async fn deliver_again(&self, window: Window) {
        let audit = local::replay("it was right after all");
        let event = self.event().with_window(window).with_replay(audit);
        delivered(self.play(event.with_id("again").to_json()).await);
    }

    fn commit(&self, version: usize) -> Commit {
        self.log().remove(version - 1)
    }

    /// What has to be held behind a version: of each window the rows that the source had for the runs of its last commit,
    /// unless a later window covers it. Nothing behind version 0.
    pub(crate) fn truth(&self, version: usize) -> Vec<String> {
        let mut held: BTreeMap<Window, Vec<String>> = BTreeMap::new();
        for commit in self.log().into_iter().take(version) {
            let (start, end) = (commit.window.start(), commit.window.end());
            held.retain(|window, _| window.start() < start || end < window.end());
            let rows = commit
                .runs
                .iter()
                .flat_map(|run| self.tenant().truth(run.run_id.as_str()).unwrap());
            let rows = rows.map(|row| String::from_utf8(row).unwrap());
            held.insert(commit.window, rows.collect());
        }
        held.into_values().flatten().collect()
    }

    /// Changes the stored text of a version's first part, and the commit with it.
    pub(crate) fn rewrite(&self, version: usize, change: impl FnOnce(String) -> String) {
        let part = self.part(version);
        let text = change(fs::read_to_string(&part).unwrap());
        let entry = self.version(version as u64);
        let mut commit = self.commit(version);
        commit.parts[0].bytes = text.len() as u64;
        commit.parts[0].sha256 = sha256_hex(text.as_bytes());
        fs::write(entry, serde_json::to_vec(&commit).unwrap()).unwrap();
        fs::write(part, text).unwrap();
    }

    fn bucket(&self) -> PathBuf {
        self.world.folder().join(BUCKET)
    }

    /// The file of a version.
    pub(crate) fn version(&self, version: u64) -> PathBuf {
        let name = format!("_log/{version:020}.json");
        self.bucket().join(self.report()).join(name)
    }

    /// The file of a version's first part.
    pub(crate) fn part(&self, version: usize) -> PathBuf {
        self.bucket().join(&self.commit(version).parts[0].key)
    }

    /// What all keys of the report begin with.
    pub(crate) fn report(&self) -> String {
        let part = self.commit(1).parts.remove(0);
        part.key.split_once("/data/").unwrap().0.to_owned()
    }

    /// An empty database.
    pub(crate) fn warehouse(&self) -> Warehouse {
        self.warehouse_of(&self.report())
    }

    /// An empty database for a report that is spelled like this.
    pub(crate) fn warehouse_of(&self, report: &str) -> Warehouse {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("warehouse.sqlite");
        Warehouse {
            arguments: [
                self.bucket().to_str().unwrap().to_owned(),
                report.to_owned(),
                database.to_str().unwrap().to_owned(),
            ],
            _folder: folder,
        }
    }
}

/// A database, and the consumer that loads it.
pub(crate) struct Warehouse {
    arguments: [String; 3],
    _folder: TempDir,
}

impl Warehouse {
    fn run(&self, options: &[&str]) -> Output {
        let mut command = python("consume.py");
        let output = command.args(&self.arguments).args(options).output();
        output.expect("python3 is there: tests/consumer/run looks")
    }

    /// Loads what is new; gives what it says.
    pub(crate) fn consume(&self) -> String {
        self.consume_with(&[])
    }

    pub(crate) fn consume_with(&self, options: &[&str]) -> String {
        let output = self.run(options);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Whether it stops with these words.
    pub(crate) fn refuses(&self, words: &str) -> bool {
        let output = self.run(&[]);
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(words)
    }

    /// The same database, loaded from another folder.
    pub(crate) fn with_bucket(mut self, folder: &str) -> Self {
        folder.clone_into(&mut self.arguments[0]);
        self
    }

    /// Starts it and does not wait.
    pub(crate) fn spawn(&self) -> Child {
        let mut command = python("consume.py");
        command.args(&self.arguments).spawn().unwrap()
    }

    /// Whether its process ended at this statement; `false` if it came to its own end before.
    pub(crate) fn dies_at(&self, statement: u32) -> bool {
        let mut command = python("dies.py");
        let command = command.arg(statement.to_string()).args(&self.arguments);
        let output = command.output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 9)),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        !output.status.success()
    }

    /// What a query sees.
    pub(crate) fn rows(&self) -> Vec<String> {
        let output = self.run(&["--rows"]);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(workspace().join("tests/consumer").join(script))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
