//! Three executions for the same day at once, whose processes are killed and whose answers are lost at random.

use std::collections::HashMap;
use std::fmt;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use asl::{Description, Status};
use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use local::handlers::NAMES;
use local_aws::{Action, Call};
use tokio::sync::Notify;

use crate::rng::Rng;
use crate::small_day::{SmallDay, SmallDayBuilder};

/// Schedules in the test command.
const SEEDS: u64 = 20;

/// Schedules under way at once: most of their time goes by in the pauses of the SDK.
const AT_ONCE: usize = 6;

/// An execution is redriven so often before the disturbances end.
const PATIENCE: u64 = 4;

/// What may end an execution: interruptions, and nothing that says that something is wrong.
const INTERRUPTIONS: [&str; 2] = ["Runtime.ExitError", "Cxone.Unavailable"];

/// How the tenant misbehaves meanwhile, if it does.
const TENANT: [Option<&str>; 4] = [
    None,
    Some("start-run-ambiguous"),
    Some("token-expires:after=9"),
    Some("slow-run:seconds=300"),
];

/// Decides what happens to the calls of the handlers.
struct Schedule {
    seed: u64,
    per_mille: u64,
    /// The replay is requested at this call.
    replay_at: u64,
    is_replay_due: Notify,
    /// How often each function has made each kind of call.
    made: Mutex<HashMap<(String, String), u64>>,
    figures: Counts,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    kills: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            per_mille: [15, 40, 80, 150][Rng::new(seed).index(4)],
            replay_at: 1 + Rng::new(seed ^ 0xAF7E).below(60),
            is_replay_due: Notify::new(),
            made: Mutex::default(),
            figures: Counts::default(),
        }
    }

    /// Follows from the seed and from how often this function made this call, not from what the others do meanwhile.
    fn decide(&self, call: &Call) -> Action {
        let Some(caller) = &call.caller else {
            return Action::Pass;
        };
        let mut hash = self.seed;
        for byte in caller.function.bytes().chain(call.operation.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let times = made
            .entry((caller.function.clone(), call.operation.clone()))
            .or_default();
        *times += 1;
        let mut rng = Rng::new(hash ^ (*times << 40));
        let counts = &self.figures;
        if counts.calls.fetch_add(1, Ordering::Relaxed) + 1 == self.replay_at {
            self.is_replay_due.notify_one();
        }
        if !rng.chance(self.per_mille) {
            return Action::Pass;
        }
        let (counter, action) = match rng.below(10) {
            0..3 => (&counts.kills, Action::KillBefore),
            3..6 => (&counts.kills, Action::KillAfter),
            6..8 => (&counts.lost, Action::LoseAnswer),
            8 => (&counts.lost, Action::Cut),
            _ => (&counts.refused, busy(call)),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        action
    }
}

/// What AWS says when it has no time.
fn busy(call: &Call) -> Action {
    let (status, code) = match &*call.operation {
        "PutObject" => (409, "ConditionalRequestConflict"),
        "GetSecretValue" | "PutSecretValue" => (400, "ThrottlingException"),
        _ => (503, "SlowDown"),
    };
    Action::Refuse {
        status,
        code: code.to_owned(),
        message: "as the schedule wants it".to_owned(),
    }
}

/// What schedules amount to.
#[derive(Default)]
struct Figures {
    schedules: u64,
    calls: u64,
    kills: u64,
    lost: u64,
    refused: u64,
    processes: u64,
    redrives: u64,
    runs: u64,
    unused_runs: u64,
    commits: u64,
    looks: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.calls += other.calls;
        self.kills += other.kills;
        self.lost += other.lost;
        self.refused += other.refused;
        self.processes += other.processes;
        self.redrives += other.redrives;
        self.runs += other.runs;
        self.unused_runs += other.unused_runs;
        self.commits += other.commits;
        self.looks += other.looks;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} schedules: {} kills, {} lost answers and {} refusals in {} calls of {} processes; \
             {} redrives, {} runs of which {} were of no use, {} commits; the bucket was looked at {} times",
            self.schedules,
            self.kills,
            self.lost,
            self.refused,
            self.calls,
            self.processes,
            self.redrives,
            self.runs,
            self.unused_runs,
            self.commits,
            self.looks,
        )
    }
}

async fn play(seed: u64) -> Figures {
    let fault = TENANT[Rng::new(!seed).index(TENANT.len())];
    let faults = fault.into_iter().map(|fault| fault.parse().unwrap());
    let setup = SmallDayBuilder::new().tenant(|tenant| tenant.faults = faults.collect());
    let pipeline = setup.start().await;
    let schedule = Arc::new(Schedule::new(seed));
    let (decides, witness) = (Arc::clone(&schedule), pipeline.witness.clone());
    pipeline.world.gateway().set_hook(move |call| {
        witness.look();
        decides.decide(call)
    });
    let redrives = three_at_once(&pipeline, &schedule).await;
    let log = check(&pipeline);
    figures(&pipeline, &schedule, redrives, log)
}

/// The day's execution, a second firing, and a replay somewhere among their calls. Gives the number of redrives.
async fn three_at_once(pipeline: &SmallDay, schedule: &Schedule) -> u64 {
    let event = pipeline.event.to_json();
    let mut arns = {
        let _still = pipeline.world.clock().busy();
        [(); 2]
            .map(|()| pipeline.world.fire(event.clone()).unwrap())
            .to_vec()
    };
    let are_over = join_all(arns.iter().map(|arn| pipeline.finish(arn)));
    tokio::select! {
        () = schedule.is_replay_due.notified() => {}
        _ = are_over => {}
    }
    arns.push(pipeline.world.fire(pipeline.replay()).unwrap());
    let ends = arns.iter().map(|arn| see_through(pipeline, arn));
    join_all(ends).await.into_iter().sum()
}

/// Redrives the execution until it has succeeded.
async fn see_through(pipeline: &SmallDay, arn: &str) -> u64 {
    let mut ended = pipeline.finish(arn).await;
    for redrives in 0.. {
        if ended.status == Status::Succeeded {
            let ends = ["Delivered", "Nothing to do"];
            assert!(ends.contains(&&*ended.state), "{ended:?}");
            return redrives;
        }
        interrupted(&ended);
        assert!(redrives <= PATIENCE, "undisturbed and not done: {ended:?}");
        if redrives == PATIENCE {
            pipeline.world.gateway().clear_hook();
        }
        ended = pipeline.redrive(&ended).await;
    }
    unreachable!("the loop has no end of its own")
}

fn interrupted(ended: &Description) {
    assert_eq!(ended.status, Status::Failed, "{ended:?}");
    let error = ended.error.as_deref().unwrap_or_default();
    assert!(INTERRUPTIONS.contains(&error), "{ended:?}");
}

/// Holds the log against the tenant; gives its length.
fn check(pipeline: &SmallDay) -> u64 {
    let log = pipeline.log();
    // The day, and the replay unless it came before there was anything to be replayed.
    assert!((1..=2).contains(&log.len()), "{log:#?}");
    for commit in &log {
        pipeline.check_rows(commit);
    }
    if let [before, after] = &log[..] {
        assert!(before.generation < after.generation, "{log:#?}");
        assert_eq!(after.supersedes, Some(before.version));
        assert!(after.unchanged);
    }
    log.len() as u64
}

fn figures(pipeline: &SmallDay, schedule: &Schedule, redrives: u64, commits: u64) -> Figures {
    let runs = pipeline.tenant().runs();
    let log = pipeline.world.log().unwrap();
    let is_used = |id: &str| {
        let mut used = log.iter().flat_map(|commit| &commit.runs);
        used.any(|run| run.run_id.as_str() == id)
    };
    let counts = &schedule.figures;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Figures {
        schedules: 1,
        calls: count(&counts.calls),
        kills: count(&counts.kills),
        lost: count(&counts.lost),
        refused: count(&counts.refused),
        processes: NAMES
            .map(|name| pipeline.world.lambda().started(name))
            .iter()
            .sum(),
        redrives,
        runs: runs.len() as u64,
        unused_runs: runs.iter().filter(|run| !is_used(&run.id)).count() as u64,
        commits,
        looks: pipeline.witness.looks(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds is said by the environment"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test]
async fn three_executions_at_once_survive_random_kills() {
    let seeds = match number("PROCESSES_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PROCESSES_SEEDS").unwrap_or(SEEDS),
    };
    let started = Instant::now();
    let played = futures_util::stream::iter(seeds).map(|seed| async move {
        let played = AssertUnwindSafe(play(seed)).catch_unwind().await;
        played.unwrap_or_else(|violation| {
            eprintln!(
                "schedule {seed} failed; play it again with: PROCESSES_SEED={seed} cargo test -p pipeline-tests --test processes three"
            );
            resume_unwind(violation)
        })
    });
    let mut all = Figures::default();
    let mut played = played.buffer_unordered(AT_ONCE);
    while let Some(figures) = played.next().await {
        all += figures;
    }
    println!("{all}; {:.1} s", started.elapsed().as_secs_f64());
    assert!(all.kills > 0 || all.schedules < SEEDS, "nobody was killed");
}
