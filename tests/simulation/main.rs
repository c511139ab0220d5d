//! The deployed decisions, under the deployed state machine, through thousands of schedules in
//! which processes are killed, answers are lost and the tenant misbehaves.
//!
//! A failing seed is replayed with `SIMULATION_SEED=…`; `SIMULATION_SEEDS=…` runs more of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a model that is not what it should be is a failed test"
)]

mod canaries;
mod consumer;
mod content;
mod customer;
mod delay;
mod effects;
mod expectation;
mod fate;
mod habit;
mod invocation;
mod judge;
mod looks;
mod oracle;
mod outside;
mod rng;
mod session;
mod setup;
mod source;
mod store;
mod story;
mod table;
mod tenant;
mod world;
mod writings;

/// The copies that tests/build.rs made: a module for each bug, and what no bug changes.
#[allow(clippy::allow_attributes, warnings, clippy::pedantic)]
mod planted {
    include!(concat!(env!("OUT_DIR"), "/planted.rs"));
}

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use asl::StateMachine;

use crate::canaries::Kind;
use crate::habit::Habit;
use crate::invocation::Flows;
use crate::setup::{DIALECTS, Figures, OutsideBug, Setup};
use crate::story::Story;
use crate::world::World;

include!(concat!(env!("OUT_DIR"), "/planted_list.rs"));

/// Seeds in the test command.
const SEEDS: u64 = 1_000;

/// Every so many of them are searched for leaks.
const SEARCHED: u64 = 3;

fn machine() -> Arc<StateMachine> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../infra/report-pipeline.asl.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let names = BTreeMap::from(
        [
            ("TriggerArn", "trigger"),
            ("PollOnceArn", "poll-once"),
            ("FetchPageArn", "fetch-page"),
            ("CancelArn", "cancel"),
            ("FinalizeArn", "finalize"),
            ("PublishArn", "publish"),
            ("NoticeTopicArn", "topic"),
            ("AlertTopicArn", "topic"),
            ("Partition", "aws"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let text = asl::substitute(&text, &names).unwrap();
    Arc::new(StateMachine::parse(&text).unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds is said by the environment"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn setup(seed: u64) -> Setup {
    Setup {
        seed,
        flows: flows!(delivery::flow),
        kill_at: None,
        story: None,
        habit: Habit::Proper,
        dialect: None,
        outside: None,
        searches: false,
        leak: None,
        pages: None,
    }
}

/// Runs a test on a stack on which no expression of the state machine has to be given one of its own: that is
/// half of the time. Gives what it has to tell.
fn roomy(test: fn(&Arc<StateMachine>) -> String) -> String {
    let thread = roomy_thread().spawn(move || test(&machine())).unwrap();
    thread
        .join()
        .unwrap_or_else(|violation| std::panic::resume_unwind(violation))
}

fn roomy_thread() -> thread::Builder {
    thread::Builder::new().stack_size(64 << 20)
}

/// Does the same for each item on all cores, and gives what came of it in their order.
fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let take = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return;
            };
            let result = work(item);
            done.lock().unwrap().insert(at, result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            roomy_thread().spawn_scoped(scope, take).unwrap();
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

#[test]
fn nothing_is_lost_and_nothing_is_doubled() {
    println!("{}", roomy(random_schedules));
}

fn random_schedules(machine: &Arc<StateMachine>) -> String {
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS),
    };
    let started = Instant::now();
    let mut all = Figures::default();
    let count = u32::try_from(seeds.end - seeds.start).unwrap();
    let seeds: Vec<u64> = seeds.collect();
    let figures = spread(&seeds, |seed| {
        let setup = Setup {
            searches: seed % SEARCHED == 0,
            ..setup(*seed)
        };
        World::new(setup, machine).run().unwrap_or_else(|violation| panic!(
            "seed {seed}: {violation}\nreplay it with: SIMULATION_SEED={seed} cargo test -p pipeline-tests --test simulation"
        ))
    });
    for figures in figures {
        all.add(figures);
    }
    let places = [Kind::Page, Kind::Link, Kind::Row];
    let all_seen = places.iter().all(|kind| all.seen & (1 << *kind as u8) != 0);
    assert!(all_seen || count < 100, "canaries that nobody has seen");
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    format!("{count} schedules, {all:?}, 0 violations, {rate:.0} schedules a second")
}

#[test]
fn a_good_day_survives_a_kill_at_every_effect() {
    println!("{}", roomy(single_kills));
}

/// A day, and something else that may be asked for.
const STORIES: [Story; 7] = [
    Story {
        windows: true,
        ..Story::DAY
    },
    Story {
        withdraws: true,
        ..Story::DAY
    },
    Story {
        restates: true,
        ..Story::DAY
    },
    Story {
        expects: true,
        ..Story::DAY
    },
    Story {
        stored: true,
        ..Story::DAY
    },
    Story {
        cancels: true,
        ..Story::DAY
    },
    Story {
        publishes: true,
        repeats: true,
        ..Story::DAY
    },
];

fn single_kills(machine: &Arc<StateMachine>) -> String {
    let day = |seed, dialect| (seed, dialect, Story::DAY);
    let days = [1, 2, 3].map(|seed| day(seed, DIALECTS[0]));
    let others = DIALECTS[1..].iter().map(|dialect| day(1, *dialect));
    let stories = STORIES.iter().map(|story| (1, DIALECTS[0], *story));
    let mut points = 0;
    for (seed, dialect, story) in days.into_iter().chain(others).chain(stories) {
        let setup = |kill_at| Setup {
            dialect: Some(dialect),
            story: Some(story),
            kill_at: Some(kill_at),
            ..setup(seed)
        };
        let undisturbed = World::new(setup(u64::MAX), machine).run().unwrap();
        let kills: Vec<u64> = (0..undisturbed.effects * 2).collect();
        points += kills.len();
        spread(&kills, |kill_at| {
            let result = World::new(setup(*kill_at), machine).run();
            assert!(
                result.is_ok(),
                "{dialect:?}, {story:?}, seed {seed}, kill point {kill_at}: {result:?}"
            );
        });
    }
    format!("{points} kill points")
}

#[test]
fn three_thousand_batches_take_two_executions_and_are_one_commit() {
    println!("{}", roomy(three_thousand_batches));
}

fn three_thousand_batches(machine: &Arc<StateMachine>) -> String {
    let setup = Setup {
        dialect: Some(DIALECTS[0]),
        kill_at: Some(u64::MAX),
        story: Some(Story::DAY),
        pages: Some(3_000),
        ..setup(1)
    };
    let figures = World::new(setup, machine).run().unwrap();
    assert_eq!((figures.executions, figures.commits), (2, 1));
    assert_eq!(figures.slots, 3_000);
    assert!(figures.events < 20_000, "{} events", figures.events);
    format!("{figures:?}")
}

/// How many schedules it takes to find a bug, at most.
const PATIENCE: u64 = 500;

/// The first schedule that shows a bug or a mistake, and what it shows. Without the bug nothing is wrong with it.
fn caught(bugged: impl Fn(u64) -> Setup, machine: &Arc<StateMachine>) -> Option<(u64, String)> {
    let found = (0..PATIENCE).find_map(|seed| {
        let violation = World::new(bugged(seed), machine).run().err()?;
        Some((seed, violation))
    })?;
    let bugged = bugged(found.0);
    let without = Setup {
        story: bugged.story,
        ..setup(found.0)
    };
    let without = World::new(without, machine).run();
    assert!(without.is_ok(), "seed {}: {without:?}", found.0);
    Some(found)
}

/// What goes wrong at the same moment as a withdrawal is looked for where there are both, and what goes wrong between two executions
/// of one window is looked for where nothing else is asked for.
fn story_of(bug: &str) -> Option<Story> {
    if bug == "pages_of_two_runs" || bug == "a_run_without_its_last_pages" {
        return Some(Story {
            repeats: true,
            ..Story::DAY
        });
    }
    if bug.contains("publish") {
        return Some(Story {
            publishes: true,
            repeats: true,
            windows: true,
            ..Story::DAY
        });
    }
    if bug.contains("stored") {
        return Some(Story {
            stored: true,
            ..Story::DAY
        });
    }
    let restates = bug.contains("restatement");
    let expects = bug.contains("expectation");
    (restates || expects).then_some(Story {
        restates,
        expects,
        withdraws: true,
        ..Story::DAY
    })
}

#[test]
fn every_planted_bug_is_caught() {
    println!("{}", roomy(planted_bugs));
}

fn planted_bugs(machine: &Arc<StateMachine>) -> String {
    let planted = spread(PLANTED, |(name, flows)| {
        let story = story_of(name);
        let planted = |seed| Setup {
            flows: *flows,
            story,
            searches: name.starts_with("a_page_token"),
            ..setup(seed)
        };
        ((*name).to_owned(), caught(planted, machine))
    });
    let outside = spread(&OutsideBug::ALL, |bug| {
        let outside = |seed| Setup {
            outside: Some(*bug),
            ..setup(seed)
        };
        (format!("{bug:?}"), caught(outside, machine))
    });
    let (mut told, mut missed) = (Vec::new(), Vec::new());
    for (name, found) in planted.into_iter().chain(outside) {
        match found {
            Some((seed, violation)) => told.push(format!("{name}: seed {seed}: {violation}")),
            None => missed.push(name),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
    format!(
        "{}\n{} of {} caught",
        told.join("\n"),
        told.len(),
        told.len()
    )
}

#[test]
fn every_mistake_of_a_consumer_is_caught() {
    println!("{}", roomy(consumers_mistakes));
}

fn consumers_mistakes(machine: &Arc<StateMachine>) -> String {
    let told = Habit::MISTAKES.map(|habit| {
        let found = caught(
            |seed| Setup {
                habit,
                ..setup(seed)
            },
            machine,
        );
        let (seed, violation) = found.unwrap_or_else(|| panic!("not caught: {habit:?}"));
        format!("{habit:?}: seed {seed}: {violation}")
    });
    told.join("\n")
}

#[test]
fn every_planted_leak_is_found_however_it_is_written() {
    println!("{}", roomy(planted_leaks));
}

fn planted_leaks(machine: &Arc<StateMachine>) -> String {
    let mut count = 0;
    for kind in Kind::ALL {
        let writings = writings::writings(kind.text()).into_iter();
        // What is escaped that often already is escaped further in a history.
        for written in writings.filter(|text| !text.contains(r"\\")) {
            let leak: &'static str = written.clone().leak();
            let found = caught(
                |seed| Setup {
                    searches: true,
                    leak: Some(leak),
                    ..setup(seed)
                },
                machine,
            );
            let (_, violation) = found.unwrap_or_else(|| panic!("not found: {written}"));
            assert!(
                violation.starts_with(&format!("{kind:?} leaked")),
                "{violation}"
            );
            count += 1;
        }
    }
    format!("{count} leaks found")
}
