//! A bucket in memory with what is stored of one window, and Trigger over it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use definition::{Definition, Window};
use delivery::documents::EndRecord;
use delivery::effects::{Claimed, Fault, StoreEffect, TriggerEffect, run_flow};
use delivery::keys::{GenerationKeys, ReportKeys};
use delivery::{Audit, Ended, Failure, Next, ScheduledEvent, SegmentId};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A time at which the window is long final.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// What is stored of one window of a report.
pub(crate) struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    pub(crate) written: Value,
    pub(crate) definition: Definition,
    report: ReportKeys,
    pub(crate) window: Window,
    /// CXone does not answer when a run is to be started; otherwise no test may ask it for one.
    pub(crate) is_unavailable: bool,
}

/// Who asks.
pub(crate) fn audit() -> Audit {
    Audit {
        reason: "because".to_owned(),
        requested_by: "ana".to_owned(),
    }
}

impl Bucket {
    /// Nothing is stored yet.
    pub(crate) fn new(definition: &str) -> Self {
        let written: Value = serde_json::from_str(definition).unwrap();
        let definition = Definition::from_value(&written).unwrap().definition;
        Self {
            objects: BTreeMap::new(),
            report: ReportKeys::new("reports", &definition.pipeline.tenant, &definition.name),
            written,
            definition,
            window: "20261121T000000Z-20261122T000000Z".parse().unwrap(),
            is_unavailable: false,
        }
    }

    pub(crate) fn of_analytics() -> Self {
        Self::new(include_str!(
            "../../../../infra/reports/daily-agent-performance.json"
        ))
    }

    pub(crate) fn keys(&self, generation: u32) -> GenerationKeys {
        self.report.generation(&self.window, generation)
    }

    /// Stores a request of the window, with some fields changed.
    pub(crate) fn open(&mut self, generation: u32, change: &Value) {
        let mut record = json!({
            "v": 1, "wish": format!("request {generation}"), "execution": "arn:x", "openedAt": NOW, "window": self.window,
            "baseVersion": 0, "definitionHash": self.definition.hash(), "definition": self.definition,
        });
        merge(&mut record, change);
        self.put(self.keys(generation).open(), &record);
    }

    /// Stores the first request of another window, with some fields changed.
    pub(crate) fn open_other(&mut self, window: Window, change: &Value) {
        let own = std::mem::replace(&mut self.window, window);
        self.open(1, change);
        self.window = own;
    }

    /// Stores that another window was committed, when the log had no commit yet.
    pub(crate) fn commit_first(&mut self, window: Window) {
        self.open_other(window, &json!({}));
        let commit = json!({
            "v": 1, "version": 1, "report": self.definition.name, "tenant": self.definition.pipeline.tenant, "window": window,
            "generation": 1, "definitionHash": "", "runs": [], "rows": 0, "unique": 0, "duplicates": 0, "replaced": 0,
            "empty": true, "verification": "total", "columns": [], "parts": [], "content": "", "supersedes": null,
            "withdrawn": false, "unchanged": false, "committedAt": NOW,
        });
        self.put(self.report.commit(1), &commit);
    }

    /// Stores that a run was started.
    pub(crate) fn start_run(&mut self, generation: u32, run: u32) {
        let record = json!({
            "v": 1, "runId": format!("run-{generation}-{run}"), "window": self.window, "triggeredAt": NOW, "settled": true,
            "simplified": false, "execution": "arn:x", "redriveCount": 0,
        });
        let keys = self.keys(generation).run(&SegmentId::whole(), run);
        self.put(keys.run(), &record);
    }

    /// Stores pages of a run: with no token of a next page, all of them.
    pub(crate) fn store_pages(&mut self, generation: u32, run: u32, next: Option<&str>) {
        let slot = json!({
            "v": 1, "runId": format!("run-{generation}-{run}"), "batch": 0, "prev": null, "pages": 1, "rows": 0,
            "pagesSoFar": 1, "rowsSoFar": 0, "parts": [], "next": next, "total": null,
            "lap": {"anchor": null, "steps": 0, "limit": 0},
        });
        let keys = self.keys(generation).run(&SegmentId::whole(), run);
        self.put(keys.slot(0), &slot);
    }

    /// A generation with all its pages.
    pub(crate) fn fill(&mut self, generation: u32, change: &Value) {
        self.open(generation, change);
        self.start_run(generation, 1);
        self.store_pages(generation, 1, None);
    }

    /// Stores that a run ended without its data.
    pub(crate) fn end_run(&mut self, generation: u32, run: u32) {
        let end = json!({"v": 1, "reason": "vanished", "at": NOW});
        let keys = self.keys(generation).run(&SegmentId::whole(), run);
        self.put(keys.end(), &end);
    }

    /// How a run ended, if that is stored.
    pub(crate) fn read_end(&self, generation: u32, run: u32) -> Option<EndRecord> {
        let keys = self.keys(generation).run(&SegmentId::whole(), run);
        let bytes = self.objects.get(&keys.end())?;
        Some(serde_json::from_slice(bytes).unwrap())
    }

    /// The request that opened a generation.
    pub(crate) fn read_opening(&self, generation: u32) -> Option<Value> {
        let bytes = self.objects.get(&self.keys(generation).open())?;
        Some(serde_json::from_slice(bytes).unwrap())
    }

    /// The event of an operator about the window.
    pub(crate) fn event(&self) -> ScheduledEvent {
        let now: Timestamp = NOW.parse().unwrap();
        ScheduledEvent::new(self.written.clone(), now)
            .with_id("asked")
            .with_window(self.window)
    }

    /// Asks Trigger: the generation, and what is next.
    pub(crate) fn ask(
        &mut self,
        event: &ScheduledEvent,
        generation: Option<u32>,
        ended: Option<&Ended>,
    ) -> Result<(Option<u32>, Next), Failure> {
        let message = json!({
            "v": 1, "event": event.to_json(), "now": NOW, "execution": {"id": "arn:asks", "redriveCount": 0},
            "generation": generation, "ended": ended, "stalledSince": null,
        });
        let message = serde_json::from_value(message).unwrap();
        let flow = run_flow(
            async |effects| delivery::flow::trigger(effects, "reports", message).await,
            async |effect| self.answer(effect),
        );
        // Every answer is there at once, so that nothing is waited for.
        let mut flow = pin!(flow);
        let answer = flow.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(answer) = answer else {
            panic!("it waits for something");
        };
        answer.map(|answer| (answer.generation, answer.next))
    }

    fn answer(&mut self, effect: TriggerEffect) {
        match effect {
            TriggerEffect::Store(effect) => self.answer_store(effect),
            TriggerEffect::Register(_, responder) if self.is_unavailable => {
                let fault = Fault::Unavailable("no answer".to_owned());
                responder.send(Err(fault)).unwrap();
            }
            other => panic!("nothing is asked of CXone: {other:?}"),
        }
    }

    fn answer_store(&mut self, effect: StoreEffect) {
        match effect {
            StoreEffect::Claim(key, body, responder) => {
                let claimed = match self.objects.get(&key) {
                    Some(theirs) if *theirs != body => Claimed::Theirs(theirs.clone()),
                    _ => Claimed::Ours,
                };
                self.objects.entry(key).or_insert(body);
                responder.send(Ok(claimed)).unwrap();
            }
            StoreEffect::Read(keys, responder) => {
                let bodies = keys.iter().map(|key| self.objects.get(key).cloned());
                responder.send(Ok(bodies.collect())).unwrap();
            }
            StoreEffect::List {
                prefix,
                after,
                responder,
            } => {
                let keys = self.objects.keys().filter(|key| key.starts_with(&prefix));
                let keys = keys.filter(|key| Some(*key) > after.as_ref());
                responder.send(Ok(keys.cloned().collect())).unwrap();
            }
            StoreEffect::ListFolders {
                prefix,
                after,
                before,
                responder,
            } => {
                let below = self.objects.keys().filter_map(|key| {
                    let (name, _) = key.strip_prefix(&prefix)?.split_once('/')?;
                    Some(format!("{prefix}{name}/"))
                });
                let folders: BTreeSet<String> =
                    below.filter(|it| *it > after && *it < before).collect();
                responder.send(Ok(folders.into_iter().collect())).unwrap();
            }
            other => panic!("nothing else is asked: {other:?}"),
        }
    }

    fn put(&mut self, key: String, document: &Value) {
        self.objects.insert(key, document.to_string().into_bytes());
    }
}

fn merge(document: &mut Value, change: &Value) {
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
}
