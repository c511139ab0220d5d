//! How a process comes by an access token: the deployed decisions of `tokens`, one effect at a time, so that several
//! processes meet at the secret, and are killed on their way.

use std::collections::BTreeMap;
use std::time::Duration;

use cxone::AccessToken;
use jiff::{SignedDuration, Timestamp};
use tokens::expiry::{Life, MIN_HOLD, Now};
use tokens::token_state::{
    CachedToken, ClientIdentity, LookupState, Memory, NextStep, Snapshot, WRITE_INTERVAL,
    WriteBack, fingerprint,
};

use crate::canaries::Kind;
use crate::invocation::Mishap;
use crate::rng::Rng;

/// So often a call is made with another token after a 401.
const REFUSALS: u32 = 3;

/// The token secret, the token endpoint, and what warm processes remember.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    store: Snapshot,
    written: Vec<Timestamp>,
    /// The tokens that the tenant takes, and until when.
    valid: BTreeMap<String, Timestamp>,
    warm: Vec<Memory>,
    pub(crate) told: Signed,
    /// A planted bug: the secret is written whatever version is there.
    pub(crate) writes_blindly: bool,
}

/// What a schedule did to tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signed {
    pub(crate) grants: u64,
    pub(crate) refused: u64,
    pub(crate) lost_races: u64,
    pub(crate) writes: u64,
}

/// Whether the call can be made.
pub(crate) enum Signing {
    /// With a token that the tenant takes.
    In,
    /// There is more to do before.
    Busy,
    /// Not at all; this happens to the call.
    Out(Mishap),
}

/// What one process does about its token.
#[derive(Debug, Default)]
pub(crate) struct Session {
    memory: Option<Memory>,
    search: Option<LookupState>,
    /// The token that is to be stored, over this version.
    keeps: Option<(CachedToken, Option<String>)>,
    refused: u32,
}

impl Session {
    /// Does the next thing on the way to a token that the tenant takes.
    pub(crate) fn sign_in(
        &mut self,
        vault: &mut Vault,
        rng: &mut Rng,
        now: Timestamp,
        mishap: Mishap,
    ) -> Signing {
        let memory = self.memory.get_or_insert_with(|| vault.process(rng));
        let search = self.search.get_or_insert_with(LookupState::any_token);
        let next = match &self.keeps {
            Some(_) => None,
            None => Some(search.next_step(memory, clocks(now))),
        };
        if let Some(NextStep::Use(held)) = next {
            memory.token = Some(held.clone());
            return self.call(vault, held, now);
        }
        let signing = match mishap {
            Mishap::KillBefore => Signing::Out(mishap),
            _ => self.one_effect(next.as_ref(), vault, rng, now, mishap),
        };
        match mishap {
            Mishap::KillAfter => Signing::Out(Mishap::KillBefore),
            _ => signing,
        }
    }

    /// The tenant looks at the token.
    fn call(&mut self, vault: &mut Vault, held: CachedToken, now: Timestamp) -> Signing {
        if vault.takes(&held, now) {
            self.search = None;
            self.refused = 0;
            return Signing::In;
        }
        vault.told.refused += 1;
        self.refused += 1;
        self.search = Some(LookupState::other_than(held));
        if self.refused > REFUSALS {
            return Signing::Out(Mishap::Refused);
        }
        Signing::Busy
    }

    fn one_effect(
        &mut self,
        next: Option<&NextStep>,
        vault: &mut Vault,
        rng: &mut Rng,
        now: Timestamp,
        mishap: Mishap,
    ) -> Signing {
        let is_lost = matches!(mishap, Mishap::LoseAnswer | Mishap::Unavailable);
        if let Some((held, version)) = self.keeps.take() {
            if mishap != Mishap::Unavailable {
                vault.write(held, version.as_deref(), now);
            }
            return Signing::Busy;
        }
        let (Some(memory), Some(search)) = (&mut self.memory, &mut self.search) else {
            return Signing::Busy;
        };
        if next == Some(&NextStep::ReadClient) && !is_lost {
            let id = fingerprint(Kind::Client.text());
            let same = memory.client == Some(id);
            search.client_read(memory, ClientIdentity { id, same });
        } else if next == Some(&NextStep::ReadStore) {
            search.store_read((!is_lost).then(|| vault.store.clone()));
        } else if next == Some(&NextStep::Grant) {
            let held = vault.grant(rng, now);
            if is_lost {
                search.unavailable(memory, None, clocks(now));
            } else {
                search.granted(memory, held.clone());
                if let WriteBack::Store(version) = search.write_back(clocks(now)) {
                    self.keeps = Some((held, version.map(str::to_owned)));
                }
            }
        } else {
            self.search = None;
            return Signing::Out(Mishap::Unavailable);
        }
        Signing::Busy
    }

    /// The process stays warm.
    pub(crate) fn rest(&mut self, vault: &mut Vault) {
        vault.warm.extend(self.memory.take());
    }
}

impl Vault {
    /// A warm process or a new one.
    fn process(&mut self, rng: &mut Rng) -> Memory {
        if self.warm.is_empty() || rng.chance(300) {
            return Memory::default();
        }
        let index = rng.index(self.warm.len());
        self.warm.swap_remove(index)
    }

    fn grant(&mut self, rng: &mut Rng, now: Timestamp) -> CachedToken {
        self.told.grants += 1;
        let name = format!("{}{}", Kind::Access.text(), self.told.grants);
        let life = Duration::from_secs([0, 60, 600, 900, 3_600, 3_600][rng.index(6)]);
        let end = now + SignedDuration::try_from(life.max(MIN_HOLD)).unwrap();
        self.valid.insert(name.clone(), end);
        let client = fingerprint(Kind::Client.text());
        let life = Life::granted(clocks(now), life);
        CachedToken::new(AccessToken::new(name).unwrap(), client, life)
    }

    /// Whether the tenant takes it. It may have ended on the way, or been revoked.
    fn takes(&self, held: &CachedToken, now: Timestamp) -> bool {
        let end = self.valid.get(held.token().expose());
        end.is_some_and(|end| now < *end)
    }

    /// The tenant takes none of the tokens any more that it has given.
    pub(crate) fn revoke(&mut self) {
        self.valid.clear();
    }

    /// Compares and sets.
    fn write(&mut self, held: CachedToken, version: Option<&str>, now: Timestamp) {
        if self.store.version.as_deref() != version && !self.writes_blindly {
            self.told.lost_races += 1;
            return;
        }
        self.told.writes += 1;
        self.written.push(now);
        self.store = Snapshot {
            version: Some(format!("v{}", self.written.len())),
            written_at: Some(now),
            token: Some(held),
        };
    }

    /// Secrets Manager keeps 100 versions, and none of a day is dropped: so the secret is written rarely.
    pub(crate) fn judge(&self) -> Result<(), String> {
        let interval = SignedDuration::try_from(WRITE_INTERVAL).unwrap();
        let mut pairs = self.written.windows(2);
        match pairs.find(|pair| pair[1].duration_since(pair[0]) < interval) {
            Some(pair) => Err(format!(
                "the token secret was written at {} and at {}",
                pair[0], pair[1]
            )),
            None => Ok(()),
        }
    }
}

fn clocks(now: Timestamp) -> Now {
    let since = now.duration_since("2026-11-22T00:00:00Z".parse().unwrap());
    Now {
        wall: now,
        monotonic: Duration::try_from(since).unwrap_or_default(),
    }
}
