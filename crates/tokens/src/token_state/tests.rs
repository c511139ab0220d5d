use cxone::{AccessToken, RefreshToken};

use super::*;
use crate::expiry::Life;

const US: Fingerprint = [1; 32];
const OTHERS: Fingerprint = [2; 32];

fn at(seconds: u64) -> Now {
    Now {
        wall: wall(seconds),
        monotonic: Duration::from_secs(seconds),
    }
}

fn wall(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

/// A token of an hour that was asked for at `seconds`.
fn token(name: &str, seconds: u64) -> CachedToken {
    token_of(US, name, seconds, 3_600)
}

fn token_of(client: Fingerprint, name: &str, seconds: u64, life: u64) -> CachedToken {
    CachedToken::new(
        AccessToken::new(name).unwrap(),
        client,
        Life::granted(at(seconds), Duration::from_secs(life)),
    )
}

fn remembers(token: Option<CachedToken>) -> Memory {
    Memory {
        token,
        client: Some(US),
        refused: None,
        quiet_until: Duration::ZERO,
    }
}

fn stored(token: Option<CachedToken>) -> Snapshot {
    Snapshot {
        version: Some("v1".into()),
        written_at: token.as_ref().map(|token| token.life().issued_at()),
        token,
    }
}

#[test]
fn memory_comes_first_then_the_store_then_a_grant() {
    let check = |memory: Option<CachedToken>,
                 store: Option<Option<CachedToken>>,
                 now: u64,
                 expected: NextStep| {
        let mut search = LookupState::any_token();
        if let Some(store) = store {
            search.store_read(Some(stored(store)));
        }
        assert_eq!(search.next_step(&remembers(memory), at(now)), expected);
    };
    let (old, new) = (token("old", 0), token("new", 3_000));
    check(None, None, 0, NextStep::ReadStore);
    check(Some(old.clone()), None, 3_239, NextStep::Use(old.clone()));
    check(Some(old.clone()), None, 3_240, NextStep::ReadStore);
    check(
        Some(old.clone()),
        Some(Some(new.clone())),
        3_240,
        NextStep::Use(new),
    );
    check(
        Some(old.clone()),
        Some(Some(old.clone())),
        3_240,
        NextStep::Grant,
    );
    check(Some(old), Some(None), 9_999, NextStep::Grant);
    check(
        None,
        Some(Some(token_of(OTHERS, "theirs", 0, 3_600))),
        1,
        NextStep::Grant,
    );
    check(
        None,
        Some(Some(token_of(US, "short", 0, 100))),
        51,
        NextStep::Grant,
    );
}

#[test]
fn the_client_is_read_before_a_stored_token_is_trusted() {
    let mut memory = Memory::default();
    let mut search = LookupState::any_token();
    assert_eq!(search.next_step(&memory, at(0)), NextStep::ReadClient);
    search.client_read(
        &mut memory,
        ClientIdentity {
            id: US,
            same: false,
        },
    );
    assert_eq!(search.next_step(&memory, at(0)), NextStep::ReadStore);
}

#[test]
fn after_a_401_only_a_newer_token_will_do() {
    let check = |memory: &CachedToken, store: CachedToken, expected: NextStep| {
        let mut search = LookupState::other_than(token("bad", 100));
        search.store_read(Some(stored(Some(store))));
        assert_eq!(
            search.next_step(&remembers(Some(memory.clone())), at(200)),
            expected
        );
    };
    let (bad, older, newer) = (token("bad", 100), token("older", 50), token("newer", 150));
    check(&bad, bad.clone(), NextStep::Grant);
    check(&bad, older.clone(), NextStep::Grant);
    check(&bad, newer.clone(), NextStep::Use(newer.clone()));
    check(&newer, bad.clone(), NextStep::Use(newer.clone()));
    check(&older, bad, NextStep::Grant);
}

#[test]
fn a_refused_client_is_read_again_once() {
    let refused = |same, id| {
        let mut memory = remembers(None);
        let mut search = LookupState::any_token();
        search.store_read(Some(stored(None)));
        assert_eq!(search.next_step(&memory, at(0)), NextStep::Grant);
        search.refused(&mut memory, at(0));
        assert_eq!(search.next_step(&memory, at(0)), NextStep::ReadClient);
        search.client_read(&mut memory, ClientIdentity { id, same });
        (search, memory)
    };
    let (search, memory) = refused(true, US);
    assert_eq!(
        search.next_step(&memory, at(0)),
        NextStep::Fail(Reason::Refused)
    );

    for id in [US, OTHERS] {
        let (mut search, mut memory) = refused(false, id);
        assert_eq!(search.next_step(&memory, at(0)), NextStep::Grant);
        search.refused(&mut memory, at(0));
        assert_eq!(
            search.next_step(&memory, at(0)),
            NextStep::Fail(Reason::Refused)
        );
    }
}

#[test]
fn a_client_that_was_read_for_this_search_is_not_read_twice() {
    let mut memory = Memory::default();
    let mut search = LookupState::any_token();
    search.client_read(
        &mut memory,
        ClientIdentity {
            id: US,
            same: false,
        },
    );
    search.store_read(Some(stored(None)));
    search.refused(&mut memory, at(0));
    assert_eq!(
        search.next_step(&memory, at(0)),
        NextStep::Fail(Reason::Refused)
    );
}

#[test]
fn the_stored_token_of_a_rotated_client_is_used() {
    let theirs = token_of(OTHERS, "theirs", 0, 3_600);
    let mut memory = remembers(None);
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(Some(theirs.clone()))));
    search.refused(&mut memory, at(1));
    search.client_read(
        &mut memory,
        ClientIdentity {
            id: OTHERS,
            same: false,
        },
    );
    assert_eq!(search.next_step(&memory, at(1)), NextStep::Use(theirs));
}

#[test]
fn without_a_grant_the_old_token_serves_while_it_is_valid_and_the_endpoint_is_left_alone() {
    let old = token("old", 0);
    let mut memory = remembers(Some(old.clone()));
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(None)));
    assert_eq!(search.next_step(&memory, at(3_300)), NextStep::Grant);
    search.unavailable(&mut memory, Some(Duration::from_secs(40)), at(3_300));
    assert_eq!(
        search.next_step(&memory, at(3_300)),
        NextStep::Use(old.clone())
    );

    let later = LookupState::any_token();
    assert_eq!(later.next_step(&memory, at(3_339)), NextStep::Use(old));
    assert_eq!(later.next_step(&memory, at(3_340)), NextStep::ReadStore);

    assert_eq!(
        search.next_step(&memory, at(3_600)),
        NextStep::Fail(Reason::Unavailable)
    );
}

#[test]
fn a_pause_as_long_as_a_number_can_say_is_just_long() {
    let old = token("old", 0);
    let mut memory = remembers(Some(old.clone()));
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(None)));
    search.unavailable(&mut memory, Some(Duration::MAX), at(3_300));
    assert_eq!(search.next_step(&memory, at(3_300)), NextStep::Use(old));
}

#[test]
fn a_rejected_token_is_no_last_resort() {
    let bad = token("bad", 0);
    let mut memory = remembers(Some(bad.clone()));
    let mut search = LookupState::other_than(bad.clone());
    search.store_read(Some(stored(Some(bad))));
    search.unavailable(&mut memory, None, at(10));
    assert_eq!(
        search.next_step(&memory, at(10)),
        NextStep::Fail(Reason::Unavailable)
    );
}

#[test]
fn a_token_is_stored_if_it_lives_long_and_the_last_write_is_old() {
    let check = |life, snapshot: Option<Snapshot>, expected: bool| {
        let mut search = LookupState::any_token();
        search.store_read(snapshot.clone());
        search.granted(&mut remembers(None), token_of(US, "new", 5_000, life));
        let stores = matches!(search.write_back(at(5_000)), WriteBack::Store(_));
        assert_eq!(stores, expected, "life of {life} s over {snapshot:?}");
    };
    let written = |at| {
        Some(Snapshot {
            version: Some("v1".into()),
            written_at: Some(wall(at)),
            token: None,
        })
    };
    let empty = Some(Snapshot::default());
    check(900, empty.clone(), true);
    check(899, empty, false);
    check(3_600, None, false);
    check(3_600, written(4_400), true);
    check(3_600, written(4_401), false);
    check(3_600, written(5_000), false);
    // A clock ahead of ours by a little, and by a lot.
    check(3_600, written(5_100), false);
    check(3_600, written(9_000), true);
}

#[test]
fn a_token_is_written_over_the_version_that_was_read() {
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(None)));
    search.granted(&mut remembers(None), token("new", 5_000));
    assert_eq!(search.write_back(at(5_000)), WriteBack::Store(Some("v1")));
}

#[test]
fn nothing_is_kept_without_a_grant() {
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(Some(token("old", 0)))));
    assert!(matches!(search.write_back(at(1)), WriteBack::InMemory(_)));
}

#[test]
fn no_token_shows_in_debug_output() {
    let held = renewable("s3cret", 0, None);
    let renewal = NextStep::Refresh(refresh("s3cret", None));
    let shown = format!("{:?}", (NextStep::Use(held), renewal));
    assert!(!shown.contains("s3cret"), "{shown}");
}

fn refresh(name: &str, ends: Option<u64>) -> CachedRefreshToken {
    CachedRefreshToken::new(RefreshToken::new(name).unwrap(), ends.map(wall))
}

fn renewable(name: &str, seconds: u64, ends: Option<u64>) -> CachedToken {
    let refresh = refresh(&format!("refresh of {name}"), ends);
    token(name, seconds).renewed_by(Some(refresh))
}

#[test]
fn a_refresh_token_comes_before_a_grant() {
    let check =
        |memory: Option<CachedToken>, store: Option<CachedToken>, expected: Option<&str>| {
            let mut search = LookupState::any_token();
            search.store_read(Some(stored(store)));
            let next = search.next_step(&remembers(memory), at(9_999));
            let expected = expected.map(|name| NextStep::Refresh(refresh(name, None)));
            assert_eq!(next, expected.unwrap_or(NextStep::Grant));
        };
    let (old, new) = (renewable("old", 0, None), renewable("new", 3_000, None));
    check(Some(old.clone()), None, Some("refresh of old"));
    check(None, Some(old.clone()), Some("refresh of old"));
    check(Some(old.clone()), Some(new.clone()), Some("refresh of new"));
    check(Some(new), Some(old.clone()), Some("refresh of new"));
    // The newest token came without: the older one's may have been used up for it.
    check(Some(old), Some(token("bare", 3_000)), None);
    check(
        Some(renewable("a", 0, Some(10_000))),
        None,
        Some("refresh of a"),
    );
    check(Some(renewable("a", 0, Some(9_999))), None, None);
    let theirs = token_of(OTHERS, "theirs", 0, 3_600).renewed_by(Some(refresh("r", None)));
    check(None, Some(theirs), None);
}

#[test]
fn a_refused_refresh_token_is_followed_by_a_grant_and_never_tried_again() {
    let old = renewable("old", 0, None);
    let mut memory = remembers(Some(old.clone()));
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(Some(old.clone()))));
    let NextStep::Refresh(refresh) = search.next_step(&memory, at(9_999)) else {
        panic!("there is a refresh token");
    };
    search.refresh_refused(&mut memory, refresh);
    assert_eq!(search.next_step(&memory, at(9_999)), NextStep::Grant);

    let mut later = LookupState::any_token();
    later.store_read(Some(stored(Some(old))));
    assert_eq!(later.next_step(&memory, at(9_999)), NextStep::Grant);
}

#[test]
fn a_token_that_was_refreshed_and_refused_is_followed_by_a_grant() {
    let (bad, theirs) = (renewable("bad", 0, None), token("theirs", 1));
    let memory = remembers(Some(bad.clone()));
    let mut search = LookupState::other_than(bad.clone());
    search.store_read(Some(stored(None)));
    assert!(matches!(
        search.next_step(&memory, at(1)),
        NextStep::Refresh(_)
    ));
    let mut search = search.from_scratch();
    search.store_read(Some(stored(Some(theirs.clone()))));
    assert_eq!(search.next_step(&memory, at(1)), NextStep::Grant);
    // Another task of the process was granted one meanwhile.
    assert_eq!(
        search.next_step(&remembers(Some(theirs.clone())), at(1)),
        NextStep::Use(theirs)
    );
}

#[test]
fn an_endpoint_that_is_down_is_not_asked_twice_for_the_refresh_token_and_the_grant() {
    let old = renewable("old", 0, None);
    let mut memory = remembers(Some(old.clone()));
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(None)));
    assert!(matches!(
        search.next_step(&memory, at(3_300)),
        NextStep::Refresh(_)
    ));
    search.unavailable(&mut memory, None, at(3_300));
    assert_eq!(search.next_step(&memory, at(3_300)), NextStep::Use(old));
    assert_eq!(
        search.next_step(&memory, at(3_600)),
        NextStep::Fail(Reason::Unavailable)
    );
}

#[test]
fn a_client_that_was_replaced_after_a_refused_refresh_is_granted_a_token() {
    let old = renewable("old", 0, None);
    let mut memory = remembers(Some(old.clone()));
    let mut search = LookupState::any_token();
    search.store_read(Some(stored(None)));
    search.refresh_refused(&mut memory, old.refresh().unwrap().clone());
    search.refused(&mut memory, at(9_999));
    assert_eq!(search.next_step(&memory, at(9_999)), NextStep::ReadClient);
    search.client_read(
        &mut memory,
        ClientIdentity {
            id: US,
            same: false,
        },
    );
    assert_eq!(search.next_step(&memory, at(9_999)), NextStep::Grant);
}
