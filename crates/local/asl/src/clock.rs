//! The time that executions live in: real, scaled or virtual.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// Tells the time; for code that must not depend on this crate.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The longest sleep asked of the runtime at once, because its timers end after two years.
const LONGEST_SLEEP: Duration = Duration::from_hours(365 * 24);

/// A clock; clones tell the same time.
///
/// A virtual clock stands still while a [`BusyGuard`] exists and jumps to the earliest sleeper
/// when none does. The engine holds a guard while any of its executions works or runs a task;
/// a caller that does I/O of its own between executions holds one too.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    Real,
    Scaled {
        start: Timestamp,
        factor: f64,
        origin: Instant,
    },
    Virtual(Mutex<Virtual>),
}

struct Virtual {
    now: Timestamp,
    busy: usize,
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<BusyGuard>>,
    next_sleeper: u64,
}

/// Holds a virtual clock still while it is there; does nothing to other clocks.
#[must_use = "the clock goes on as soon as the guard is dropped"]
pub struct BusyGuard {
    clock: Option<Clock>,
}

/// A sleep on a clock. It is registered when it is made, not when it is first polled, and ends
/// with a guard, so that a virtual clock stands still for the task that it wakes.
#[must_use = "a sleep has to be awaited"]
pub struct Sleep(Sleeping);

enum Sleeping {
    Timer {
        clock: Clock,
        until: Timestamp,
        timer: Pin<Box<tokio::time::Sleep>>,
    },
    Virtual {
        clock: Clock,
        key: (Timestamp, u64),
        woken: oneshot::Receiver<BusyGuard>,
    },
}

impl Clock {
    /// The time of this machine.
    #[must_use]
    pub fn real() -> Self {
        Self(Arc::new(Kind::Real))
    }

    /// Time that goes `factor` times as fast as real time, from `start` on.
    #[must_use]
    pub fn scaled(factor: f64, start: Timestamp) -> Self {
        let factor = factor.max(f64::MIN_POSITIVE);
        Self(Arc::new(Kind::Scaled {
            start,
            factor,
            origin: Instant::now(),
        }))
    }

    /// Time that stands at `start` and moves only when every task sleeps.
    #[must_use]
    pub fn virtual_at(start: Timestamp) -> Self {
        let (busy, next_sleeper, sleepers) = (0, 0, BTreeMap::new());
        Self(Arc::new(Kind::Virtual(Mutex::new(Virtual {
            now: start,
            busy,
            sleepers,
            next_sleeper,
        }))))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Kind::Real => Timestamp::now(),
            Kind::Scaled {
                start,
                factor,
                origin,
            } => {
                let passed = origin.elapsed().as_secs_f64() * factor;
                let passed = SignedDuration::try_from_secs_f64(passed);
                let now = passed
                    .ok()
                    .and_then(|passed| start.checked_add(passed).ok());
                now.unwrap_or(Timestamp::MAX)
            }
            Kind::Virtual(state) => lock_virtual(state).now,
        }
    }

    /// The time as a function, for crates that must not depend on this one.
    #[must_use]
    pub fn now_fn(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// Whether this is a virtual clock, which stands still while a guard exists.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(*self.0, Kind::Virtual(_))
    }

    /// Holds a virtual clock still until the guard is dropped.
    pub fn busy(&self) -> BusyGuard {
        if let Kind::Virtual(state) = &*self.0 {
            lock_virtual(state).busy += 1;
        }
        self.new_guard()
    }

    /// Sleeps until `until`. A caller that holds a guard makes the sleep first and then drops the
    /// guard; on a virtual clock the sleep never ends while the caller keeps it.
    pub fn sleep_until(&self, until: Timestamp) -> Sleep {
        let Kind::Virtual(state) = &*self.0 else {
            let timer = Box::pin(start_timer(self.real_time_to(until)));
            return Sleep(Sleeping::Timer {
                clock: self.clone(),
                until,
                timer,
            });
        };
        let (wake, woken) = oneshot::channel();
        let key = {
            let mut state = lock_virtual(state);
            let key = (until.max(state.now), state.next_sleeper);
            state.next_sleeper += 1;
            state.sleepers.insert(key, wake);
            key
        };
        self.jump_if_idle();
        Sleep(Sleeping::Virtual {
            clock: self.clone(),
            key,
            woken,
        })
    }

    fn new_guard(&self) -> BusyGuard {
        BusyGuard {
            clock: self.is_virtual().then(|| self.clone()),
        }
    }

    fn real_time_to(&self, until: Timestamp) -> Duration {
        let left = self.now().duration_until(until).as_secs_f64();
        let left = match &*self.0 {
            Kind::Scaled { factor, .. } => left / factor,
            _ => left,
        };
        Duration::try_from_secs_f64(left.max(0.0))
            .unwrap_or(LONGEST_SLEEP)
            .min(LONGEST_SLEEP)
    }

    /// Jumps to the earliest sleepers if there is no guard, and gives each of them one.
    fn jump_if_idle(&self) {
        let Kind::Virtual(state) = &*self.0 else {
            return;
        };
        let mut woken = Vec::new();
        {
            let mut state = lock_virtual(state);
            if state.busy > 0 {
                return;
            }
            let Some(((earliest, _), _)) = state.sleepers.first_key_value() else {
                return;
            };
            let earliest = *earliest;
            state.now = state.now.max(earliest);
            let later = state.sleepers.split_off(&(earliest, u64::MAX));
            woken.extend(std::mem::replace(&mut state.sleepers, later).into_values());
            state.busy += woken.len();
        }
        for sleeper in woken {
            // If the sleeper was dropped, sending fails and drops the guard.
            drop(sleeper.send(self.new_guard()));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the state machine waits in real time"
)]
fn start_timer(time: Duration) -> tokio::time::Sleep {
    tokio::time::sleep(time)
}

fn lock_virtual(state: &Mutex<Virtual>) -> MutexGuard<'_, Virtual> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let Some(clock) = self.clock.take() else {
            return;
        };
        if let Kind::Virtual(state) = &*clock.0 {
            lock_virtual(state).busy -= 1;
        }
        clock.jump_if_idle();
    }
}

impl Future for Sleep {
    type Output = BusyGuard;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BusyGuard> {
        match &mut self.0 {
            Sleeping::Timer {
                clock,
                until,
                timer,
            } => loop {
                std::task::ready!(timer.as_mut().poll(cx));
                let left = clock.real_time_to(*until);
                if left.is_zero() {
                    return Poll::Ready(clock.new_guard());
                }
                timer.set(self::start_timer(left));
            },
            Sleeping::Virtual { clock, woken, .. } => {
                let guard = std::task::ready!(Pin::new(woken).poll(cx));
                // The clock keeps the sender until it sends, so a guard arrives.
                Poll::Ready(guard.unwrap_or_else(|_| clock.busy()))
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Sleeping::Virtual { clock, key, .. } = &self.0
            && let Kind::Virtual(state) = &*clock.0
        {
            lock_virtual(state).sleepers.remove(key);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &*self.0 {
            Kind::Real => "real",
            Kind::Scaled { .. } => "scaled",
            Kind::Virtual(_) => "virtual",
        };
        write!(f, "Clock({kind}, {})", self.now())
    }
}

impl fmt::Debug for BusyGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BusyGuard")
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}
