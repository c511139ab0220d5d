//! A bucket with what the pipeline stores, as far as the commands read it.

use aws_sdk_s3::primitives::ByteStream;
use definition::rows::Rows;
use definition::{Definition, Window};
use delivery::documents::{Commit, CommitPart};
use delivery::keys::ReportKeys;
use jiff::{SignedDuration, Timestamp};
use landing::{Config, Limits, PartSet, PartSpec, Store};
use serde_json::{Value, json};

use crate::REPORT;
use crate::states::{BUCKET, PREFIX, Server, arn};

/// One report in the bucket of a server.
pub(crate) struct Report<'s> {
    server: &'s Server,
    pub(crate) definition: Definition,
    keys: ReportKeys,
    versions: std::cell::Cell<u64>,
}

/// A day in UTC.
pub(crate) fn day(date: &str) -> Window {
    let start: Timestamp = format!("{date}T00:00:00Z").parse().unwrap();
    Window::new(start, start + SignedDuration::from_hours(24)).unwrap()
}

/// The shipped definition under another tenant and name.
pub(crate) fn definition(tenant: &str, name: &str) -> Value {
    let mut value: Value = serde_json::from_slice(&std::fs::read(REPORT).unwrap()).unwrap();
    value["pipeline"]["tenant"] = json!(tenant);
    value["name"] = json!(name);
    value
}

impl<'s> Report<'s> {
    pub(crate) fn new(server: &'s Server, definition: &Value) -> Self {
        let definition = Definition::from_value(definition).unwrap().definition;
        let keys = ReportKeys::new(PREFIX, &definition.pipeline.tenant, &definition.name);
        Self {
            server,
            definition,
            keys,
            versions: std::cell::Cell::new(0),
        }
    }

    /// What Trigger stores when somebody asks for a window.
    pub(crate) async fn open(&self, window: Window, generation: u32, change: Value) {
        let at = window.end() + SignedDuration::from_mins(5 * 60 + 31);
        let mut record = json!({
            "v": 1, "wish": "schedule", "execution": arn("scheduled"), "openedAt": at, "window": window,
            "baseVersion": self.versions.get(), "definitionHash": self.definition.hash(),
            "definition": self.definition,
        });
        merge(&mut record, change);
        let key = self.keys.generation(&window, generation).open();
        self.put(&key, &record).await;
    }

    /// A run of a window, and why it ended if it did.
    pub(crate) async fn run(&self, window: Window, execution: &str, ended: Option<&str>) {
        let at = window.end() + SignedDuration::from_mins(5 * 60 + 32);
        let run = self
            .keys
            .generation(&window, 1)
            .run(&"0".parse().unwrap(), 1);
        let start = json!({
            "v": 1, "runId": "run-70", "window": window, "triggeredAt": at, "settled": true,
            "simplified": false, "execution": arn(execution), "redriveCount": 0,
        });
        self.put(&run.run(), &start).await;
        if let Some(reason) = ended {
            let end = json!({"v": 1, "reason": reason, "detail": "too large", "at": at});
            self.put(&run.end(), &end).await;
        }
    }

    /// What Finalize stores.
    pub(crate) async fn commit(&self, window: Window, generation: u32, rows: u64, change: Value) {
        let version = self.versions.get() + 1;
        self.versions.set(version);
        let mut commit = json!({
            "v": 1, "version": version, "report": self.definition.name,
            "tenant": self.definition.pipeline.tenant, "window": window, "generation": generation,
            "definitionHash": self.definition.hash(), "runs": [], "rows": rows, "unique": rows,
            "duplicates": 0, "replaced": 0, "empty": rows == 0, "verification": "total",
            "columns": self.definition.columns(), "content": format!("{version:064}"),
            "parts": [{"key": format!("data/{version}.ndjson.gz"), "rows": rows, "bytes": 10 * rows, "sha256": "00"}],
            "supersedes": null, "unchanged": false, "rowsMedian": 2_010,
            "committedAt": window.end() + SignedDuration::from_mins(5 * 60 + 41),
        });
        merge(&mut commit, change);
        let commit: Commit = serde_json::from_value(commit).unwrap();
        self.put(&self.keys.commit(version), &commit).await;
    }

    /// Stores rows as a generation of a window has them, and commits them.
    /// A part has at most a hundred rows. Gives the keys of the parts.
    pub(crate) async fn commit_rows(
        &self,
        window: Window,
        generation: u32,
        rows: &[String],
        change: Value,
    ) -> Vec<String> {
        let client = aws_sdk_s3::Client::new(&self.server.config());
        let store = Store::new(
            client,
            Config {
                bucket: BUCKET.to_owned(),
                ..Config::default()
            },
        );
        let run = self
            .keys
            .generation(&window, generation)
            .run(&"0".parse().unwrap(), 1);
        let spec = PartSpec {
            limits: Limits {
                rows: 100,
                ..Limits::default()
            },
            ..PartSpec::from(&self.definition)
        };
        let mut parts = PartSet::new(store.clone(), spec, run.part(0));
        let lines = rows.join("\n") + "\n";
        parts
            .append_rows(Rows::unknown(lines.as_bytes()))
            .await
            .unwrap();
        let parts = parts.close().await.unwrap().parts;
        let merged = landing::merge(&store, &parts).await.unwrap();
        let parts: Vec<CommitPart> = parts.iter().map(CommitPart::from).collect();
        let mut all = json!({"parts": parts, "content": merged.content});
        merge(&mut all, change);
        self.commit(window, generation, rows.len() as u64, all)
            .await;
        parts.into_iter().map(|part| part.key).collect()
    }

    /// The stored bytes of an object.
    pub(crate) async fn read(&self, key: &str) -> Vec<u8> {
        let client = aws_sdk_s3::Client::new(&self.server.config());
        let get = client.get_object().bucket(BUCKET).key(key);
        let body = get.send().await.unwrap().body.collect().await.unwrap();
        body.to_vec()
    }

    /// What only a person can do.
    pub(crate) async fn overwrite(&self, key: &str, body: Vec<u8>) {
        self.put_bytes(key, body).await;
    }

    /// What only a person can do.
    pub(crate) async fn remove(&self, key: &str) {
        let client = aws_sdk_s3::Client::new(&self.server.config());
        let delete = client.delete_object().bucket(BUCKET).key(key);
        delete.send().await.unwrap();
    }

    /// A window that was asked for and delivered.
    pub(crate) async fn deliver(&self, window: Window) {
        self.open(window, 1, json!({})).await;
        self.commit(window, 1, 2_000, json!({})).await;
    }

    /// What only a person can do.
    pub(crate) async fn overwrite_commit(&self, version: u64, text: &str) {
        let body = text.as_bytes().to_vec();
        self.put_bytes(&self.keys.commit(version), body).await;
    }

    async fn put(&self, key: &str, document: &impl serde::Serialize) {
        self.put_bytes(key, serde_json::to_vec(document).unwrap())
            .await;
    }

    async fn put_bytes(&self, key: &str, body: Vec<u8>) {
        let client = aws_sdk_s3::Client::new(&self.server.config());
        let put = client.put_object().bucket(BUCKET).key(key);
        put.body(ByteStream::from(body)).send().await.unwrap();
    }
}

fn merge(document: &mut Value, change: Value) {
    let Value::Object(change) = change else {
        panic!("{change}")
    };
    document.as_object_mut().unwrap().extend(change);
}
