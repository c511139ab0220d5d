//! Carries out what the flows ask for, against the models of the bucket and the tenant.

use std::collections::BTreeMap;

use delivery::columns::{ColumnCount, ColumnCounts, ValueKind};
use delivery::effects::{
    Claimed, ClosedParts, Elapsed, Fault, FetchEffect, FinalizeEffect, StoreEffect, TriggerEffect,
};

use delta_table::effects::{PublishEffect, WriteRequest, WrittenRows};
use delta_table::{NewFile, Tally, WrittenFile, file_path};

use crate::outside::{Mishap, Outside, Progress, in_time, refusal, with};

/// The open parts of an invocation.
#[derive(Default)]
pub(crate) struct Open {
    rows: Vec<String>,
    prefix: String,
}

/// Looking at a clock does not fail.
fn elapsed(outside: &Outside<'_>, mishap: Mishap, effect: Elapsed) -> Progress {
    let mishap = match mishap {
        Mishap::KillBefore | Mishap::KillAfter => mishap,
        _ => Mishap::None,
    };
    with(mishap, effect.0, || Ok(outside.elapsed))
}

fn store_effect(outside: &mut Outside<'_>, mishap: Mishap, effect: StoreEffect) -> Progress {
    match &effect {
        StoreEffect::Claim(key, ..)
        | StoreEffect::Find(key, ..)
        | StoreEffect::CompareAndSwap { key, .. } => outside.touch(key),
        StoreEffect::Read(keys, ..) => keys.iter().for_each(|key| outside.touch(key)),
        StoreEffect::List { prefix, .. } | StoreEffect::ListFolders { prefix, .. } => {
            outside.touch(prefix);
        }
    }
    let store = &mut *outside.store;
    match effect {
        StoreEffect::Claim(key, body, responder) => with(mishap, responder, || {
            Ok(store.claim(key, body)) as Result<Claimed, Fault>
        }),
        StoreEffect::Find(key, responder) => with(mishap, responder, || Ok(store.find(&key))),
        StoreEffect::CompareAndSwap {
            key,
            body,
            found,
            responder,
        } => with(mishap, responder, || {
            Ok(store.swap(key, body, found.as_deref()))
        }),
        StoreEffect::Read(keys, responder) => with(mishap, responder, || {
            Ok(keys.iter().map(|key| store.read(key)).collect())
        }),
        StoreEffect::List {
            prefix,
            after,
            responder,
        } => with(mishap, responder, || {
            Ok(store.list(&prefix, after.as_deref()))
        }),
        StoreEffect::ListFolders {
            prefix,
            after,
            before,
            responder,
        } => with(mishap, responder, || {
            Ok(store.list_folders(&prefix, &after, &before))
        }),
    }
}

pub(crate) fn trigger_effect(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    effect: TriggerEffect,
) -> Progress {
    let throttled = (mishap == Mishap::Throttled).then(|| refusal(outside));
    match effect {
        TriggerEffect::Elapsed(effect) => elapsed(outside, mishap, effect),
        TriggerEffect::Store(effect) => store_effect(outside, mishap, effect),
        TriggerEffect::Register(definition, responder) => with(mishap, responder, || {
            outside.ask_for(&definition);
            if !outside.tenant.dialect.can_cancel() {
                return Ok(None);
            }
            throttled.map_or(Ok(()), Err)?;
            let id = outside.tenant.register(definition.name.as_str());
            Ok(Some(id))
        }),
        TriggerEffect::StartRun(request, responder) => with(mishap, responder, || {
            outside.ask_for(&request.definition);
            in_time(outside, request.within)?;
            outside.tenant.called(outside.now);
            throttled.map_or(Ok(()), Err)?;
            Ok(outside.tenant.start(
                outside.rng,
                outside.now,
                request.schedule.as_ref(),
                request.window,
            ))
        }),
        TriggerEffect::RecordFreshness(_, responder) => with(mishap, responder, || Ok(())),
        TriggerEffect::CancelRun(_, run, responder) => with(mishap, responder, || {
            outside.tenant.cancel(outside.now, &run);
            Ok(())
        }),
    }
}

pub(crate) fn fetch_effect(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    open: &mut Open,
    effect: FetchEffect,
) -> Progress {
    let throttled = (mishap == Mishap::Throttled).then(|| refusal(outside));
    match effect {
        FetchEffect::Elapsed(effect) => elapsed(outside, mishap, effect),
        FetchEffect::Store(effect) => store_effect(outside, mishap, effect),
        FetchEffect::Page(request, responder) => {
            // A page whose answer is lost is a page that broke off.
            let mishap = if mishap == Mishap::LoseAnswer {
                Mishap::None
            } else {
                mishap
            };
            with(mishap, responder, || {
                outside.ask_for(&request.definition);
                in_time(outside, request.within)?;
                outside.tenant.called(outside.now);
                throttled.map_or(Ok(()), Err)?;
                let (rows, mut page) =
                    outside
                        .tenant
                        .page(outside.now, &request.run_id, request.token.as_ref())?;
                open.prefix = request.part_prefix;
                if outside.rng.chance(outside.torn) {
                    let some = outside.rng.index(rows.len() + 1);
                    open.rows.extend(rows.into_iter().take(some));
                    let why = Fault::Unavailable("the page broke off".to_owned());
                    return Err(Fault::Torn(Box::new(why)));
                }
                open.rows.extend(rows);
                page.close = outside.rng.chance(200);
                page.stop = outside.rng.chance(200) || outside.tenant.page_size.is_some();
                Ok(page)
            })
        }
        FetchEffect::Close(responder) => with(mishap, responder, || {
            let rows = std::mem::take(&mut open.rows);
            if rows.is_empty() {
                return Ok(ClosedParts::default());
            }
            outside.touch(&open.prefix);
            let half = rows.len() / 2;
            let (first, second) = rows.split_at(half);
            Ok(ClosedParts {
                columns: count_columns(&rows),
                parts: [first, second]
                    .into_iter()
                    .filter(|rows| !rows.is_empty())
                    .map(|rows| outside.store.put_part(&open.prefix, rows.to_vec()))
                    .collect(),
            })
        }),
        FetchEffect::Discard(responder) => with(mishap, responder, || {
            open.rows.clear();
            Ok(())
        }),
    }
}

/// What is counted of rows here: one column, so that the sum over all batches can be held against the commit's rows.
fn count_columns(rows: &[String]) -> ColumnCounts {
    let rows = rows.len() as u64;
    ColumnCounts {
        columns: vec![ColumnCount {
            name: "row".to_owned(),
            rows,
            kinds: BTreeMap::from([(ValueKind::Object, rows)]),
            empty_texts: Some(0),
        }],
        unlisted: 0,
    }
}

pub(crate) fn finalize_effect(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    effect: FinalizeEffect,
) -> Progress {
    match effect {
        FinalizeEffect::Store(effect) => store_effect(outside, mishap, effect),
        FinalizeEffect::Check(parts, responder) => with(mishap, responder, || {
            Ok(parts
                .iter()
                .find(|part| !outside.store.check(part))
                .map(|part| part.key.clone()))
        }),
        FinalizeEffect::Merge(parts, responder) => {
            with(mishap, responder, || Ok(outside.store.merge(&parts)))
        }
        FinalizeEffect::Compare(_, responder) => with(mishap, responder, || Ok(None)),
        FinalizeEffect::Rewrite(request, responder) => with(mishap, responder, || {
            outside.touch(&request.part.key);
            let rows = outside.store.rows(&request.part.key).to_vec();
            let stay = (0..)
                .zip(rows)
                .filter(|(number, _)| !request.without.contains(number))
                .map(|(_, row)| row)
                .collect();
            Ok(outside.store.put_part(&request.part_prefix, stay))
        }),
    }
}

pub(crate) fn publish_effect(
    outside: &mut Outside<'_>,
    mishap: Mishap,
    effect: PublishEffect,
) -> Progress {
    match effect {
        PublishEffect::Store(effect) => store_effect(outside, mishap, effect),
        PublishEffect::WriteRows(request, responder) => {
            with(mishap, responder, || Ok(write_rows(outside, &request)))
        }
        PublishEffect::IsSpent(responder) => with(mishap, responder, || {
            let is_spent = outside.rng.chance(300);
            Ok(is_spent)
        }),
        PublishEffect::Record(_, responder) => with(mishap, responder, || Ok(())),
    }
}

/// Stores the rows of a commit's parts as a file for each part, as rows are stored here.
fn write_rows(outside: &mut Outside<'_>, request: &WriteRequest) -> WrittenRows {
    let WriteRequest {
        commit,
        schema,
        table,
    } = request;
    let mut files = Vec::new();
    for (nth, part) in commit.parts.iter().enumerate() {
        outside.touch(&part.key);
        let Some(rows) = outside.store.find_rows(&part.key).cloned() else {
            return WrittenRows::Gone(part.key.clone());
        };
        let path = file_path(commit, nth, &outside.store.next_unique());
        outside.touch(&table.file(&path));
        let written = WrittenFile {
            rows: rows.len() as u64,
            bytes: rows.iter().map(|row| row.len() as u64).sum(),
            nulls: vec![0; schema.fields().len()],
            tally: Tally::default(),
        };
        outside.store.put_file(table.file(&path), rows);
        files.push(NewFile { path, written });
    }
    WrittenRows::Files(files)
}
