//! What an invocation acts on, and what goes wrong with it.

use std::fmt::Write as _;
use std::time::Duration;

use definition::Definition;
use delivery::effects::{self, Fault};
use delivery::{Failure, FailureName};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::rng::Rng;
use crate::session::{Session, Signing, Vault, Warm};
use crate::store::Store;
use crate::tenant::{Tenant, pause};

/// What one step of an invocation came to.
pub(crate) enum Progress {
    /// There is more to do.
    Goes,
    /// It has answered.
    Answered(Result<Value, Failure>),
    /// Its process is gone.
    Killed,
}

/// What goes wrong with one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    None,
    /// Killed before it happens.
    KillBefore,
    /// Killed after it has happened.
    KillAfter,
    /// It happens, and nobody is told.
    LoseAnswer,
    /// It does not happen, and somebody says so.
    Unavailable,
    /// The tenant asks for a pause; only where it can.
    Throttled,
    /// The tenant takes no token.
    Refused,
}

/// What an invocation acts on.
pub(crate) struct Outside<'a> {
    /// Whose report the invocation is about.
    pub(crate) customer: &'static str,
    pub(crate) store: &'a mut Store,
    pub(crate) tenant: &'a mut Tenant,
    pub(crate) vault: &'a mut Vault,
    pub(crate) warm: &'a mut Warm,
    /// What it touched that is another customer's.
    pub(crate) stray: &'a mut Option<String>,
    /// What the handlers would have written to their logs, if anybody reads it.
    pub(crate) journal: Option<&'a mut String>,
    pub(crate) rng: &'a mut Rng,
    pub(crate) now: Timestamp,
    /// How long the invocation is under way.
    pub(crate) elapsed: SignedDuration,
    /// How often, of 1,000 pages, one breaks off.
    pub(crate) torn: u64,
}

impl Outside<'_> {
    /// What happens to the next thing that is done: a call of the tenant needs a token, whatever else it is none.
    /// `None` if there is more to do for the token.
    pub(crate) fn sign_in(
        &mut self,
        session: &mut Session,
        calls: bool,
        mishap: Mishap,
    ) -> Option<Mishap> {
        if !calls {
            return Some(mishap);
        }
        self.note(&*session);
        match session.sign_in(self.vault, self.warm, self.rng, self.now, mishap) {
            Signing::In => Some(mishap),
            Signing::Out(instead) => Some(instead),
            Signing::Busy => None,
        }
    }

    /// Every key that is touched is in the folder of the tenant whose report it is about.
    pub(crate) fn touch(&mut self, key: &str) {
        let below = |root: &str| key.strip_prefix(root)?.strip_prefix(self.customer);
        if below("p/").is_none_or(|rest| !rest.starts_with('/')) {
            *self.stray = Some(format!("work for {} touched {key}", self.customer));
        }
    }

    /// Whatever is asked of a tenant is asked for its own report.
    pub(crate) fn ask_for(&mut self, definition: &Definition) {
        let tenant = definition.pipeline.tenant.as_str();
        if tenant != self.customer {
            let asked = format!("{} was asked for the report of {tenant}", self.customer);
            *self.stray = Some(asked);
        }
    }

    /// Writes something to the log.
    pub(crate) fn note(&mut self, what: &dyn std::fmt::Debug) {
        if let Some(journal) = &mut self.journal {
            writeln!(journal, "{what:?}").unwrap();
        }
    }
}

/// Carries an effect out, or not, and tells about it, or not.
pub(crate) fn with<T>(
    mishap: Mishap,
    responder: effects::Responder<T>,
    effect: impl FnOnce() -> Result<T, Fault>,
) -> Progress {
    let lost = || Err(Fault::Unavailable("no answer".to_owned()));
    let answer = match mishap {
        Mishap::None | Mishap::Throttled => effect(),
        Mishap::KillBefore => return Progress::Killed,
        Mishap::KillAfter => {
            let _ = effect();
            return Progress::Killed;
        }
        Mishap::LoseAnswer => {
            let _ = effect();
            lost()
        }
        Mishap::Unavailable => lost(),
        Mishap::Refused => Err(Fault::Auth("no token is taken".to_owned())),
    };
    let _ = responder.send(answer);
    Progress::Goes
}

/// What the tenant answers to whom it does not want to hear.
pub(crate) fn refusal(outside: &mut Outside<'_>) -> Fault {
    if outside.tenant.dialect.spacing().is_some() {
        return Fault::MaybeForbidden("403".to_owned());
    }
    Fault::Throttled(pause(outside.rng))
}

/// What the handlers' `Turn` does.
pub(crate) fn in_time(outside: &Outside<'_>, within: Option<Duration>) -> Result<(), Fault> {
    let late = within.is_some_and(|within| outside.elapsed.unsigned_abs() > within);
    if late {
        return Err(Fault::TooEarly(Duration::ZERO));
    }
    Ok(())
}

/// The name that the state machine sees when a handler's process is gone.
pub(crate) fn killed(rng: &mut Rng) -> Failure {
    Failure::new(
        FailureName::Unavailable,
        if rng.chance(500) {
            "Lambda.Unknown"
        } else {
            "Sandbox.Timedout"
        },
    )
}
