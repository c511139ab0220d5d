//! A pipeline on one machine: the deployed state machine and executables, a simulated tenant, a virtual clock, and the
//! definition whose schedule fires.

use std::sync::Arc;
use std::time::Duration;

use asl::{Clock, Description, Status};
use cxone_sim::{Entry, Fault, Kind, Tenant};
use definition::Window;
use delivery::ScheduledEvent;
use jiff::{SignedDuration, Timestamp};
use local::handlers::workspace;
use local::{Handlers, Options, World};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::history;
use super::progress::while_it_moves;

/// When the schedule fires.
pub const FIRED_AT: &str = "2026-11-22T05:30:00Z";

/// No task takes longer than this in real time, so that a handler that hangs ends. It is far above what a busy machine needs.
const TASK_LIMIT: Duration = Duration::from_mins(10);

/// The time that fetch-page keeps for closing its parts: an invocation that has no more than that takes one page.
const ONE_PAGE: Duration = Duration::from_secs(90);

static HANDLERS: OnceCell<Handlers> = OnceCell::const_new();

/// What a scenario begins with: a small, well-behaved tenant and the definition of `infra/`.
pub struct PipelineBuilder {
    tenant: cxone_sim::Options,
    definition: Value,
    at: Timestamp,
}

impl PipelineBuilder {
    pub fn daily() -> Self {
        let path = workspace().join("infra/reports/daily-agent-performance.json");
        let tenant = cxone_sim::Options {
            rows: 250,
            page_size: 100,
            ..cxone_sim::Options::default()
        };
        Self {
            tenant,
            definition: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
            at: time(FIRED_AT),
        }
    }

    /// The definition and a tenant of another API: small, well-behaved, and it takes its time.
    pub fn of_api(api: &str) -> Self {
        let path = workspace().join(format!("crates/local/definitions/{api}.json"));
        let mut setup = Self::daily();
        setup.definition = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        setup.tenant.queued = Duration::from_secs(20);
        setup.tenant.processing = Duration::from_secs(40);
        setup
    }

    /// Rows of a day, and of a page.
    pub fn rows(mut self, rows: u64, page_size: u32) -> Self {
        self.tenant.rows = rows;
        self.tenant.page_size = page_size;
        self
    }

    /// How the tenant misbehaves.
    pub fn fault(mut self, fault: &str) -> Self {
        self.tenant.faults.push(fault.parse().unwrap());
        self
    }

    pub fn tenant(mut self, change: impl FnOnce(&mut cxone_sim::Options)) -> Self {
        change(&mut self.tenant);
        self
    }

    /// Changes a field of the definition, named by its JSON pointer; the field may be new.
    pub fn define(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.definition.pointer_mut(parent).unwrap()[name] = value;
        self
    }

    /// Fires at another time than the usual one.
    pub fn fired_at(mut self, at: &str) -> Self {
        self.at = time(at);
        self
    }

    pub async fn start(self) -> Pipeline {
        let handlers = HANDLERS
            .get_or_init(async || Handlers::from_env().await.unwrap())
            .await;
        let clock = Clock::virtual_at(self.at);
        let mut options = Options::new(handlers.clone(), clock, self.tenant);
        options.task_limit = Some(TASK_LIMIT);
        Pipeline {
            world: World::start(options).await.unwrap(),
            definition: self.definition,
            at: self.at,
        }
    }
}

/// A scenario under way.
pub struct Pipeline {
    pub world: World,
    pub definition: Value,
    at: Timestamp,
}

impl Pipeline {
    /// The event of the schedule.
    pub fn event(&self) -> ScheduledEvent {
        local::scheduled_event(self.definition.clone(), self.at)
    }

    /// Fires the schedule and waits for the end of the execution.
    pub async fn fire(&self) -> Description {
        self.play(self.event().to_json()).await
    }

    /// Fires the schedule, which has to end in a commit.
    pub async fn deliver(&self) -> Description {
        delivered(self.fire().await)
    }

    /// Fires the schedule, which has to fail in a task, so that it can be redriven.
    pub async fn fail(&self, error: &str) -> Description {
        let ended = self.fire().await;
        assert_eq!(ended.status, Status::Failed, "{ended:?}");
        assert_eq!(ended.error.as_deref(), Some(error), "{:?}", ended.cause);
        assert_eq!(ended.not_redrivable, None);
        ended
    }

    /// Asks for a window that was delivered before; each id is a request of its own.
    pub async fn replay(&self, id: &str) -> Description {
        let event = self
            .event()
            .with_replay(local::replay("the day was restated"));
        delivered(self.play(event.with_id(id).to_json()).await)
    }

    /// Asks for a window and waits for the end of the execution, whatever it is.
    pub async fn ask_for(&self, window: Window) -> Description {
        self.play(self.event().with_window(window).to_json()).await
    }

    /// Takes a window back; each id is a request of its own.
    pub async fn withdraw(&self, window: Window, id: &str) -> Description {
        let event = self
            .event()
            .with_window(window)
            .with_withdrawal(local::replay("delivered by mistake"));
        self.play(event.with_id(id).to_json()).await
    }

    /// Fires the schedule, and sends another event as soon as its first run is started. Gives both executions.
    pub async fn fire_before(&self, other: &ScheduledEvent) -> (Arc<str>, Arc<str>) {
        let _still = self.world.clock().busy();
        let scheduled = self.world.fire(self.event().to_json()).unwrap();
        while self.tenant().runs().is_empty() {
            tokio::task::yield_now().await;
        }
        (scheduled, self.world.fire(other.to_json()).unwrap())
    }

    /// Sends an event and waits for the end of the execution, whatever it is.
    pub async fn play(&self, event: Value) -> Description {
        let arn = self.world.fire(event).unwrap();
        self.finish(&arn).await
    }

    pub async fn redrive(&self, ended: &Description) -> Description {
        let again = self.world.redrive(&ended.execution_arn);
        let again = while_it_moves(&self.world, again).await.unwrap();
        history::check_lean(&self.world);
        again
    }

    /// Waits for the end of an execution, as long as anything happens.
    pub async fn finish(&self, arn: &str) -> Description {
        let ended = while_it_moves(&self.world, self.world.finish(arn)).await;
        history::check_lean(&self.world);
        ended.unwrap()
    }

    /// Gives fetch-page so little time that each invocation takes one page.
    pub fn one_page_a_batch(&self) {
        let lambda = self.world.lambda();
        lambda.configure("fetch-page", |function| function.timeout = ONE_PAGE);
    }

    pub fn tenant(&self) -> &Tenant {
        self.world.tenant().unwrap()
    }

    /// From now on the tenant misbehaves like this.
    pub fn set_faults(&self, faults: &[&str]) {
        let faults = faults.iter().map(|fault| fault.parse::<Fault>().unwrap());
        self.tenant().set_faults(faults);
    }

    /// The tenant's requests of this kind.
    pub fn requests(&self, kind: Kind) -> Vec<Entry> {
        let mut journal = self.tenant().journal();
        journal.retain(|entry| entry.kind == kind);
        journal
    }

    /// The states that the execution entered, in order.
    pub fn states(&self, ended: &Description) -> Vec<String> {
        self.world.states(&ended.execution_arn).unwrap()
    }
}

/// Says what went wrong if it was not delivered.
pub fn delivered(ended: Description) -> Description {
    assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    assert_eq!(ended.state, "Delivered", "{ended:?}");
    ended
}

/// What a handler said of its failure.
pub fn message(ended: &Description) -> String {
    let cause: Value = serde_json::from_str(ended.cause.as_ref().unwrap()).unwrap();
    cause["errorMessage"].as_str().unwrap().to_owned()
}

/// What an execution that had nothing to do says to whoever looks at it.
pub fn note(ended: &Description) -> String {
    assert_eq!(ended.state, "Nothing to do", "{ended:?}");
    let output = ended.output.as_ref().unwrap();
    output["note"].as_str().unwrap_or_default().to_owned()
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The same weekday, so many weeks before the day that the schedule reports. Finalize looks for ten days of one weekday among the
/// earlier commits. Where each is one, it reads few of them, and a test of many days stays quick.
pub fn weekday_before(weeks: i64) -> Window {
    day_before(7 * weeks)
}

/// A day before the one that the schedule reports.
pub fn day_before(days: i64) -> Window {
    let start = time("2026-11-21T00:00:00Z") - SignedDuration::from_hours(24 * days);
    Window::new(start, start + SignedDuration::from_hours(24)).unwrap()
}
