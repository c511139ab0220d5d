//! What to do next to get a token. Pure: no I/O, no clock.
//!
//! A [`LookupState`] is the state of one request for a token. [`LookupState::next_step`] names the one
//! effect that is needed now. The caller carries it out and reports the answer, faults included, until
//! the step is [`NextStep::Use`] or [`NextStep::Fail`].

use std::time::Duration;

use jiff::Timestamp;

pub use crate::cached_token::{CachedRefreshToken, CachedToken, Fingerprint, fingerprint};
use crate::expiry::{Now, Phase};

/// A granted token is stored only if it lives at least this long.
pub const WORTH_STORING: Duration = Duration::from_mins(15);

/// The token secret is written only if its last write is at least this long ago, because
/// Secrets Manager keeps 100 versions and drops none that is younger than a day.
pub const WRITE_INTERVAL: Duration = Duration::from_mins(10);

/// After a failed grant the old token, if still valid, is used this long before the next try.
pub const GRANT_PAUSE: Duration = Duration::from_secs(15);

/// What was found in the token secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that was read; `None` when the secret has no value yet.
    pub version: Option<String>,
    /// When that version was written; `None` when it is a placeholder and no work of ours.
    pub written_at: Option<Timestamp>,
    /// The token in it; `None` when there is none that can be read.
    pub token: Option<CachedToken>,
}

/// What the process remembers from one search to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The token that was used last.
    pub token: Option<CachedToken>,
    /// The OAuth client that was read last.
    pub client: Option<Fingerprint>,
    /// The refresh token that was refused last: it is not tried again.
    pub refused: Option<CachedRefreshToken>,
    /// No grant before this moment of the monotonic clock while the token is still valid.
    pub quiet_until: Duration,
}

/// The one thing to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    Use(CachedToken),
    /// Read the tenant's secret, then [`LookupState::client_read`].
    ReadClient,
    /// Read the token secret, then [`LookupState::store_read`].
    ReadStore,
    /// Ask for another token with this one, then [`LookupState::granted`], [`LookupState::refresh_refused`] or [`LookupState::unavailable`].
    Refresh(CachedRefreshToken),
    /// Ask for a grant, then [`LookupState::granted`], [`LookupState::refused`] or [`LookupState::unavailable`].
    Grant,
    /// There is no token to be had.
    Fail(Reason),
}

/// Why there is no token to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The token endpoint refused the client, and the tenant's secret holds no other.
    Refused,
    /// The token endpoint could not be reached, and no token is left that is still valid.
    Unavailable,
}

/// The state of one request for a token.
#[derive(Clone, Debug, Default)]
pub struct LookupState {
    /// The token that the API answered with 401, if that is why one is wanted.
    rejected: Option<CachedToken>,
    client_is_new: bool,
    store: Store,
    /// Neither a stored token will do nor one that comes for a refresh token.
    from_scratch: bool,
    refresh_was_refused: bool,
    grant: Grant,
}

#[derive(Clone, Debug, Default)]
enum Store {
    #[default]
    NotRead,
    Unreadable,
    Read(Box<Snapshot>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Grant {
    #[default]
    NotAsked,
    Done(Box<CachedToken>),
    Refused,
    Unavailable,
}

impl LookupState {
    /// Wants any token that is still good.
    #[must_use]
    pub fn any_token() -> Self {
        Self::default()
    }

    /// Wants another token than the one that the API has just answered with 401.
    #[must_use]
    pub fn other_than(rejected: CachedToken) -> Self {
        Self {
            rejected: Some(rejected),
            ..Self::default()
        }
    }

    /// Only a full grant will do, or what another task of this process was granted meanwhile: two tokens were refused.
    #[must_use]
    pub fn from_scratch(self) -> Self {
        Self {
            from_scratch: true,
            ..self
        }
    }

    /// The one thing to do now.
    #[must_use]
    pub fn next_step(&self, memory: &Memory, now: Now) -> NextStep {
        if let Grant::Done(held) = &self.grant {
            return NextStep::Use(held.as_ref().clone());
        }
        let least = if now.monotonic < memory.quiet_until {
            Phase::Due
        } else {
            Phase::Fresh
        };
        if let Some(held) = self.usable(memory.token.as_ref(), memory, now, least) {
            return NextStep::Use(held.clone());
        }
        if memory.client.is_none() {
            return NextStep::ReadClient;
        }
        if matches!(self.store, Store::NotRead) {
            return NextStep::ReadStore;
        }
        if !self.from_scratch
            && let Some(held) = self.usable(self.stored(), memory, now, Phase::Fresh)
        {
            return NextStep::Use(held.clone());
        }
        let reason = match &self.grant {
            Grant::NotAsked | Grant::Done(_) => {
                return self
                    .refresh(memory, now)
                    .map_or(NextStep::Grant, NextStep::Refresh);
            }
            Grant::Refused if !self.client_is_new => return NextStep::ReadClient,
            Grant::Refused => Reason::Refused,
            Grant::Unavailable => Reason::Unavailable,
        };
        self.last_resort(memory, now)
            .map_or(NextStep::Fail(reason), |held| NextStep::Use(held.clone()))
    }

    /// The tenant's secret was read: this is the client in it.
    pub fn client_read(&mut self, memory: &mut Memory, client: ClientIdentity) {
        let ClientIdentity { id, same } = client;
        // Another secret, or another client, gets its own try; the same one was refused for good.
        if self.grant == Grant::Refused && !same {
            self.grant = Grant::NotAsked;
        }
        self.client_is_new = true;
        memory.client = Some(id);
    }

    /// The token secret was read, or (`None`) could not be; then nothing is written to it either.
    pub fn store_read(&mut self, snapshot: Option<Snapshot>) {
        self.store = snapshot.map_or(Store::Unreadable, |snapshot| {
            Store::Read(Box::new(snapshot))
        });
    }

    /// A token was granted.
    pub fn granted(&mut self, memory: &mut Memory, held: CachedToken) {
        self.grant = Grant::Done(Box::new(held));
        memory.quiet_until = Duration::ZERO;
    }

    /// The token endpoint refused the refresh token, or could do nothing with it: a full grant is next.
    pub fn refresh_refused(&mut self, memory: &mut Memory, refresh: CachedRefreshToken) {
        self.refresh_was_refused = true;
        memory.refused = Some(refresh);
    }

    /// The token endpoint refused the client.
    pub fn refused(&mut self, memory: &mut Memory, now: Now) {
        self.grant = Grant::Refused;
        memory.quiet_until = now.monotonic + GRANT_PAUSE;
    }

    /// The token endpoint gave no answer of use, or asked to be left alone for `wait`.
    pub fn unavailable(&mut self, memory: &mut Memory, wait: Option<Duration>, now: Now) {
        self.grant = Grant::Unavailable;
        let pause = wait.unwrap_or_default().max(GRANT_PAUSE);
        memory.quiet_until = now.monotonic.saturating_add(pause);
    }

    /// Whether the token that was granted should be stored, and over which version.
    #[must_use]
    pub fn write_back(&self, now: Now) -> WriteBack<'_> {
        let Grant::Done(held) = &self.grant else {
            return WriteBack::InMemory("there is no new token");
        };
        let Store::Read(store) = &self.store else {
            return WriteBack::InMemory("the stored one could not be read");
        };
        if held.life().total() < WORTH_STORING {
            return WriteBack::InMemory("it lives too short");
        }
        match store.written_at {
            // A time ahead of this clock says that the clocks differ, not that it was just written.
            Some(at) if at.duration_since(now.wall).unsigned_abs() < WRITE_INTERVAL => {
                WriteBack::InMemory("the stored one was written just now")
            }
            _ => WriteBack::Store(store.version.as_deref()),
        }
    }

    /// The token, if it is this client's, at least this good, and not (older than) the rejected one.
    fn usable<'a>(
        &self,
        token: Option<&'a CachedToken>,
        memory: &Memory,
        now: Now,
        least: Phase,
    ) -> Option<&'a CachedToken> {
        let held = token?;
        let ours = memory.client.is_none_or(|client| client == held.client());
        let newer = self.rejected.as_ref().is_none_or(|rejected| {
            !held.is_same_token(rejected) && held.life().issued_at() >= rejected.life().issued_at()
        });
        (ours && newer && held.life().phase(now) >= least).then_some(held)
    }

    /// The refresh token of the newest token, be that one good or not.
    fn refresh(&self, memory: &Memory, now: Now) -> Option<CachedRefreshToken> {
        if self.from_scratch || self.refresh_was_refused {
            return None;
        }
        let ours = |held: &&CachedToken| memory.client == Some(held.client());
        let newest = [memory.token.as_ref(), self.stored()]
            .into_iter()
            .flatten()
            .filter(ours)
            .max_by_key(|held| held.life().issued_at())?;
        let refresh = newest.refresh()?;
        let lives = refresh.expires_at().is_none_or(|end| now.wall < end);
        let is_untried = memory.refused.as_ref() != Some(refresh);
        (lives && is_untried).then(|| refresh.clone())
    }

    fn stored(&self) -> Option<&CachedToken> {
        match &self.store {
            Store::Read(snapshot) => snapshot.token.as_ref(),
            Store::NotRead | Store::Unreadable => None,
        }
    }

    /// While no grant is to be had, whatever token is still valid.
    fn last_resort<'a>(&'a self, memory: &'a Memory, now: Now) -> Option<&'a CachedToken> {
        [memory.token.as_ref(), self.stored()]
            .into_iter()
            .filter_map(|token| self.usable(token, memory, now, Phase::Due))
            .max_by_key(|held| held.life().expires_at())
    }
}

/// What was read from the tenant's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Whom tokens are granted for.
    pub id: Fingerprint,
    /// Whether all of it is what was remembered before.
    pub same: bool,
}

/// What becomes of a granted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBack<'a> {
    /// Write it, if the version (`None`: no value yet) is still the current one.
    Store(Option<&'a str>),
    /// Keep it in this process only, for this reason.
    InMemory(&'static str),
}

#[cfg(test)]
mod tests;
