//! The state of a tenant.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::apis::Api;
use crate::definition::Definition;
use crate::fault::{ActiveFault, CallContext, Fault, Layer};
use crate::journal::{Entry, Kind};
use crate::options::Options;
use crate::run::{Order, Plan, Run, Timing};
use crate::values;

pub(crate) fn lock_state(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) base_url: String,
    pub(crate) decoy_url: String,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) runs: Vec<Run>,
    tokens: HashMap<String, Token>,
    refresh_tokens: HashMap<String, Token>,
    issued: u64,
    pub(crate) active: Vec<ActiveFault>,
    pub(crate) journal: Vec<Entry>,
    allowance: Option<(f64, Timestamp)>,
    /// The last call of data extraction that did not come too early.
    pub(crate) last_extraction: Option<Timestamp>,
    /// How old a token has to be.
    pub(crate) ripe_after: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) definition: Arc<Definition>,
}

#[derive(Debug)]
struct Token {
    /// In real time: a virtual clock stands still while a client waits.
    issued: Instant,
    expires: Timestamp,
    scopes: Vec<String>,
    user: String,
}

/// Whether a bearer token is valid for a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Granted,
    Unknown,
    Missing(String),
}

impl State {
    pub(crate) fn new(options: Options, base_url: String, decoy_url: String) -> Self {
        let active = options
            .faults
            .iter()
            .cloned()
            .map(ActiveFault::new)
            .collect();
        Self {
            options,
            base_url,
            decoy_url,
            schedules: Vec::new(),
            runs: Vec::new(),
            tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            issued: 0,
            active,
            journal: Vec::new(),
            allowance: None,
            last_extraction: None,
            ripe_after: Duration::ZERO,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.options.now)()
    }

    /// The faults of requests that fire now; those of runs are decided by [`State::start_run`].
    pub(crate) fn fire_faults(&mut self, context: &CallContext) -> Vec<Fault> {
        self.fire_where(context, |layer| !matches!(layer, Layer::Run | Layer::Page))
    }

    fn fire_where(&mut self, context: &CallContext, wanted: impl Fn(Layer) -> bool) -> Vec<Fault> {
        let active = self
            .active
            .iter_mut()
            .filter(|active| wanted(active.fault.layer()));
        active
            .filter_map(|active| active.fire_on(context).then(|| active.fault.clone()))
            .collect()
    }

    pub(crate) fn known_run(&self, id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.plan.id == id)
    }

    pub(crate) fn known_run_mut(&mut self, id: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.plan.id == id)
    }

    /// An access token for a user, who is a client or an access key.
    pub(crate) fn issue_token(&mut self, user: &str) -> String {
        let text = self.new_secret("sim");
        let token = self.new_token(user, self.options.token_lifetime);
        self.tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn issue_refresh_token(&mut self, user: &str) -> String {
        let text = self.new_secret("refresh");
        let token = self.new_token(user, self.options.refresh_lifetime);
        self.refresh_tokens.insert(text.clone(), token);
        text
    }

    /// The user of a refresh token; the token can't be used again.
    pub(crate) fn redeem_token(&mut self, refresh_token: &str) -> Option<String> {
        let token = self.refresh_tokens.remove(refresh_token)?;
        (token.expires > self.now()).then_some(token.user)
    }

    fn new_secret(&mut self, kind: &str) -> String {
        self.issued += 1;
        let secret = values::mix_bits(
            values::mix_bits(self.options.seed, self.issued),
            values::hash_bytes(self.options.client_id.as_bytes()),
        );
        let secret = URL_SAFE_NO_PAD.encode(secret.to_be_bytes());
        format!("{kind}-{}-{secret}", self.issued)
    }

    fn new_token(&self, user: &str, life: Duration) -> Token {
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
        Token {
            issued: Instant::now(),
            expires: self.now().checked_add(life).unwrap_or(Timestamp::MAX),
            scopes: self.options.scopes.clone(),
            user: user.to_owned(),
        }
    }

    pub(crate) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    pub(crate) fn forget_refresh_tokens(&mut self) {
        self.refresh_tokens.clear();
    }

    /// The owner of an access token, if it is valid.
    pub(crate) fn token_user(&self, token: &str) -> Option<&str> {
        let known = self.find_token(token)?;
        Some(known.user.as_str())
    }

    fn find_token(&self, token: &str) -> Option<&Token> {
        let known = self.tokens.get(token)?;
        let is_ripe = known.issued.elapsed() >= self.ripe_after;
        (is_ripe && known.expires > self.now()).then_some(known)
    }

    pub(crate) fn check_access(&self, token: &str, scope: &str) -> Access {
        match self.find_token(token) {
            Some(known) if known.scopes.iter().any(|held| held == scope) => Access::Granted,
            Some(_) => Access::Missing(scope.to_owned()),
            None => Access::Unknown,
        }
    }

    pub(crate) fn create_schedule(&mut self, definition: Definition) -> &Schedule {
        let number = self.schedules.len() as u64 + 1;
        let id = format!(
            "sch-{:06x}-{number}",
            values::mix_bits(self.options.seed, number) >> 40
        );
        self.schedules.push(Schedule {
            id,
            definition: Arc::new(definition),
        });
        &self.schedules[self.schedules.len() - 1]
    }

    /// The number of the next run, from 1.
    pub(crate) fn next_number(&self) -> u64 {
        self.runs.len() as u64 + 1
    }

    /// Starts a run and decides what will go wrong with it.
    pub(crate) fn start_run(&mut self, order: Order) -> &Run {
        let number = self.next_number();
        let context = CallContext {
            kind: Kind::StartRun,
            api: Some(order.api),
            run: Some(number),
            page: None,
            reused: false,
            refresh: false,
        };
        let faults = self.fire_where(&context, |layer| matches!(layer, Layer::Run | Layer::Page));
        let (queued, processing) = self.execution_times(&order);
        let plan = self.plan_run(order, number, faults);
        let run = Run::new(plan, self.now(), queued, processing);
        self.runs.push(run);
        &self.runs[self.runs.len() - 1]
    }

    fn plan_run(&self, order: Order, number: u64, faults: Vec<Fault>) -> Plan {
        let fault = |name: &str| faults.iter().find(|fault| fault.name() == name);
        let id = fault("run-id").map_or_else(
            || {
                let bits = values::mix_bits(self.options.seed, number ^ 0xface);
                (order.make_id)(bits, number)
            },
            |fault| fault.text("id").to_owned(),
        );
        let settled = fault("late-data").map_or(order.window, |fault| {
            order.window.settled_at(self.now(), fault.number("minutes"))
        });
        let early = fault("late-rows")
            .filter(|fault| order.window.age_at(self.now()) < fault.number("hours") * 3_600);
        let rows = match fault("completed-empty") {
            Some(_) => 0,
            None => settled.rows(self.options.rows),
        };
        Plan {
            id,
            number,
            api: order.api,
            user: order.user,
            source: order.source,
            shape: order.shape,
            format: order.format,
            file: order.file,
            window: order.window,
            seed: self.options.seed,
            revision: fault("restated")
                .map_or(u64::from(early.is_some()), |fault| fault.number("revision")),
            rows: rows.saturating_sub(early.map_or(0, |fault| fault.number("rows"))),
            page_size: order.page_size.max(1),
            total: self.options.total,
            faults,
            base_url: self.base_url.clone(),
            decoy_url: self.decoy_url.clone(),
        }
    }

    /// How long a run that starts now waits and works.
    fn execution_times(&self, order: &Order) -> (Duration, Duration) {
        let Options {
            queued, processing, ..
        } = self.options;
        let busy = match order.timing {
            Timing::Immediate => return (Duration::ZERO, Duration::ZERO),
            Timing::Concurrent => Duration::ZERO,
            Timing::Sequential => self.busy_time(order.api),
        };
        (queued + busy, processing)
    }

    /// How long the runs of an API that were started before will take; those that never end are left out.
    fn busy_time(&self, api: Api) -> Duration {
        let others = self.runs.iter().filter(|run| run.plan.api == api);
        let last = others.filter_map(Run::end_time).max();
        last.map_or(Duration::ZERO, |end| {
            Duration::try_from(end.duration_since(self.now())).unwrap_or_default()
        })
    }

    /// Takes a call from the allowance, or returns the seconds until the next one.
    pub(crate) fn take_call(&mut self) -> Result<(), u64> {
        let Some(rate) = self.options.rate else {
            return Ok(());
        };
        let now = self.now();
        let per_second = f64::from(rate.per_minute) / 60.0;
        let (left, at) = self.allowance.unwrap_or((f64::from(rate.burst), now));
        let left = (left + now.duration_since(at).as_secs_f64().max(0.0) * per_second)
            .min(f64::from(rate.burst));
        if left >= 1.0 {
            self.allowance = Some((left - 1.0, now));
            return Ok(());
        }
        self.allowance = Some((left, now));
        let seconds = ((1.0 - left) / per_second.max(f64::MIN_POSITIVE))
            .ceil()
            .clamp(1.0, 86_400.0);
        // Between 1 and 86,400 by now.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped above"
        )]
        Err(seconds as u64)
    }
}
