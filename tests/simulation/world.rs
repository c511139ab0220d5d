//! One schedule: executions, their invocations, a clock, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use asl::{Execution, ExecutionSpec, StateMachine, Status, Step};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::canaries;
use crate::consumer::{Consumer, Habit, Told};
use crate::invocation::{Flows, Invocation, Mishap, Outside, Progress, killed};
use crate::oracle::Oracle;
use crate::rng::Rng;
use crate::session::{Signed, Vault};
use crate::store::Store;
use crate::tenant::{Tenant, day_before, jump};
use definition::Dialect;

/// Nothing that a schedule does takes longer than this many steps.
const STEPS_MAX: u64 = 60_000;

/// From this step on nothing goes wrong any more.
const FAULTY_STEPS: u64 = 1_500;

/// How a schedule is run.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) flows: Flows,
    /// Kill at exactly this effect, and let nothing else go wrong.
    pub(crate) kill_at: Option<u64>,
    /// A planted bug outside the decisions: claims overwrite.
    pub(crate) claims_overwrite: bool,
    /// A planted bug outside the decisions: swaps do not compare.
    pub(crate) swaps_overwrite: bool,
    /// How the consumer works.
    pub(crate) habit: Habit,
    /// Which API; by chance if none.
    pub(crate) dialect: Option<Dialect>,
    /// A planted bug outside the decisions: the token secret is written whatever version is there.
    pub(crate) writes_blindly: bool,
    /// A planted leak: the tenant's explanation of a failed run has this in it, as if nobody had taken it out.
    pub(crate) leak: Option<&'static str>,
    /// A day of so many pages, each of which is a batch of its own, in which nothing goes wrong.
    pub(crate) pages: Option<u64>,
}

/// What a schedule came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) effects: u64,
    pub(crate) kills: u64,
    pub(crate) lost: u64,
    pub(crate) runs: u64,
    pub(crate) commits: u64,
    pub(crate) redrives: u64,
    pub(crate) zombies: u64,
    /// What happened to the consumer.
    pub(crate) told: Told,
    /// What happened to access tokens.
    pub(crate) signed: Signed,
    /// What was seen where it belongs, a bit a kind.
    pub(crate) seen: u8,
    pub(crate) executions: usize,
    /// Events of the longest history.
    pub(crate) events: usize,
    pub(crate) slots: usize,
}

struct Running {
    execution: Execution,
    task: bool,
    wake: Timestamp,
    redrives: u32,
}

pub(crate) struct World<'a> {
    setup: Setup,
    machine: &'a Arc<StateMachine>,
    rng: Rng,
    now: Timestamp,
    day: Timestamp,
    store: Store,
    tenant: Tenant,
    vault: Vault,
    journal: String,
    executions: Vec<Running>,
    invocations: Vec<Invocation>,
    to_start: Vec<(Timestamp, Value)>,
    replays: BTreeSet<String>,
    oracle: Oracle,
    consumer: Consumer,
    figures: Figures,
    definition: Value,
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: Setup, machine: &'a Arc<StateMachine>) -> Self {
        let mut rng = Rng::new(setup.seed);
        let day: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let dialect = setup.dialect.unwrap_or_else(|| any_dialect(&mut rng));
        let mut tenant = Tenant::new(&mut rng, day, dialect);
        let definition = definition(&mut rng, dialect);
        if setup.kill_at.is_some() {
            tenant.faulty = false;
        }
        if let Some(pages) = setup.pages {
            tenant.fill(day, pages);
        }
        let consumer = Consumer::new(setup.habit, &mut rng);
        let mut world = Self {
            setup,
            machine,
            now: "2026-11-22T02:00:00Z".parse().unwrap(),
            day,
            store: Store::default(),
            tenant,
            vault: Vault::default(),
            journal: String::new(),
            executions: Vec::new(),
            invocations: Vec::new(),
            to_start: Vec::new(),
            replays: BTreeSet::new(),
            oracle: Oracle::default(),
            consumer,
            figures: Figures::default(),
            definition,
            rng,
        };
        world.store.claims_overwrite = setup.claims_overwrite;
        world.store.swaps_overwrite = setup.swaps_overwrite;
        world.vault.writes_blindly = setup.writes_blindly;
        world.tenant.says = setup.leak.map(str::to_owned);
        world.plan();
        world
    }

    /// Who starts what, and when.
    fn plan(&mut self) {
        let daily = self.event("daily", self.day, false);
        let start = if self.rng.chance(200) {
            "02:00:00"
        } else {
            "05:30:00"
        };
        let at: Timestamp = format!("2026-11-22T{start}Z").parse().unwrap();
        self.to_start.push((at, daily.clone()));
        if self.setup.kill_at.is_some() {
            return;
        }
        if self.rng.chance(400) {
            let later = self.seconds(600);
            self.to_start.push((at + later, daily));
        }
        // A template's range is about one day only.
        let any_day = !self.tenant.sums_up();
        if any_day && self.rng.chance(300) {
            // The day before comes late, into the same log.
            let later = self.seconds(3_600);
            let late = self.event("late", day_before(self.day), false);
            self.to_start.push((at + later, late));
        }
        for name in ["replay-1", "replay-2"] {
            if self.rng.chance(300) {
                let later = self.seconds(14_400);
                let day = match self.rng.below(4) {
                    0 if any_day => day_before(self.day),
                    _ => self.day,
                };
                let replay = self.event(name, day, true);
                self.to_start.push((at + later, replay.clone()));
                if self.rng.chance(200) {
                    let later = later + self.seconds(60);
                    self.to_start.push((at + later, replay));
                }
            }
        }
    }

    fn seconds(&mut self, below: u64) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.rng.below(below)).unwrap())
    }

    fn event(&self, id: &str, day: Timestamp, replay: bool) -> Value {
        let hours = SignedDuration::from_hours;
        let mut detail = json!({ "definition": self.definition });
        if replay {
            detail["window"] = json!({"start": day, "end": day + hours(24)});
            detail["replay"] = json!({"reason": "restated", "requestedBy": "simulation"});
        }
        let time = day + hours(29) + SignedDuration::from_mins(30);
        json!({
            "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler",
            "account": "123456789012", "time": time, "region": "eu-central-1",
            "resources": [], "detail": detail,
        })
    }

    /// Runs the schedule to its end.
    pub(crate) fn run(mut self) -> Result<Figures, String> {
        // A page costs its turn of the state machine and the effects of one invocation.
        let steps_max = STEPS_MAX + 100 * self.setup.pages.unwrap_or(0);
        for step in 0..steps_max {
            if self.setup.kill_at.is_none() && step == FAULTY_STEPS {
                self.tenant.faulty = false;
            }
            let faulty = self.setup.kill_at.is_none() && step < FAULTY_STEPS;
            self.start_what_is_due();
            if !self.one_step(faulty)? {
                if self.finished() {
                    return self.judge();
                }
                if !self.advance() {
                    return Err("nothing is left to do, and it is not done".to_owned());
                }
            }
        }
        let states: Vec<_> = self
            .executions
            .iter()
            .map(|running| {
                (
                    running.execution.status(),
                    running.execution.state().to_owned(),
                )
            })
            .collect();
        Err(format!("no end after {steps_max} steps: {states:?}"))
    }

    fn start_what_is_due(&mut self) {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.to_start)
            .into_iter()
            .partition(|(at, _)| *at <= self.now);
        self.to_start = later;
        for (_, event) in due {
            if event["detail"].get("replay").is_some() {
                self.replays
                    .insert(event["id"].as_str().unwrap().to_owned());
                if self.rng.chance(500) {
                    let start = event["detail"]["window"]["start"].as_str().unwrap();
                    self.tenant.restate(&mut self.rng, start.parse().unwrap());
                }
            }
            self.start(event);
        }
    }

    fn start(&mut self, event: Value) {
        let number = self.executions.len();
        let spec = ExecutionSpec {
            arn: format!("arn:aws:states:eu-central-1:123456789012:execution:p:{number}"),
            name: number.to_string(),
            state_machine_arn: "arn:aws:states:eu-central-1:123456789012:stateMachine:p".to_owned(),
            state_machine_name: "p".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/p".to_owned(),
        };
        let seed = self.rng.next();
        let execution =
            Execution::start(Arc::clone(self.machine), spec, event, self.now, seed).unwrap();
        self.executions.push(Running {
            execution,
            task: false,
            wake: self.now,
            redrives: 0,
        });
    }

    /// Lets one execution or one invocation do something; `false` if none can.
    fn one_step(&mut self, faulty: bool) -> Result<bool, String> {
        let ready: Vec<usize> = (0..self.executions.len())
            .filter(|&i| self.can_step(i))
            .collect();
        let busy: Vec<usize> = (0..self.invocations.len())
            .filter(|&i| self.invocations[i].busy_until <= self.now)
            .collect();
        self.consumer.answer_bells(self.now);
        let readers = self.consumer.ready(self.now);
        let all = ready.len() + busy.len() + readers.len();
        if all == 0 {
            return Ok(false);
        }
        let choice = self.rng.index(all);
        if let Some(&execution) = ready.get(choice) {
            self.step_execution(execution, faulty);
        } else if let Some(&invocation) = busy.get(choice - ready.len()) {
            self.step_invocation(invocation, faulty)?;
        } else {
            self.step_consumer(readers[choice - ready.len() - busy.len()], faulty)?;
        }
        Ok(true)
    }

    /// Whatever it does, a query never sees anything but what was committed, and never goes back.
    fn step_consumer(&mut self, process: usize, faulty: bool) -> Result<(), String> {
        let before = self.consumer.holdings.version;
        self.consumer
            .step(process, &mut self.rng, self.now, faulty, &self.store);
        self.oracle.holds(&self.consumer.holdings)?;
        if self.consumer.holdings.version < before {
            return Err(format!("a consumer went back from version {before}"));
        }
        Ok(())
    }

    fn can_step(&self, index: usize) -> bool {
        let running = &self.executions[index];
        running.execution.status() == Status::Running && !running.task && running.wake <= self.now
    }

    fn step_execution(&mut self, index: usize, faulty: bool) {
        let running = &mut self.executions[index];
        match running.execution.step(self.now) {
            Step::Done => {}
            Step::WaitUntil(until) => running.wake = until,
            Step::Task(call) => match &*call.resource {
                "arn:aws:states:::sns:publish" => {
                    if faulty && self.rng.chance(100) {
                        running
                            .execution
                            .fail_task(self.now, "Sns.InternalError", None)
                            .unwrap();
                    } else {
                        running
                            .execution
                            .succeed_task(self.now, json!({"MessageId": "1"}))
                            .unwrap();
                    }
                }
                "arn:aws:states:::aws-sdk:sfn:startExecution" => {
                    let input = call.arguments["Input"].as_str().unwrap();
                    let event = serde_json::from_str(input).unwrap();
                    running
                        .execution
                        .succeed_task(self.now, json!({"ExecutionArn": "next"}))
                        .unwrap();
                    self.start(event);
                }
                _ => {
                    running.task = true;
                    let function = call.arguments["FunctionName"].as_str().unwrap();
                    let mut payload = call.arguments["Payload"].clone();
                    let spaced = self.tenant.dialect.spacing().is_some();
                    if faulty && !spaced && self.rng.chance(20) {
                        // The state machine's clock was turned back. Calls can be spaced by a clock that is right only.
                        let now = self.now - self.seconds(600);
                        payload["now"] = json!(now);
                    }
                    let twice = faulty && self.rng.chance(20);
                    self.invoke(index, function, payload.clone(), true);
                    if twice {
                        self.invoke(index, function, payload, false);
                    }
                }
            },
        }
    }

    fn invoke(&mut self, execution: usize, function: &str, payload: Value, awaited: bool) {
        let mut invocation =
            Invocation::start(self.setup.flows, execution, function, payload, self.now);
        invocation.awaited = awaited;
        self.invocations.push(invocation);
    }

    fn step_invocation(&mut self, index: usize, faulty: bool) -> Result<(), String> {
        if faulty && self.invocations[index].awaited && self.rng.chance(3) {
            // The state machine gives up on it, and it goes on all the same.
            self.figures.zombies += 1;
            let execution = self.invocations[index].execution;
            self.invocations[index].awaited = false;
            let running = &mut self.executions[execution];
            running.task = false;
            running.wake = self.now;
            let _ = running.execution.time_out_task(self.now);
            return Ok(());
        }
        let mishap = self.mishap(faulty);
        self.figures.effects += 1;
        match mishap {
            Mishap::KillBefore | Mishap::KillAfter => self.figures.kills += 1,
            Mishap::LoseAnswer => self.figures.lost += 1,
            _ => {}
        }
        if faulty && self.rng.chance(2) {
            self.vault.revoke();
        }
        let latency = self.rng.below(3);
        let mut outside = Outside {
            store: &mut self.store,
            tenant: &mut self.tenant,
            vault: &mut self.vault,
            journal: &mut self.journal,
            rng: &mut self.rng,
            now: self.now,
            elapsed: SignedDuration::ZERO,
            torn: if faulty { 60 } else { 0 },
        };
        let invocation = &mut self.invocations[index];
        invocation.busy_until =
            self.now + SignedDuration::from_secs(i64::try_from(latency).unwrap());
        let progress = invocation.step(&mut outside, mishap);
        let commits = self.oracle.commits();
        self.oracle.look(&self.store, &self.tenant)?;
        for version in commits + 1..=self.oracle.commits() {
            self.consumer.hear(&mut self.rng, self.now, version);
        }
        match progress {
            Progress::Goes => {}
            Progress::Answered(answer) => {
                let invocation = self.invocations.swap_remove(index);
                self.answer(
                    &invocation,
                    answer.map_err(|f| (f.name.to_string(), f.message)),
                );
            }
            Progress::Killed => {
                let invocation = self.invocations.swap_remove(index);
                let name = killed(&mut self.rng).message;
                self.answer(&invocation, Err((name, String::new())));
            }
        }
        Ok(())
    }

    fn mishap(&mut self, faulty: bool) -> Mishap {
        if let Some(at) = self.setup.kill_at {
            // Each effect is a kill point twice: before it happens and after.
            return match at {
                _ if at / 2 != self.figures.effects => Mishap::None,
                _ if at.is_multiple_of(2) => Mishap::KillBefore,
                _ => Mishap::KillAfter,
            };
        }
        match self.rng.below(1000) {
            _ if !faulty => Mishap::None,
            0..12 => Mishap::KillBefore,
            12..24 => Mishap::KillAfter,
            24..40 => Mishap::LoseAnswer,
            40..52 => Mishap::Unavailable,
            52..70 => Mishap::Throttled,
            _ => Mishap::None,
        }
    }

    fn answer(&mut self, invocation: &Invocation, answer: Result<Value, (String, String)>) {
        if !invocation.awaited {
            return;
        }
        let running = &mut self.executions[invocation.execution];
        running.task = false;
        running.wake = self.now;
        match answer {
            Ok(payload) => {
                let result = json!({"ExecutedVersion": "1", "Payload": payload, "StatusCode": 200});
                running.execution.succeed_task(self.now, result).unwrap();
            }
            Err((name, message)) => {
                running
                    .execution
                    .fail_task(self.now, name, Some(message))
                    .unwrap();
            }
        }
    }

    /// An operator redrives what failed, until everything is done.
    fn finished(&mut self) -> bool {
        let mut redriven = false;
        for index in 0..self.executions.len() {
            let running = &mut self.executions[index];
            let failed = matches!(
                running.execution.status(),
                Status::Failed | Status::TimedOut | Status::Aborted
            );
            if !failed || running.redrives >= 12 {
                continue;
            }
            running.redrives += 1;
            if running.execution.redrive(self.now).is_err() {
                continue;
            }
            running.wake = self.now;
            self.figures.redrives += 1;
            redriven = true;
        }
        !redriven && self.to_start.is_empty() && !self.is_waiting()
    }

    fn is_waiting(&self) -> bool {
        !self.invocations.is_empty()
            || self.consumer.wakes().next().is_some()
            || self
                .executions
                .iter()
                .any(|running| running.execution.status() == Status::Running)
    }

    /// Moves the clock to where something can happen.
    fn advance(&mut self) -> bool {
        let next = self
            .executions
            .iter()
            .filter(|running| running.execution.status() == Status::Running && !running.task)
            .map(|running| running.wake)
            .chain(
                self.invocations
                    .iter()
                    .map(|invocation| invocation.busy_until),
            )
            .chain(self.to_start.iter().map(|(at, _)| *at))
            .chain(self.consumer.wakes())
            .min();
        let Some(next) = next else {
            return false;
        };
        self.now = self.now.max(next);
        if self.setup.kill_at.is_none() && self.rng.chance(3) {
            self.now += jump(&mut self.rng);
        }
        true
    }

    /// At the end every execution has ended well, and the newest wish is what consumers see.
    fn judge(mut self) -> Result<Figures, String> {
        self.oracle.look(&self.store, &self.tenant)?;
        let mut endings: BTreeMap<String, u32> = BTreeMap::new();
        for running in &self.executions {
            let execution = &running.execution;
            let state = format!("{:?} in {}", execution.status(), execution.state());
            *endings.entry(state).or_default() += 1;
            if execution.status() != Status::Succeeded {
                let error = execution.error().unwrap_or_default();
                let cause = execution.cause().unwrap_or_default();
                return Err(format!(
                    "an execution ended badly: {endings:?} {error} {cause}"
                ));
            }
        }
        self.oracle.end(&self.store, &self.replays)?;
        self.consumer
            .last_look(&mut self.rng, self.now, &self.store, &self.oracle)?;
        self.figures.told = self.consumer.told;
        self.vault.judge()?;
        self.figures.signed = self.vault.told;
        self.look_for_canaries()?;
        self.figures.executions = self.executions.len();
        let events = self.executions.iter();
        let events = events.map(|running| running.execution.history().len());
        self.figures.events = events.max().unwrap_or(0);
        let is_slot = |key: &String| key.contains("/win/") && key.contains("/b");
        let keys = self.store.list("", None).into_iter();
        self.figures.slots = keys.filter(is_slot).count();
        self.figures.runs = self.tenant.runs.len() as u64;
        self.figures.commits = self.oracle.commits();
        Ok(self.figures)
    }
}

/// Every API, and the one that most schedules are about.
pub(crate) const DIALECTS: [Dialect; 5] = [
    Dialect::Analytics,
    Dialect::ReportJobs { api_version: 34 },
    Dialect::DataExtraction,
    Dialect::DataDownload { api_version: 34 },
    Dialect::Contacts { api_version: 34 },
];

fn any_dialect(rng: &mut Rng) -> Dialect {
    match rng.below(20) {
        0..3 => DIALECTS[1],
        3..8 => DIALECTS[2],
        8..10 => DIALECTS[3],
        10..12 => DIALECTS[4],
        _ => DIALECTS[0],
    }
}

impl World<'_> {
    /// Nothing that people and dashboards get to see has a secret, a page token, a link or a row in it.
    fn look_for_canaries(&mut self) -> Result<(), String> {
        for running in &self.executions {
            let execution = &running.execution;
            for event in execution.history() {
                let text = event.to_cli_json().to_string();
                canaries::check("a history", text.as_bytes(), &[])?;
            }
            let ending = format!("{:?} {:?}", execution.error(), execution.cause());
            canaries::check("an ending", ending.as_bytes(), &[])?;
        }
        canaries::check("a log", self.journal.as_bytes(), &[])?;
        for kind in canaries::check_bucket(&self.store)? {
            self.figures.seen |= 1 << kind as u8;
        }
        Ok(())
    }
}

fn definition(rng: &mut Rng, dialect: Dialect) -> Value {
    let mut definition = json!({
        "name": "Sim", "schedule": {"type": "daily", "time": "05:30", "timezone": "UTC"},
        "delivery": {"type": "api"},
        "pipeline": {
            "tenant": "sim", "compression": "none", "key": ["agentId"],
            "api": dialect.api().as_str(),
        },
    });
    definition["report"] = match dialect {
        Dialect::Analytics => json!({
            "type": "agent", "metrics": ["handleTime"], "dimensions": ["agentId"], "filters": [],
            "grouping": [],
        }),
        Dialect::ReportJobs { .. } => {
            json!({"reportId": "4711", "apiVersion": 34, "range": "template"})
        }
        Dialect::DataExtraction => json!({"entityName": "agents", "entityVersion": "7"}),
        Dialect::DataDownload { .. } => {
            json!({"reportId": "4711", "apiVersion": 34, "utcOffset": "+00:00"})
        }
        Dialect::Contacts { .. } => json!({"apiVersion": 34}),
    };
    definition["report"]["dateRange"] = json!({"type": "relative", "value": "previousDay"});
    let template = matches!(dialect, Dialect::ReportJobs { .. });
    if rng.chance(600) && !template {
        definition["pipeline"]["narrow"] = json!({"smallestWindow": "PT6H"});
    }
    let splits = matches!(
        dialect,
        Dialect::DataExtraction | Dialect::DataDownload { .. } | Dialect::Contacts { .. }
    );
    if splits && rng.chance(500) {
        definition["pipeline"]["split"] = json!({"largestWindow": "PT8H"});
    }
    definition
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        self.effects += other.effects;
        self.kills += other.kills;
        self.lost += other.lost;
        self.runs += other.runs;
        self.commits += other.commits;
        self.redrives += other.redrives;
        self.zombies += other.zombies;
        self.told.loads += other.told.loads;
        self.told.crashes += other.told.crashes;
        self.told.gaps += other.told.gaps;
        self.signed.grants += other.signed.grants;
        self.signed.refused += other.signed.refused;
        self.signed.lost_races += other.signed.lost_races;
        self.signed.writes += other.signed.writes;
        self.seen |= other.seen;
        self.executions += other.executions;
        self.slots += other.slots;
        self.events = self.events.max(other.events);
    }
}
