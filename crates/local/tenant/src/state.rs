//! All that a tenant remembers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::api::settled;
use crate::apis::Api;
use crate::definition::Definition;
use crate::fault::{Armed, Fault, Layer, Moment};
use crate::journal::{Entry, Kind};
use crate::options::Options;
use crate::rows::Window;
use crate::run::{Order, Plan, Run};
use crate::values;

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
    pub(crate) armed: Vec<Armed>,
    pub(crate) journal: Vec<Entry>,
    allowance: Option<(f64, Timestamp)>,
    /// The last call of data extraction that was not refused for coming too early.
    pub(crate) last_extraction: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) definition: Arc<Definition>,
}

#[derive(Debug)]
struct Token {
    expires: Timestamp,
    scopes: Vec<String>,
    user: String,
}

/// Whether a bearer token opens the door.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Granted,
    Unknown,
    Missing(String),
}

impl State {
    pub(crate) fn new(options: Options, base_url: String, decoy_url: String) -> Self {
        let armed = options.faults.iter().cloned().map(Armed::new).collect();
        Self {
            options,
            base_url,
            decoy_url,
            schedules: Vec::new(),
            runs: Vec::new(),
            tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            issued: 0,
            armed,
            journal: Vec::new(),
            allowance: None,
            last_extraction: None,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.options.now)()
    }

    /// The faults of requests that fire now; those of runs wait for [`State::start_run`].
    pub(crate) fn fire(&mut self, moment: &Moment) -> Vec<Fault> {
        self.fire_where(moment, |layer| !matches!(layer, Layer::Run | Layer::Page))
    }

    fn fire_where(&mut self, moment: &Moment, wanted: impl Fn(Layer) -> bool) -> Vec<Fault> {
        let armed = self
            .armed
            .iter_mut()
            .filter(|armed| wanted(armed.fault.layer()));
        armed
            .filter_map(|armed| armed.fires(moment).then(|| armed.fault.clone()))
            .collect()
    }

    pub(crate) fn run(&mut self, id: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.plan.id == id)
    }

    /// An access token for a user, who is a client or an access key.
    pub(crate) fn issue_token(&mut self, user: &str) -> String {
        let text = self.new_secret("sim");
        let token = self.token(user, self.options.token_lifetime);
        self.tokens.insert(text.clone(), token);
        text
    }

    pub(crate) fn issue_refresh_token(&mut self, user: &str) -> String {
        let text = self.new_secret("refresh");
        let token = self.token(user, self.options.refresh_lifetime);
        self.refresh_tokens.insert(text.clone(), token);
        text
    }

    /// The user of a refresh token, which is used up by this.
    pub(crate) fn redeem(&mut self, refresh_token: &str) -> Option<String> {
        let token = self.refresh_tokens.remove(refresh_token)?;
        (token.expires > self.now()).then_some(token.user)
    }

    fn new_secret(&mut self, kind: &str) -> String {
        self.issued += 1;
        let secret = values::mix(
            values::mix(self.options.seed, self.issued),
            values::hash(self.options.client_id.as_bytes()),
        );
        let secret = URL_SAFE_NO_PAD.encode(secret.to_be_bytes());
        format!("{kind}-{}-{secret}", self.issued)
    }

    fn token(&self, user: &str, life: Duration) -> Token {
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
        Token {
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

    /// Whose token it is, if it is good.
    pub(crate) fn user(&self, token: &str) -> Option<&str> {
        let known = self.tokens.get(token)?;
        (known.expires > self.now()).then_some(known.user.as_str())
    }

    pub(crate) fn access(&self, token: &str, scope: &str) -> Access {
        match self.tokens.get(token) {
            Some(known) if known.expires <= self.now() => Access::Unknown,
            Some(known) if known.scopes.iter().any(|held| held == scope) => Access::Granted,
            Some(_) => Access::Missing(scope.to_owned()),
            None => Access::Unknown,
        }
    }

    pub(crate) fn create_schedule(&mut self, definition: Definition) -> &Schedule {
        let number = self.schedules.len() as u64 + 1;
        let id = format!(
            "sch-{:06x}-{number}",
            values::mix(self.options.seed, number) >> 40
        );
        self.schedules.push(Schedule {
            id,
            definition: Arc::new(definition),
        });
        &self.schedules[self.schedules.len() - 1]
    }

    /// Starts a run of a schedule.
    pub(crate) fn start_run(&mut self, schedule: &Schedule, window: Window) -> &Run {
        self.start(Order {
            api: Api::Analytics,
            user: String::new(),
            source: schedule.id.clone(),
            shape: Arc::new(schedule.definition.shape.clone()),
            format: schedule.definition.format,
            window,
            page_size: u64::from(self.options.page_size),
            file: None,
        })
    }

    /// Starts a run and decides what will go wrong with it.
    pub(crate) fn start(&mut self, order: Order) -> &Run {
        let number = self.runs.len() as u64 + 1;
        let moment = Moment {
            kind: Kind::StartRun,
            api: Some(order.api),
            run: Some(number),
            page: None,
            reused: false,
            refresh: false,
        };
        let faults = self.fire_where(&moment, |layer| matches!(layer, Layer::Run | Layer::Page));
        let fault = |name: &str| faults.iter().find(|fault| fault.name() == name);
        let id = fault("run-id").map_or_else(
            || self.run_id(order.api, number),
            |fault| fault.text("id").to_owned(),
        );
        let empty = fault("completed-empty").is_some();
        let there = fault("late-data").map_or(order.window, |fault| {
            settled(order.window, self.now(), fault)
        });
        let revision = fault("restated").map_or(0, |fault| fault.number("revision"));
        let plan = Plan {
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
            revision,
            rows: if empty {
                0
            } else {
                there.rows(self.options.rows)
            },
            page_size: order.page_size.max(1),
            total: self.options.total,
            faults,
            base_url: self.base_url.clone(),
            decoy_url: self.decoy_url.clone(),
        };
        let (waits, works) = self.times(order.api);
        let run = Run::new(plan, self.now(), waits, works);
        self.runs.push(run);
        &self.runs[self.runs.len() - 1]
    }

    /// The id of a run, in the form that its API gives it.
    fn run_id(&self, api: Api, number: u64) -> String {
        let bits = values::mix(self.options.seed, number ^ 0xface);
        match api {
            Api::Analytics => format!("run-{:06x}-{number}", bits >> 40),
            Api::ReportJobs => (70_000_000 + (bits >> 44) * 10 + number).to_string(),
            Api::DataExtraction => format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{number:012x}",
                bits >> 32,
                bits >> 16 & 0xffff,
                bits >> 4 & 0xfff,
                bits >> 20 & 0xfff,
            ),
            Api::DataDownload | Api::Contacts => format!("{api}-{number}"),
        }
    }

    /// How long a run that starts now waits and works. Report jobs are done one after another; those that never end
    /// are in nobody's way.
    fn times(&self, api: Api) -> (Duration, Duration) {
        let Options {
            queued, processing, ..
        } = self.options;
        if matches!(api, Api::DataDownload | Api::Contacts) {
            return (Duration::ZERO, Duration::ZERO);
        }
        let before = self
            .runs
            .iter()
            .filter(|run| api == Api::ReportJobs && run.plan.api == api)
            .filter_map(Run::end)
            .max();
        let busy = before.map_or(Duration::ZERO, |end| {
            Duration::try_from(end.duration_since(self.now())).unwrap_or_default()
        });
        (queued + busy, processing)
    }

    /// The times of all calls of data extraction that had a good token, whatever became of them.
    pub(crate) fn extraction_calls(&self) -> Vec<Timestamp> {
        let is_call = |entry: &&Entry| {
            entry.api == Some(Api::DataExtraction)
                && !matches!(entry.kind, Kind::Download | Kind::Unknown)
                && entry.status != 401
        };
        let calls = self.journal.iter().filter(is_call);
        calls.map(|entry| entry.at).collect()
    }

    /// How many of them came too soon after the one before.
    pub(crate) fn spacing_violations(&self) -> usize {
        let spacing = self.options.extraction_spacing;
        let calls = self.extraction_calls();
        let pairs = calls.windows(2);
        pairs
            .filter(|pair| pair[1].duration_since(pair[0]).unsigned_abs() < spacing)
            .count()
    }

    /// Takes a call from the allowance, or says after how many seconds there is one again.
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
