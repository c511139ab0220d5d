//! Compare and set.

use delivery::effects::{Answered, CasOutcome, Effects, Fault, StoreEffect, Versioned, run_flow};
use hyper::Method;
use landing::Store;

use crate::bucket::{Bucket, Fault as Broken};

const KEY: &str = "_pace/x.json";

async fn ask<T>(store: &Store, flow: impl AsyncFnOnce(Effects<StoreEffect>) -> T) -> T {
    run_flow(flow, async |effect| store.execute(effect).await).await
}

async fn find(store: &Store) -> Option<Versioned> {
    ask(store, async |s3| s3.find(KEY.to_owned()).await)
        .await
        .unwrap()
}

async fn swap(store: &Store, body: &[u8], found: Option<&Versioned>) -> Answered<CasOutcome> {
    let tag = found.map(|found| found.etag.clone());
    ask(store, async |s3| {
        s3.compare_and_swap(KEY.to_owned(), body.to_vec(), tag)
            .await
    })
    .await
}

#[tokio::test]
async fn what_was_found_is_replaced_and_nothing_else() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    assert_eq!(find(&store).await, None);
    assert_eq!(swap(&store, b"one", None).await, Ok(CasOutcome::Stored));
    assert_eq!(swap(&store, b"two", None).await, Ok(CasOutcome::Lost));
    let one = find(&store).await.unwrap();
    assert_eq!(one.bytes, b"one");
    assert_eq!(
        swap(&store, b"two", Some(&one)).await,
        Ok(CasOutcome::Stored)
    );
    assert_eq!(
        swap(&store, b"three", Some(&one)).await,
        Ok(CasOutcome::Lost)
    );
    assert_eq!(bucket.stored(KEY).unwrap(), b"two");
}

#[tokio::test]
async fn what_was_found_and_is_gone_is_not_replaced() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    swap(&store, b"one", None).await.unwrap();
    let one = find(&store).await.unwrap();
    bucket.remove(KEY);
    assert_eq!(swap(&store, b"two", Some(&one)).await, Ok(CasOutcome::Lost));
}

#[tokio::test]
async fn of_swaps_at_the_same_time_one_wins_even_if_they_write_the_same() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    swap(&store, b"one", None).await.unwrap();
    for body in [b"a", b"b", b"c"] {
        let found = find(&store).await.unwrap();
        let all = (0..12).map(|_| swap(&store, body, Some(&found)));
        let done = futures_util::future::join_all(all).await;
        let winners = done
            .iter()
            .filter(|it| **it == Ok(CasOutcome::Stored))
            .count();
        assert_eq!(winners, 1, "{done:?}");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_a_swap_that_was_lost() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    for times in [1, 2] {
        let found = find(&store).await;
        bucket.fault(Method::PUT, "x.json", times, Broken::LoseAnswer);
        let body = [u8::try_from(times).unwrap()];
        assert_eq!(
            swap(&store, &body, found.as_ref()).await,
            Ok(CasOutcome::Stored)
        );
        assert_eq!(bucket.stored(KEY).unwrap(), body);
    }
}

#[tokio::test]
async fn a_concurrent_writer_is_waited_for_and_a_busy_store_is_told() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    let conflict = Broken::Refuse(409, "ConditionalRequestConflict");
    bucket.fault(Method::PUT, "x.json", 3, conflict);
    assert_eq!(swap(&store, b"one", None).await, Ok(CasOutcome::Stored));
    let found = find(&store).await;
    bucket.fault(Method::PUT, "x.json", usize::MAX, conflict);
    let busy = swap(&store, b"two", found.as_ref()).await;
    assert!(matches!(busy, Err(Fault::Unavailable(_))), "{busy:?}");
    assert_eq!(bucket.stored(KEY).unwrap(), b"one");
}
