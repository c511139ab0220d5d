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
use crate::outside::Mishap;
use crate::rng::Rng;

/// So often a call is made with another token after a 401.
const REFUSALS: u32 = 3;

/// A tenant's token secret and its token endpoint.
#[derive(Debug)]
pub(crate) struct Vault {
    customer: &'static str,
    store: Snapshot,
    written: Vec<Timestamp>,
    /// The tokens that the tenant takes, and until when.
    valid: BTreeMap<String, Timestamp>,
    pub(crate) told: Signed,
    /// A planted bug: the secret is written whatever version is there.
    pub(crate) writes_blindly: bool,
    /// A token that another tenant gave was shown to this one.
    pub(crate) foreign: Option<String>,
}

/// The processes that serve every tenant of the deployment and wait for their next invocation.
#[derive(Debug, Default)]
pub(crate) struct Warm {
    idle: Vec<Process>,
    /// A planted bug: what a process remembers is not kept apart by tenant.
    pub(crate) mixes_tenants: bool,
}

/// What one process remembers of each tenant.
type Process = BTreeMap<&'static str, Memory>;

/// What a schedule did to tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signed {
    pub(crate) grants: u64,
    pub(crate) refused: u64,
    pub(crate) lost_races: u64,
    pub(crate) writes: u64,
}

impl Signed {
    pub(crate) fn add(&mut self, other: Self) {
        self.grants += other.grants;
        self.refused += other.refused;
        self.lost_races += other.lost_races;
        self.writes += other.writes;
    }
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
    process: Option<Process>,
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
        warm: &mut Warm,
        rng: &mut Rng,
        now: Timestamp,
        mishap: Mishap,
    ) -> Signing {
        let process = self.process.get_or_insert_with(|| warm.process(rng));
        let whose = if warm.mixes_tenants {
            ""
        } else {
            vault.customer
        };
        let memory = process.entry(whose).or_default();
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
            Mishap::KillBefore => return Signing::Out(mishap),
            _ => self.one_effect(whose, next.as_ref(), vault, rng, now, mishap),
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
        whose: &str,
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
        let process = self.process.as_mut();
        let memory = process.and_then(|process| process.get_mut(whose));
        let (Some(memory), Some(search)) = (memory, &mut self.search) else {
            return Signing::Busy;
        };
        if next == Some(&NextStep::ReadClient) && !is_lost {
            let id = vault.client();
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
    pub(crate) fn rest(&mut self, warm: &mut Warm) {
        warm.idle.extend(self.process.take());
    }
}

impl Warm {
    /// A warm process or a new one.
    fn process(&mut self, rng: &mut Rng) -> Process {
        if self.idle.is_empty() || rng.chance(300) {
            return Process::default();
        }
        let index = rng.index(self.idle.len());
        self.idle.swap_remove(index)
    }
}

impl Vault {
    pub(crate) fn new(customer: &'static str, writes_blindly: bool) -> Self {
        Self {
            customer,
            store: Snapshot::default(),
            written: Vec::new(),
            valid: BTreeMap::new(),
            told: Signed::default(),
            writes_blindly,
            foreign: None,
        }
    }

    /// The tenant's client, of which the secret is a part.
    fn client(&self) -> [u8; 32] {
        fingerprint(&format!("{}{}", Kind::Client.text(), self.customer))
    }

    /// How the tokens begin that this tenant gives.
    fn tokens(&self) -> String {
        format!("{}{}.", Kind::Access.text(), self.customer)
    }

    fn grant(&mut self, rng: &mut Rng, now: Timestamp) -> CachedToken {
        self.told.grants += 1;
        let name = format!("{}{}", self.tokens(), self.told.grants);
        let life = Duration::from_secs([0, 60, 600, 900, 3_600, 3_600][rng.index(6)]);
        let end = now + SignedDuration::try_from(life.max(MIN_HOLD)).unwrap();
        self.valid.insert(name.clone(), end);
        let client = self.client();
        let life = Life::granted(clocks(now), life);
        CachedToken::new(AccessToken::new(name).unwrap(), client, life)
    }

    /// Whether the tenant takes it. It may have ended on the way, or been revoked.
    fn takes(&mut self, held: &CachedToken, now: Timestamp) -> bool {
        if !held.token().expose().starts_with(&self.tokens()) {
            self.foreign = Some(format!("{} was shown another's token", self.customer));
        }
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
