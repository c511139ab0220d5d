//! Reads what is stored of a window: who asked for it, and how its runs went. Slots hold page tokens, so that none is kept on
//! disk.

use std::collections::BTreeMap;

use definition::Window;
use delivery::SegmentId;
use delivery::documents::{EndRecord, GenerationRecord, RunRecord, Slot};
use delivery::keys::{Claim, GenerationKeys, ReportKeys, generation_of};
use landing::ListedObject;
use serde::de::DeserializeOwned;

use super::{Bucket, ObjectCache};
use crate::error::CommandError;

/// A generation of a window, as far as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredGeneration {
    pub(crate) number: u32,
    /// Who asked for it and how; `None` where it can't be read.
    pub(crate) opening: Option<GenerationRecord>,
    /// In the order of segment and number.
    pub(crate) runs: Vec<StoredRun>,
}

/// A run of one segment, as far as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredRun {
    pub(crate) segment: SegmentId,
    pub(crate) number: u32,
    pub(crate) start: Option<RunRecord>,
    pub(crate) end: Option<EndRecord>,
    /// How many slots it has.
    pub(crate) slots: u32,
}

/// The claims of one generation, before they are read.
#[derive(Default)]
struct Listed {
    opening: Option<ListedObject>,
    runs: BTreeMap<(SegmentId, u32), ListedRun>,
}

#[derive(Default)]
struct ListedRun {
    start: Option<ListedObject>,
    end: Option<ListedObject>,
    slots: u32,
}

impl Bucket {
    /// The generations of a window, from the first on.
    pub(crate) async fn read_generations(
        &self,
        report: &ReportKeys,
        window: &Window,
        cache: &mut ObjectCache,
    ) -> Result<Vec<StoredGeneration>, CommandError> {
        let folder = report.window(window);
        let mut generations: BTreeMap<u32, Listed> = BTreeMap::new();
        for object in self.store.list_objects(&folder, None).await? {
            if let Some(number) = generation_of(&folder, &object.key) {
                let keys = report.generation(window, number);
                generations.entry(number).or_default().add(&keys, object);
            }
        }
        self.fetch(generations.values().flat_map(Listed::objects), cache)
            .await?;
        let generations = generations.into_iter();
        Ok(generations
            .map(|(number, listed)| listed.read(number, cache))
            .collect())
    }

    /// The last slot of a run, which counts what the slots before it hold; `None` for a run without any.
    pub(crate) async fn read_last_slot(
        &self,
        generation: &GenerationKeys,
        run: &StoredRun,
    ) -> Result<Option<Slot>, CommandError> {
        let Some(last) = run.slots.checked_sub(1) else {
            return Ok(None);
        };
        let key = generation.run(&run.segment, run.number).slot(last);
        let body = self.store.read_all(vec![key]).await?.pop().flatten();
        Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
    }

    /// Puts objects into the cache that are not there yet.
    async fn fetch(
        &self,
        objects: impl Iterator<Item = &ListedObject>,
        cache: &mut ObjectCache,
    ) -> Result<(), CommandError> {
        let is_new = |object: &&ListedObject| !cache.holds(&object.key, &object.etag);
        let new: Vec<ListedObject> = objects.filter(is_new).cloned().collect();
        let keys = new.iter().map(|object| object.key.clone()).collect();
        for (object, body) in new.iter().zip(self.store.read_all(keys).await?) {
            if let Some(body) = body {
                cache.insert(&object.key, &object.etag, &body);
            }
        }
        Ok(())
    }
}

impl Listed {
    fn add(&mut self, keys: &GenerationKeys, object: ListedObject) {
        let runs = &mut self.runs;
        match Claim::parse(keys, &object.key) {
            Some(Claim::Open) => self.opening = Some(object),
            Some(Claim::Run(segment, number)) => {
                runs.entry((segment, number)).or_default().start = Some(object);
            }
            Some(Claim::End(segment, number)) => {
                runs.entry((segment, number)).or_default().end = Some(object);
            }
            Some(Claim::Slot(segment, number, batch)) => {
                let run = runs.entry((segment, number)).or_default();
                run.slots = batch.saturating_add(1).max(run.slots);
            }
            None => {}
        }
    }

    fn objects(&self) -> impl Iterator<Item = &ListedObject> {
        let runs = self.runs.values();
        let of_runs = runs.flat_map(|run| [&run.start, &run.end]);
        of_runs.flatten().chain(&self.opening)
    }

    fn read(self, number: u32, cache: &ObjectCache) -> StoredGeneration {
        let runs = self.runs.into_iter();
        StoredGeneration {
            number,
            opening: get(cache, self.opening.as_ref()),
            runs: runs
                .map(|((segment, number), listed)| StoredRun {
                    segment,
                    number,
                    start: get(cache, listed.start.as_ref()),
                    end: get(cache, listed.end.as_ref()),
                    slots: listed.slots,
                })
                .collect(),
        }
    }
}

fn get<T: DeserializeOwned>(cache: &ObjectCache, object: Option<&ListedObject>) -> Option<T> {
    let object = object?;
    cache.get(&object.key, Some(&object.etag))
}
