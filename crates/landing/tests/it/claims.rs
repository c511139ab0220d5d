use delivery::effects::{Answered, Claimed, Effects, Fault, StoreEffect, run_flow};
use hyper::Method;
use landing::Store;
use local_aws::BUCKET_OWNER;

use crate::bucket::{Bucket, Fault as Broken, NAME};

/// Asks a store as a flow does.
async fn ask<T>(store: &Store, flow: impl AsyncFnOnce(Effects<StoreEffect>) -> T) -> T {
    run_flow(flow, async |effect| store.execute(effect).await).await
}

async fn claim(store: &Store, key: &str, body: &[u8]) -> Answered<Claimed> {
    ask(store, async |s3| {
        s3.claim(key.to_owned(), body.to_vec()).await
    })
    .await
}

async fn read(store: &Store, keys: &[&str]) -> Answered<Vec<Option<Vec<u8>>>> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    ask(store, async |s3| s3.read_all(keys).await).await
}

async fn list(store: &Store, prefix: &str, after: Option<&str>) -> Answered<Vec<String>> {
    ask(store, async |s3| {
        s3.list(prefix.to_owned(), after.map(str::to_owned)).await
    })
    .await
}

/// A claim of a free key under a fault ends like this, and this is what is stored.
async fn check(method: Method, times: usize, broken: Broken, expected: Answered<Claimed>) {
    let bucket = Bucket::new().await;
    bucket.fault(method, "win/open.json", times, broken);
    let answer = claim(&bucket.store(), "win/open.json", b"mine").await;
    match (&answer, &expected) {
        // The text of a fault is for people.
        (Err(answer), Err(expected)) => {
            assert_eq!(
                std::mem::discriminant(answer),
                std::mem::discriminant(expected),
                "{answer:?}"
            );
        }
        _ => assert_eq!(answer, expected),
    }
    let stored = bucket.stored("win/open.json");
    assert_eq!(stored.is_some(), answer.is_ok());
}

fn unavailable() -> Answered<Claimed> {
    Err(Fault::Unavailable(String::new()))
}

fn config() -> Answered<Claimed> {
    Err(Fault::Config(String::new()))
}

#[tokio::test]
async fn the_first_claim_stays() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    assert_eq!(claim(&store, "a.json", b"one").await, Ok(Claimed::Ours));
    assert_eq!(claim(&store, "a.json", b"one").await, Ok(Claimed::Ours));
    let theirs = Claimed::Theirs(b"one".to_vec());
    assert_eq!(claim(&store, "a.json", b"two").await, Ok(theirs));
    assert_eq!(bucket.stored("a.json").unwrap(), b"one");
}

#[tokio::test]
async fn of_claims_at_the_same_time_one_wins_and_all_agree() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    let winner = async |n: u8| match claim(&store, "a.json", &[n]).await.unwrap() {
        Claimed::Ours => vec![n],
        Claimed::Theirs(stored) => stored,
    };
    let winners = futures_util::future::join_all((0..24).map(winner)).await;
    let stored = bucket.stored("a.json").unwrap();
    assert!(
        winners.iter().all(|winner| *winner == stored),
        "{winners:?}"
    );
}

#[tokio::test]
async fn a_lost_answer_is_harmless() {
    check(Method::PUT, 1, Broken::LoseAnswer, Ok(Claimed::Ours)).await;
    check(Method::PUT, 2, Broken::LoseAnswer, Ok(Claimed::Ours)).await;
}

#[tokio::test]
async fn a_concurrent_writer_is_waited_for() {
    let conflict = Broken::Refuse(409, "ConditionalRequestConflict");
    check(Method::PUT, 3, conflict, Ok(Claimed::Ours)).await;
    check(Method::PUT, usize::MAX, conflict, unavailable()).await;
}

#[tokio::test]
async fn a_busy_store_is_asked_again_but_not_for_ever() {
    let slow_down = Broken::Refuse(503, "SlowDown");
    check(Method::PUT, 5, slow_down, Ok(Claimed::Ours)).await;
    check(Method::PUT, usize::MAX, slow_down, unavailable()).await;
    check(
        Method::PUT,
        5,
        Broken::Refuse(500, "InternalError"),
        Ok(Claimed::Ours),
    )
    .await;
}

#[tokio::test]
async fn a_deployment_that_lacks_a_right_says_which() {
    check(
        Method::PUT,
        usize::MAX,
        Broken::Refuse(403, "AccessDenied"),
        config(),
    )
    .await;
    check(
        Method::PUT,
        usize::MAX,
        Broken::Refuse(404, "NoSuchBucket"),
        config(),
    )
    .await;
    check(
        Method::PUT,
        usize::MAX,
        Broken::Refuse(400, "KMS.DisabledException"),
        config(),
    )
    .await;

    let bucket = Bucket::new().await;
    bucket.fault(
        Method::GET,
        "absent.json",
        9,
        Broken::Refuse(403, "AccessDenied"),
    );
    let Err(Fault::Config(message)) = read(&bucket.store(), &["absent.json"]).await else {
        panic!("an object that may be absent was denied")
    };
    for word in [NAME, "absent.json", "GetObject", "s3:ListBucket"] {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[tokio::test]
async fn expired_credentials_are_a_matter_of_time() {
    check(
        Method::PUT,
        usize::MAX,
        Broken::Refuse(400, "ExpiredToken"),
        Err(Fault::Expired(String::new())),
    )
    .await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_again() {
    let bucket = Bucket::new().await;
    bucket.put("a.json", &vec![b'x'; 100_000]).await;
    bucket.fault(Method::GET, "a.json", 2, Broken::CutBody);
    let objects = read(&bucket.store(), &["a.json"]).await.unwrap();
    assert_eq!(objects, [Some(vec![b'x'; 100_000])]);
    bucket.fault(Method::GET, "a.json", usize::MAX, Broken::CutBody);
    let broken = read(&bucket.store(), &["a.json"]).await;
    assert!(matches!(broken, Err(Fault::Unavailable(_))), "{broken:?}");
}

#[tokio::test]
async fn an_object_that_we_can_not_have_written_is_refused() {
    let bucket = Bucket::new().await;
    bucket
        .put("huge.json", &vec![b' '; 16 * 1024 * 1024 + 1])
        .await;
    let huge = read(&bucket.store(), &["huge.json"]).await;
    assert!(matches!(huge, Err(Fault::Contract(_))));
}

#[tokio::test]
async fn a_bucket_of_another_account_is_neither_read_nor_written() {
    let bucket = Bucket::new().await;
    bucket.put("a.json", b"theirs").await;
    let store = bucket.store_of("111122223333");
    for answer in [
        claim(&store, "b.json", b"mine").await.map(drop),
        read(&store, &["a.json"]).await.map(drop),
        list(&store, "", None).await.map(drop),
    ] {
        let Err(Fault::Config(text)) = answer else {
            panic!("{answer:?}");
        };
        let named = ["111122223333", "LANDING_BUCKET_OWNER", "BucketOwner"];
        assert!(named.iter().all(|name| text.contains(name)), "{text}");
    }
    assert_eq!(bucket.stored("b.json"), None);
    let ours = claim(&bucket.store_of(BUCKET_OWNER), "b.json", b"mine").await;
    assert_eq!(ours, Ok(Claimed::Ours));
}

#[tokio::test]
async fn objects_come_in_the_order_asked_for() {
    let bucket = Bucket::new().await;
    let names: Vec<String> = (0..100).map(|n| format!("o{n}")).collect();
    for name in names.iter().step_by(2) {
        bucket.put(name, name.as_bytes()).await;
    }
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let objects = read(&bucket.store(), &keys).await.unwrap();
    for (n, object) in objects.into_iter().enumerate() {
        assert_eq!(object, (n % 2 == 0).then(|| format!("o{n}").into_bytes()));
    }
}

#[tokio::test]
async fn a_listing_goes_on_after_a_thousand_keys() {
    let bucket = Bucket::new().await;
    let keys: Vec<String> = (0..2_500).map(|n| format!("win/b{n:06}.json")).collect();
    for key in keys.iter().map(String::as_str).chain(["other/x"]) {
        bucket.place(key);
    }
    let store = bucket.store();
    assert_eq!(list(&store, "win/", None).await.unwrap(), keys);
    let after = list(&store, "win/", Some(&keys[1_199])).await.unwrap();
    assert_eq!(after, keys[1_200..]);
    assert!(list(&store, "nothing/", None).await.unwrap().is_empty());
}

#[tokio::test]
async fn folders_are_listed_without_what_is_in_them_and_only_as_far_as_asked() {
    let bucket = Bucket::new().await;
    let folder = |n: u32| format!("win/{n:05}/");
    for n in 0..2_100 {
        for name in ["g0001/open.json", "g0001/s0/r01/run.json"] {
            bucket.place(&format!("{}{name}", folder(n)));
        }
    }
    bucket.place("win/not-a-folder");
    let store = bucket.store();
    let list = async |after: &str, before: &str| {
        let (after, before) = (after.to_owned(), before.to_owned());
        ask(&store, async |s3| {
            s3.list_folders("win/".to_owned(), after, before).await
        })
        .await
        .unwrap()
    };
    let folders = |range: std::ops::Range<u32>| range.map(folder).collect::<Vec<_>>();
    assert_eq!(list("win/", "win/~").await, folders(0..2_100));
    assert_eq!(list("win/00990", "win/01010").await, folders(990..1_010));
    assert!(list("win/1", "win/2").await.is_empty());
    // What lies behind costs one page at most.
    bucket.fault(
        Method::GET,
        "start-after=win%2F00999",
        1,
        Broken::Refuse(500, "Internal"),
    );
    assert_eq!(list("win/", "win/00500").await, folders(0..500));
}

#[test]
fn effects_can_be_carried_out_on_any_thread() {
    fn check<T: Send>(_: fn(&'static Store) -> T) {}
    check(|store| store.check_parts(Vec::new()));
    check(|store| landing::merge(store, &[]));
    check(|store| {
        let (reply, _) = tokio::sync::oneshot::channel();
        store.execute(StoreEffect::Read(Vec::new(), reply))
    });
}
