//! One schedule: executions, their invocations, a clock, and what goes wrong.

use std::sync::Arc;

use asl::{Execution, ExecutionSpec, StateMachine, Status, Step, TaskCall};
use definition::Window;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::customer::{Customer, NAMES};
use crate::invocation::Invocation;
use crate::outside::{Mishap, Outside, Progress, killed};
use crate::rng::Rng;
use crate::session::Warm;
use crate::setup::{Figures, OutsideBug, Setup};
use crate::store::Store;
use crate::story::{CANCELLATION, Happening, STORED};

/// Nothing that a schedule does takes longer than this many steps.
const STEPS_MAX: u64 = 60_000;

/// From this step on nothing goes wrong any more, for each customer.
const FAULTY_STEPS: u64 = 1_500;

pub(crate) struct Running {
    pub(crate) execution: Execution,
    pub(crate) customer: usize,
    /// The id of its event.
    pub(crate) id: String,
    /// What it was started for.
    pub(crate) window: Window,
    /// Whether its event names the window.
    pub(crate) names_window: bool,
    /// The last version of the log when it was started.
    pub(crate) started_at: u64,
    task: bool,
    pub(crate) wake: Timestamp,
    pub(crate) redrives: u32,
}

pub(crate) struct World<'a> {
    pub(crate) setup: Setup,
    machine: &'a Arc<StateMachine>,
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) store: Store,
    pub(crate) customers: Vec<Customer>,
    warm: Warm,
    /// What the handlers would have written to their logs, if leaks are searched for.
    pub(crate) journal: Option<String>,
    pub(crate) executions: Vec<Running>,
    pub(crate) invocations: Vec<Invocation>,
    /// What is still to happen to whom.
    pub(crate) happenings: Vec<(Timestamp, usize, Happening)>,
    pub(crate) figures: Figures,
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: Setup, machine: &'a Arc<StateMachine>) -> Self {
        let mut rng = Rng::new(setup.seed);
        let is_alone = setup.kill_at.is_some() || rng.chance(600);
        let mut customers = Vec::new();
        let mut happenings = Vec::new();
        for (index, name) in NAMES.iter().enumerate().take(2 - usize::from(is_alone)) {
            let (customer, happens) = Customer::new(name, &setup, &mut rng);
            customers.push(customer);
            happenings.extend(happens.into_iter().map(|(at, what)| (at, index, what)));
        }
        happenings.sort_by_key(|(at, ..)| *at);
        let mut world = Self {
            setup,
            machine,
            now: "2026-11-22T02:00:00Z".parse().unwrap(),
            store: Store::default(),
            customers,
            warm: Warm::default(),
            journal: setup.searches.then(String::new),
            executions: Vec::new(),
            invocations: Vec::new(),
            happenings,
            figures: Figures::default(),
            rng,
        };
        world.figures.pairs = u64::from(!is_alone);
        world.store.claims_overwrite = setup.outside == Some(OutsideBug::ClaimsOverwrite);
        world.store.swaps_overwrite = setup.outside == Some(OutsideBug::SwapsOverwrite);
        world.warm.mixes_tenants = setup.outside == Some(OutsideBug::MixesTenants);
        world
    }

    /// Runs the schedule to its end.
    pub(crate) fn run(mut self) -> Result<Figures, String> {
        // A page costs its turn of the state machine and the effects of one invocation.
        let steps_max = STEPS_MAX + 100 * self.setup.pages.unwrap_or(0);
        let faulty_steps = FAULTY_STEPS * self.customers.len() as u64;
        for step in 0..steps_max {
            let faulty = self.setup.kill_at.is_none() && step < faulty_steps;
            if !faulty {
                for customer in &mut self.customers {
                    customer.tenant.faulty = false;
                }
            }
            self.let_happen();
            if !self.one_step(faulty)? {
                if self.finished() {
                    return self.judge();
                }
                if !self.advance() {
                    return Err("nothing is left to do, and it is not done".to_owned());
                }
            }
        }
        let states = self.executions.iter().map(|running| {
            let execution = &running.execution;
            (execution.status(), execution.state().to_owned())
        });
        let states: Vec<_> = states.collect();
        Err(format!("no end after {steps_max} steps: {states:?}"))
    }

    /// Whatever is due happens, in its order.
    fn let_happen(&mut self) {
        let due = self.happenings.partition_point(|(at, ..)| *at <= self.now);
        for (_, customer, what) in self.happenings.drain(..due).collect::<Vec<_>>() {
            match what {
                Happening::Start(window, event) => self.start(customer, window, event),
                change => self.customers[customer].change(&mut self.rng, self.now, &change),
            }
        }
    }

    fn start(&mut self, customer: usize, window: Window, event: Value) {
        let number = self.executions.len();
        let spec = ExecutionSpec {
            arn: format!("arn:aws:states:eu-central-1:123456789012:execution:p:{number}"),
            name: number.to_string(),
            state_machine_arn: "arn:aws:states:eu-central-1:123456789012:stateMachine:p".to_owned(),
            state_machine_name: "p".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/p".to_owned(),
        };
        let seed = self.rng.next();
        let machine = Arc::clone(self.machine);
        let id = event["id"].as_str().unwrap().to_owned();
        let names_window = !event["detail"]["window"].is_null();
        let execution = Execution::start(machine, spec, event, self.now, seed).unwrap();
        self.executions.push(Running {
            execution,
            customer,
            id,
            window,
            names_window,
            started_at: self.customers[customer].oracle.commits(),
            task: false,
            wake: self.now,
            redrives: 0,
        });
    }

    /// Lets one execution, invocation or reader do something; `false` if none can.
    fn one_step(&mut self, faulty: bool) -> Result<bool, String> {
        let ready: Vec<usize> = (0..self.executions.len())
            .filter(|&i| self.can_step(i))
            .collect();
        let busy: Vec<usize> = (0..self.invocations.len())
            .filter(|&i| self.invocations[i].busy_until <= self.now)
            .collect();
        let mut readers = Vec::new();
        for (index, customer) in self.customers.iter_mut().enumerate() {
            customer.consumer.answer_bells(self.now);
            let ready = customer.consumer.ready(self.now).into_iter();
            readers.extend(ready.map(|process| (index, process)));
        }
        let all = ready.len() + busy.len() + readers.len();
        if all == 0 {
            return Ok(false);
        }
        let choice = self.rng.index(all);
        if let Some(&execution) = ready.get(choice) {
            self.step_execution(execution, faulty)?;
        } else if let Some(&invocation) = busy.get(choice - ready.len()) {
            self.step_invocation(invocation, faulty)?;
        } else {
            let (customer, process) = readers[choice - ready.len() - busy.len()];
            if self.setup.kill_at.is_none() && self.rng.chance(10) {
                self.customers[customer].tidy(&mut self.rng, self.now, &mut self.store);
            }
            let (rng, store) = (&mut self.rng, &self.store);
            self.customers[customer].step_consumer(process, rng, self.now, faulty, store)?;
        }
        Ok(true)
    }

    fn can_step(&self, index: usize) -> bool {
        let running = &self.executions[index];
        running.execution.status() == Status::Running && !running.task && running.wake <= self.now
    }

    fn step_execution(&mut self, index: usize, faulty: bool) -> Result<(), String> {
        let running = &mut self.executions[index];
        match running.execution.step(self.now) {
            Step::Done => {}
            Step::WaitUntil(until) => running.wake = until,
            Step::Task(call) => match &*call.resource {
                "arn:aws:states:::sns:publish" => {
                    let execution = &mut running.execution;
                    if faulty && self.rng.chance(100) {
                        execution.fail_task(self.now, "Sns.InternalError", None)
                    } else {
                        execution.succeed_task(self.now, json!({"MessageId": "1"}))
                    }
                    .unwrap();
                }
                "arn:aws:states:::aws-sdk:sfn:startExecution" => {
                    let input = call.arguments["Input"].as_str().unwrap();
                    let event = serde_json::from_str(input).unwrap();
                    running
                        .execution
                        .succeed_task(self.now, json!({"ExecutionArn": "next"}))
                        .unwrap();
                    let (customer, window) = (running.customer, running.window);
                    self.start(customer, window, event);
                }
                _ => self.invoke_task(index, &call, faulty)?,
            },
        }
        Ok(())
    }

    /// Starts the invocation that a task asks for, and sometimes another one that nobody waits for.
    fn invoke_task(&mut self, index: usize, call: &TaskCall, faulty: bool) -> Result<(), String> {
        let running = &mut self.executions[index];
        running.task = true;
        let function = call.arguments["FunctionName"].as_str().unwrap();
        let mut payload = call.arguments["Payload"].clone();
        let customer = &self.customers[running.customer];
        if Customer::of_message(&payload) != Some(customer.name) {
            return Err(format!("{} has work for another: {payload}", customer.name));
        }
        if running.expects() && function != "trigger" {
            return Err(format!("{function} for whether a window is there"));
        }
        if running.id == STORED && !["trigger", "finalize", "publish"].contains(&function) {
            return Err(format!("{function} for a replay from stored pages"));
        }
        if running.id == CANCELLATION && !["trigger", "cancel"].contains(&function) {
            return Err(format!("{function} for a cancellation"));
        }
        let spaced = customer.tenant.dialect.spacing().is_some();
        if faulty && !spaced && self.rng.chance(20) {
            // The state machine's clock was turned back. Calls can be spaced by a clock that is right only.
            let back = self.rng.seconds(600);
            payload["now"] = json!(self.now - back);
        }
        let twice = faulty && self.rng.chance(20);
        self.invoke(index, function, payload.clone(), true);
        if twice {
            self.invoke(index, function, payload, false);
        }
        Ok(())
    }

    fn invoke(&mut self, execution: usize, function: &str, payload: Value, awaited: bool) {
        let mut invocation =
            Invocation::start(self.setup.flows, execution, function, payload, self.now);
        invocation.awaited = awaited;
        invocation.expects = self.asked_by(execution);
        invocation.cancels = self.executions[execution].id == CANCELLATION;
        self.invocations.push(invocation);
    }

    fn step_invocation(&mut self, index: usize, faulty: bool) -> Result<(), String> {
        let execution = self.invocations[index].execution;
        if faulty && self.invocations[index].awaited && self.rng.chance(3) {
            // The state machine gives up on it, and it goes on all the same.
            self.figures.zombies += 1;
            self.invocations[index].awaited = false;
            let running = &mut self.executions[execution];
            running.task = false;
            running.wake = self.now;
            let _ = running.execution.time_out_task(self.now);
            return Ok(());
        }
        let customer = self.executions[execution].customer;
        let is_refused = self.customers[customer].holds_back && self.invocations[index].publishes();
        let mishap = if is_refused {
            Mishap::Unavailable
        } else {
            self.mishap(faulty)
        };
        self.figures.effects += 1;
        match mishap {
            Mishap::KillBefore | Mishap::KillAfter => self.figures.kills += 1,
            Mishap::LoseAnswer => self.figures.lost += 1,
            _ => {}
        }
        let progress = self.carry_out(index, customer, mishap, faulty)?;
        self.customers[customer].look(&mut self.rng, self.now, &self.store)?;
        self.look_whether_there();
        if let Progress::Goes = progress {
            return Ok(());
        }
        let invocation = self.invocations.swap_remove(index);
        let answer = match progress {
            Progress::Answered(answer) => {
                self.judge_expectation(&invocation, &answer)?;
                answer.map_err(|f| (f.name.to_string(), f.message))
            }
            _ => Err((killed(&mut self.rng).message, String::new())),
        };
        if invocation.awaited {
            self.answer(invocation.execution, answer);
        }
        Ok(())
    }

    /// Carries out one effect of an invocation, with this mishap.
    fn carry_out(
        &mut self,
        index: usize,
        customer: usize,
        mishap: Mishap,
        faulty: bool,
    ) -> Result<Progress, String> {
        let customer = &mut self.customers[customer];
        if faulty && self.rng.chance(2) {
            customer.vault.revoke();
        }
        let latency = self.rng.seconds(3);
        let mut stray = None;
        let mut outside = Outside {
            customer: customer.name,
            store: &mut self.store,
            tenant: &mut customer.tenant,
            vault: &mut customer.vault,
            warm: &mut self.warm,
            stray: &mut stray,
            journal: self.journal.as_mut(),
            rng: &mut self.rng,
            now: self.now,
            elapsed: SignedDuration::ZERO,
            torn: if faulty { 60 } else { 0 },
        };
        let invocation = &mut self.invocations[index];
        invocation.busy_until = self.now + latency;
        let progress = invocation.step(&mut outside, mishap);
        if let Some(key) = &self.store.overwritten {
            return Err(format!("{key} was changed"));
        }
        stray.map_or(Ok(progress), Err)
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

    /// Gives an execution the answer that it waits for.
    fn answer(&mut self, execution: usize, answer: Result<Value, (String, String)>) {
        let running = &mut self.executions[execution];
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

    /// Moves the clock to where something can happen.
    fn advance(&mut self) -> bool {
        let executions = self.executions.iter();
        let waiting = executions
            .filter(|running| running.execution.status() == Status::Running && !running.task);
        let invocations = self.invocations.iter();
        let readers = self.customers.iter();
        let next = waiting
            .map(|running| running.wake)
            .chain(invocations.map(|invocation| invocation.busy_until))
            .chain(self.happenings.first().map(|(at, ..)| *at))
            .chain(readers.flat_map(|customer| customer.consumer.wakes()))
            .min();
        let Some(next) = next else {
            return false;
        };
        self.now = self.now.max(next);
        if self.setup.kill_at.is_none() && self.rng.chance(3) {
            // A step that no clock should make.
            self.now += self.rng.seconds(600);
        }
        true
    }
}
