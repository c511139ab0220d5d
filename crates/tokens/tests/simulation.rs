//! Several processes share one token secret: the deployed decisions on a made-up world, thousands of schedules.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::collections::HashMap;
use std::time::Duration;

use cxone::{AccessToken, RefreshToken};
use jiff::Timestamp;
use tokens::expiry::{Life, MIN_HOLD, Now};
use tokens::token_state::{
    CachedRefreshToken, CachedToken, ClientIdentity, LookupState, Memory, NextStep, Snapshot,
    WRITE_INTERVAL, WriteBack, fingerprint,
};

/// xorshift64*: a seed is a schedule.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn pick(&mut self, from: &[u64]) -> u64 {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).unwrap()]
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What is outside of the processes.
#[derive(Default)]
struct World {
    seconds: u64,
    granted: u64,
    /// The number of the client that is valid, and of the one in the tenant's secret.
    client: u64,
    secret: u64,
    /// Tokens that were not revoked, and when they end.
    valid: HashMap<String, u64>,
    /// Refresh tokens that were neither used nor revoked, and whose they are.
    refreshable: HashMap<String, u64>,
    /// Whether tokens that were asked for with a refresh token are worth nothing.
    refreshed_in_vain: bool,
    refreshed: u64,
    /// Tokens that were sent after their end.
    sent_too_late: u32,
    store: Snapshot,
    writes: Vec<u64>,
    outage: bool,
}

#[derive(Default)]
struct Process {
    memory: Memory,
    client: Option<u64>,
    /// How far its wall clock is off, and how long its monotonic clock has stood still.
    skew: i64,
    frozen: u64,
}

fn client_id(number: u64) -> [u8; 32] {
    fingerprint(&format!("client-{number}"))
}

impl Process {
    fn now(&self, world: &World) -> Now {
        let second = 1_750_000_000 + i64::try_from(world.seconds).unwrap() + self.skew;
        Now {
            wall: Timestamp::from_second(second).unwrap(),
            monotonic: Duration::from_secs(world.seconds - self.frozen),
        }
    }

    /// Runs one search to its end; time may pass and others may write between any two effects. Also says whether the
    /// token was asked for with a refresh token.
    fn search(
        &mut self,
        mut search: LookupState,
        world: &mut World,
        dice: &mut Dice,
    ) -> Option<(CachedToken, bool)> {
        let (mut grants, mut tries, mut refreshed) = (0, 0, false);
        for _ in 0..12 {
            world.seconds += dice.below(3);
            match search.next_step(&self.memory, self.now(world)) {
                NextStep::Use(held) => {
                    self.memory.token = Some(held.clone());
                    return Some((held, refreshed));
                }
                NextStep::Fail(_) => return None,
                NextStep::ReadClient => {
                    let same = self.client == Some(world.secret);
                    self.client = Some(world.secret);
                    let id = client_id(world.secret);
                    search.client_read(&mut self.memory, ClientIdentity { id, same });
                }
                NextStep::ReadStore => {
                    let snapshot = (!dice.one_in(20)).then(|| world.store.clone());
                    search.store_read(snapshot);
                    world.interfere(self.now(world), dice);
                }
                NextStep::Refresh(refresh) => {
                    tries += 1;
                    assert_eq!(tries, 1, "a refresh token is tried once");
                    refreshed = self.refresh(&mut search, refresh, world, dice);
                }
                NextStep::Grant => {
                    grants += 1;
                    assert!(grants <= 2, "a search asks for a grant twice at most");
                    self.grant(&mut search, world, dice);
                }
            }
        }
        panic!("a search ends")
    }

    fn grant(&mut self, search: &mut LookupState, world: &mut World, dice: &mut Dice) {
        let asked = self.now(world);
        world.seconds += dice.below(5);
        let now = self.now(world);
        if world.outage {
            return search.unavailable(&mut self.memory, None, now);
        }
        if self.client != Some(world.client) {
            return search.refused(&mut self.memory, now);
        }
        let life = dice.pick(&[0, 60, 600, 900, 3_600]);
        let life = Life::granted(asked, Duration::from_secs(life));
        let held = world.grant(world.client, life, now, dice);
        self.take(search, held, world, now);
    }

    /// Says whether there is another token now.
    fn refresh(
        &mut self,
        search: &mut LookupState,
        refresh: CachedRefreshToken,
        world: &mut World,
        dice: &mut Dice,
    ) -> bool {
        let asked = self.now(world);
        world.seconds += dice.below(5);
        let now = self.now(world);
        if world.outage {
            search.unavailable(&mut self.memory, None, now);
            return false;
        }
        // The client proves itself here too, and a refresh token is good for once.
        let client = world.refreshable.remove(refresh.token().expose());
        if client != Some(world.client) || self.client != client {
            search.refresh_refused(&mut self.memory, refresh);
            return false;
        }
        let life = Life::granted(asked, Duration::from_secs(dice.pick(&[60, 900, 3_600])));
        let held = world.grant(world.client, life, now, dice);
        world.refreshed += 1;
        if world.refreshed_in_vain {
            world.valid.remove(held.token().expose());
        }
        self.take(search, held, world, now);
        true
    }

    fn take(&mut self, search: &mut LookupState, held: CachedToken, world: &mut World, now: Now) {
        search.granted(&mut self.memory, held.clone());
        if let WriteBack::Store(version) = search.write_back(now)
            && version == world.store.version.as_deref()
        {
            world.write(held, now);
        }
    }
}

impl World {
    fn grant(&mut self, client: u64, life: Life, now: Now, dice: &mut Dice) -> CachedToken {
        self.granted += 1;
        let name = format!("token-{}", self.granted);
        let end = self.seconds + life.total().as_secs().max(MIN_HOLD.as_secs());
        self.valid.insert(name.clone(), end);
        let token = AccessToken::new(name).unwrap();
        CachedToken::new(token, client_id(client), life)
            .renewed_by(self.refreshable(client, now, dice))
    }

    /// Every second token can be renewed; half of those say until when.
    fn refreshable(
        &mut self,
        client: u64,
        now: Now,
        dice: &mut Dice,
    ) -> Option<CachedRefreshToken> {
        if dice.one_in(2) {
            return None;
        }
        let name = format!("refresh-{}", self.granted);
        self.refreshable.insert(name.clone(), client);
        let lives = Duration::from_secs(dice.pick(&[600, 7_200]));
        let ends = dice.one_in(2).then(|| now.wall + lives);
        Some(CachedRefreshToken::new(
            RefreshToken::new(name).unwrap(),
            ends,
        ))
    }

    fn write(&mut self, held: CachedToken, now: Now) {
        self.writes.push(self.seconds);
        self.store = Snapshot {
            version: Some(format!("v{}", self.writes.len())),
            written_at: Some(now.wall),
            token: Some(held),
        };
    }

    /// Another process stores a token right after ours has read the store.
    fn interfere(&mut self, now: Now, dice: &mut Dice) {
        let is_old = self.writes.last().is_none_or(|at| at + 600 <= self.seconds);
        if is_old && dice.one_in(5) {
            let life = Life::granted(now, Duration::from_hours(1));
            let held = self.grant(self.client, life, now, dice);
            self.write(held, now);
        }
    }

    fn happen(&mut self, process: &mut Process, dice: &mut Dice) {
        let pause = dice.pick(&[1, 10, 100, 1_000, 4_000]);
        let pause = dice.below(pause);
        self.seconds += pause;
        match dice.below(24) {
            0 => self.outage = !self.outage,
            1 => self.valid.clear(),
            2 => self.client += 1,
            3 => process.frozen += pause,
            4 => *process = Process::default(),
            5 => self.refreshable.clear(),
            6 => self.refreshed_in_vain = !self.refreshed_in_vain,
            _ => {}
        }
        // The tenant's secret follows CXone with a delay.
        if dice.one_in(3) {
            self.secret = self.client;
        }
    }
}

/// The shell's `call`: at most three requests.
fn call(process: &mut Process, world: &mut World, dice: &mut Dice) -> Option<bool> {
    let (mut held, mut refreshed) = process.search(LookupState::any_token(), world, dice)?;
    for calls in 1..=3 {
        match world.valid.get(held.token().expose()) {
            Some(end) if *end > world.seconds => return Some(true),
            Some(_) => world.sent_too_late += 1,
            None => {}
        }
        let mut search = LookupState::other_than(held);
        if calls > 1 || refreshed {
            search = search.from_scratch();
        }
        (held, refreshed) = process.search(search, world, dice)?;
    }
    Some(false)
}

fn run(seed: u64, skews: bool) -> u64 {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut world = World::default();
    let mut processes: [Process; 3] = Default::default();
    for _ in 0..60 {
        let process = &mut processes[usize::try_from(dice.below(3)).unwrap()];
        world.happen(process, &mut dice);
        if skews && dice.one_in(10) {
            process.skew = i64::try_from(dice.below(4_000)).unwrap() - 2_000;
        }
        let healthy = !world.outage && world.secret == world.client;
        if let Some(served) = call(process, &mut world, &mut dice) {
            assert!(
                served,
                "seed {seed}: a call ends with a token that is valid"
            );
        } else {
            assert!(!healthy, "seed {seed}: a healthy world has a token");
        }
    }
    if !skews {
        assert_eq!(world.sent_too_late, 0, "seed {seed}");
        for pair in world.writes.windows(2) {
            let pause = Duration::from_secs(pair[1] - pair[0]);
            // The write comes a few seconds after the decision to write.
            assert!(pause >= WRITE_INTERVAL, "seed {seed}: {pair:?}");
        }
    }
    world.refreshed
}

#[test]
fn a_healthy_world_always_has_a_token_and_the_secret_is_written_rarely() {
    let refreshed: u64 = (0..5_000).map(|seed| run(seed, false)).sum();
    assert!(refreshed > 5_000, "{refreshed} tokens were refreshed");
}

#[test]
fn clocks_that_differ_cost_grants_and_no_call() {
    let refreshed: u64 = (0..5_000).map(|seed| run(seed, true)).sum();
    assert!(refreshed > 5_000, "{refreshed} tokens were refreshed");
}
