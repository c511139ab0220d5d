//! What is asked for in a schedule: who starts which execution when, and when the tenant's rows change.

use definition::{Dialect, Window};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::oracle::Requests;
use crate::rng::Rng;

/// Something that happens at its time, whatever else goes on.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Somebody starts an execution with this event, which asks for this window.
    Start(Window, Value),
    /// Rows of the day come late or are corrected.
    Correct(Timestamp),
    /// All rows of the day are others.
    Restate(Timestamp),
}

/// Which of the things that may be asked for are.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may be asked for with any other"
)]
pub(crate) struct Story {
    /// The event of the schedule comes twice, replays are asked for, and the day before.
    pub(crate) repeats: bool,
    /// The day is stated anew after a day and after a week, and changes until then.
    pub(crate) restates: bool,
    /// Other windows are asked for.
    pub(crate) windows: bool,
    /// Windows are taken back, and some are replayed after that.
    pub(crate) withdraws: bool,
    /// It is asked whether windows were delivered.
    pub(crate) expects: bool,
    /// A window is built anew from stored pages.
    pub(crate) stored: bool,
    /// Runs that are under way are cancelled, and whoever works on them goes on.
    pub(crate) cancels: bool,
    /// A table is kept of what is committed.
    pub(crate) publishes: bool,
}

impl Story {
    /// A day and nothing else.
    pub(crate) const DAY: Self = Self {
        repeats: false,
        restates: false,
        windows: false,
        withdraws: false,
        expects: false,
        stored: false,
        cancels: false,
        publishes: false,
    };

    pub(crate) fn any(rng: &mut Rng) -> Self {
        Self {
            repeats: rng.chance(700),
            restates: rng.chance(300),
            windows: rng.chance(350),
            withdraws: rng.chance(250),
            expects: rng.chance(300),
            stored: rng.chance(250),
            cancels: rng.chance(200),
            publishes: rng.chance(400),
        }
    }
}

/// The plan of one customer's report.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) happenings: Vec<(Timestamp, Happening)>,
    pub(crate) requests: Requests,
    /// The window that is stated anew, and when that is asked for for the last time.
    pub(crate) restated: Option<(Window, Timestamp)>,
    definition: Value,
    day: Timestamp,
    /// When the schedule starts the report.
    at: Timestamp,
    windows: Vec<Window>,
}

/// The id of an event that asks whether a window was delivered.
pub(crate) const EXPECTATION: &str = "expectation";

/// The id of an event that asks for a replay from stored pages.
pub(crate) const STORED: &str = "stored";

/// The id of an event that has the run of a window cancelled.
pub(crate) const CANCELLATION: &str = "cancellation";

/// How long after the schedule its window is expected.
const EXPECTED_AFTER: i64 = 3;

/// The day that the schedule is about.
pub(crate) const DAY: &str = "2026-11-21T00:00:00Z";

impl Plan {
    pub(crate) fn new(rng: &mut Rng, story: Story, definition: Value, dialect: Dialect) -> Self {
        let day: Timestamp = DAY.parse().unwrap();
        let start = [hours(26), minutes(29 * 60 + 30)][usize::from(!rng.chance(200))];
        let mut plan = Self {
            happenings: Vec::new(),
            requests: Requests::default(),
            restated: None,
            definition,
            day,
            at: day + start,
            windows: vec![day_of(day)],
        };
        // A template's range is about one day only.
        let any_day = !matches!(dialect, Dialect::ReportJobs { .. });
        plan.start(SignedDuration::ZERO, "daily", json!({}));
        if story.repeats {
            plan.repeat(rng, any_day);
        }
        if story.restates && any_day {
            plan.restate(rng);
        }
        if story.windows && any_day {
            plan.ask_for_windows(rng);
        }
        if story.withdraws {
            plan.withdraw(rng, any_day);
        }
        if story.expects {
            plan.expect(rng);
        }
        if story.stored {
            plan.replay_stored(rng);
        }
        if story.cancels {
            plan.cancel(rng);
        }
        plan.happenings.sort_by_key(|(at, _)| *at);
        plan
    }

    fn repeat(&mut self, rng: &mut Rng, any_day: bool) {
        if rng.chance(600) {
            self.start(rng.seconds(600), "daily", json!({}));
        }
        if any_day && rng.chance(450) {
            // The day before comes late, into the same log.
            let later = rng.seconds(3_600);
            let before = self.day - hours(24);
            self.windows.push(day_of(before));
            let event = self.event("late", before, json!({}));
            self.happen(self.at + later, Happening::Start(day_of(before), event));
        }
        for name in ["replay-1", "replay-2"] {
            if rng.chance(450) {
                let window = self.windows[rng.index(self.windows.len())];
                let later = rng.seconds(14_400);
                self.replay(rng, name, window, later);
            }
        }
    }

    /// A window is built anew from the pages that are stored, if there are any by then.
    fn replay_stored(&mut self, rng: &mut Rng) {
        let window = self.windows[rng.index(self.windows.len())];
        self.requests.replays.insert(STORED.to_owned());
        let audit = json!({"reason": "merged anew", "requestedBy": "simulation"});
        let detail = json!({"window": window, "replay": audit, "stored": true});
        let later = rng.seconds(14_400);
        self.start(later, STORED, detail.clone());
        if rng.chance(300) {
            self.start(later + rng.seconds(60), STORED, detail);
        }
    }

    /// A replay of the window, of which another one may be asked for twice.
    fn replay(&mut self, rng: &mut Rng, name: &str, window: Window, later: SignedDuration) {
        self.requests.replays.insert(name.to_owned());
        if rng.chance(500) {
            self.happen(
                self.at + later,
                Happening::Restate(midnight(window.start())),
            );
        }
        let audit = json!({"reason": "restated", "requestedBy": "simulation"});
        let detail = json!({"window": window, "replay": audit});
        self.start(later, name, detail.clone());
        if rng.chance(200) {
            self.start(later + rng.seconds(60), name, detail);
        }
    }

    /// The day changes until it is stated anew for the last time.
    fn restate(&mut self, rng: &mut Rng) {
        let distances = [("P1D", 24), ("P7D", 168)];
        let distances = &distances[..=rng.index(2)];
        for (distance, later) in distances {
            let event_time = self.day + hours(*later);
            let detail = json!({"restate": distance});
            let event = self.event(distance, event_time, detail);
            for _ in 0..=rng.below(5) / 4 {
                let soon = rng.chance(500);
                let at = self.at + hours(*later) + rng.seconds(if soon { 30 } else { 600 });
                self.happen(at, Happening::Start(day_of(self.day), event.clone()));
            }
        }
        let last = hours(distances[distances.len() - 1].1);
        for _ in 0..rng.below(4) {
            let later = if rng.chance(500) {
                last - rng.seconds(3_600)
            } else {
                rng.seconds(last.as_secs().unsigned_abs())
            };
            self.happen(self.at + later, Happening::Correct(self.day));
        }
        self.restated = Some((day_of(self.day), self.at + last));
    }

    /// Windows of half days, which lie anywhere.
    fn ask_for_windows(&mut self, rng: &mut Rng) {
        let mut later = rng.seconds(7_200);
        for number in 0..=rng.below(3) {
            let window = self.any_window(rng);
            self.windows.push(window);
            if !rng.chance(400) {
                later = rng.seconds(14_400);
            }
            if rng.chance(400) {
                self.replay(rng, &format!("window-{number}"), window, later);
            } else {
                self.start(later, "window", json!({"window": window}));
            }
        }
    }

    fn any_window(&self, rng: &mut Rng) -> Window {
        let first = i64::try_from(rng.below(8)).unwrap();
        let halves = 1 + i64::try_from(rng.below(4)).unwrap();
        let start = self.day - hours(48) + hours(12 * first);
        let end = (start + hours(12 * halves)).min(self.day + hours(48));
        Window::new(start, end).unwrap()
    }

    fn withdraw(&mut self, rng: &mut Rng, any_day: bool) {
        for number in 0..=rng.below(2) {
            let window = self.windows[rng.index(self.windows.len())];
            let later = match rng.below(10) {
                0..2 if any_day => rng.seconds(700_000),
                // At about the time at which the day is stated anew.
                2..4 if any_day => hours(23) + rng.seconds(7_200),
                4..6 if any_day => hours(24) + rng.seconds(60),
                _ => rng.seconds(14_400),
            };
            self.take_back(rng, number, window, later);
            if rng.chance(400) {
                let later = later + rng.seconds(7_200);
                self.replay(rng, &format!("back-{number}"), window, later);
            }
        }
        match rng.below(10) {
            0..3 if self.restated.is_some() => self.replay_late(rng),
            3..6 if self.restated.is_some() => {
                let later = hours(24) + rng.seconds(30);
                self.take_back(rng, 2, day_of(self.day), later);
            }
            _ => {}
        }
    }

    /// The day is replayed after a withdrawal, and corrected and stated anew while that replay is under way.
    fn replay_late(&mut self, rng: &mut Rng) {
        let window = day_of(self.day);
        self.take_back(rng, 2, window, hours(23));
        let later = hours(24) - rng.seconds(300);
        self.replay(rng, "back-2", window, later);
        let just_before = self.at + hours(24) - SignedDuration::from_secs(5);
        self.happen(just_before, Happening::Correct(self.day));
    }

    /// The withdrawal of a window, which may come twice.
    fn take_back(&mut self, rng: &mut Rng, number: u64, window: Window, later: SignedDuration) {
        let id = format!("withdrawal-{number}");
        self.requests.withdrawals.insert(id.clone());
        let audit = json!({"reason": "wrong window", "requestedBy": "simulation"});
        let detail = json!({"window": window, "withdraw": audit});
        self.start(later, &id, detail.clone());
        if rng.chance(200) {
            self.start(later + rng.seconds(60), &id, detail);
        }
    }

    /// It is asked whether the schedule's window was delivered, one that was asked for, or any other one.
    fn expect(&mut self, rng: &mut Rng) {
        for _ in 0..=rng.below(4) {
            let longest = if rng.chance(800) { 14_400 } else { 700_000 };
            let at = self.at + rng.seconds(longest);
            let mut detail = json!({"expect": "delivered"});
            let window = match rng.below(10) {
                0..4 => day_of(self.day),
                4..9 => self.windows[rng.index(self.windows.len())],
                _ => self.any_window(rng),
            };
            if window != day_of(self.day) || rng.chance(500) {
                detail["window"] = json!(window);
            }
            let event = self.event(EXPECTATION, self.day + hours(EXPECTED_AFTER), detail);
            self.happen(at, Happening::Start(window, event));
        }
    }

    /// The run of a window is cancelled, mostly while there is one.
    fn cancel(&mut self, rng: &mut Rng) {
        for _ in 0..=rng.below(3) {
            let window = self.windows[rng.index(self.windows.len())];
            let longest = [300, 3_600, 14_400][rng.index(3)];
            let audit = json!({"reason": "wrong day", "requestedBy": "simulation"});
            let detail = json!({"window": window, "cancel": audit});
            self.start(rng.seconds(longest), CANCELLATION, detail);
        }
    }

    fn start(&mut self, later: SignedDuration, id: &str, detail: Value) {
        let asked = detail.get("window");
        let asked = asked.map(|window| serde_json::from_value(window.clone()).unwrap());
        let window = asked.unwrap_or_else(|| day_of(self.day));
        let event = self.event(id, self.day, detail);
        self.happen(self.at + later, Happening::Start(window, event));
    }

    fn happen(&mut self, at: Timestamp, what: Happening) {
        self.happenings.push((at, what));
    }

    /// The event that the schedule sends about a day, with what else is asked for.
    fn event(&self, id: &str, day: Timestamp, mut detail: Value) -> Value {
        detail["definition"] = self.definition.clone();
        json!({
            "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler",
            "account": "123456789012", "time": day + minutes(29 * 60 + 30),
            "region": "eu-central-1", "resources": [], "detail": detail,
        })
    }
}

/// The report of a tenant: every tenant's has the same name.
pub(crate) fn definition(rng: &mut Rng, tenant: &str, dialect: Dialect) -> Value {
    let mut definition = json!({
        "name": "Sim", "schedule": {"type": "daily", "time": "05:30", "timezone": "UTC"},
        "delivery": {"type": "api"},
        "pipeline": {
            "tenant": tenant, "compression": "none", "key": ["agentId"],
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

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn day_of(day: Timestamp) -> Window {
    Window::new(day, day + hours(24)).unwrap()
}

fn midnight(time: Timestamp) -> Timestamp {
    time - SignedDuration::from_secs(time.as_second().rem_euclid(86_400))
}
