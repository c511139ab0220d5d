//! Completed contacts: pages of JSON by `top` and `skip`.

use cxone_sim::{Api, Kind, Options};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::acd::ACD;
use crate::client::{Answer, Session, small};

const DAY: &str = "startDate=2026-01-14T00:00:00.000Z&endDate=2026-01-15T00%3A00%3A00Z";

impl Session {
    async fn contacts(&self, query: &str) -> Answer {
        self.get(&format!("{ACD}/contacts/completed?{query}")).await
    }

    async fn contacts_at(&self, skip: u64) -> Answer {
        self.contacts(&format!("{DAY}&skip={skip}")).await
    }
}

/// The raw rows of a page.
fn contacts(answer: &Answer) -> Vec<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        completed_contacts: Vec<Box<RawValue>>,
    }
    let page: Page = serde_json::from_slice(&answer.body()).expect("a page");
    let rows = page.completed_contacts.iter();
    rows.map(|row| row.get().to_owned()).collect()
}

#[tokio::test]
async fn the_pages_hold_the_rows_of_the_window() {
    let session = Session::small_acd(&[]).await;
    let (mut rows, mut target) = (
        Vec::new(),
        format!("{ACD}/contacts/completed?{DAY}&top=10&orderBy=contactId"),
    );
    loop {
        let answer = session.get(&target).await;
        rows.extend(contacts(&answer));
        let body = answer.json();
        assert_eq!(
            (&body["totalRecords"], &body["lastPollTime"]),
            (&json!(25), &json!("2026-01-15T06:00:00.000Z"))
        );
        let Some(next) = body["_links"]["next"].as_str() else {
            break;
        };
        target = session.own(next).to_owned();
    }
    let run = session.tenant.runs().pop().unwrap();
    let truth: Vec<String> = session
        .tenant
        .truth(&run.id)
        .unwrap()
        .map(|row| String::from_utf8(row).unwrap())
        .collect();
    assert_eq!(rows, truth);
    assert_eq!(
        (run.api, run.number),
        (Api::Contacts, 1),
        "one run for all pages"
    );
    let calls = session.tenant.journal();
    let pages: Vec<_> = calls[1..]
        .iter()
        .map(|call| (call.kind, call.page))
        .collect();
    assert_eq!(pages, [0, 1, 2].map(|page| (Kind::Page, Some(page))));
    assert!(
        calls[1..]
            .iter()
            .all(|call| call.run.as_ref() == Some(&run.id))
    );
}

#[tokio::test]
async fn any_place_may_be_skipped_to() {
    let session = Session::small_acd(&[]).await;
    session.contacts_at(0).await;
    let rows = contacts(&session.contacts_at(13).await);
    let run = session.tenant.runs().pop().unwrap().id;
    let truth: Vec<Vec<u8>> = session
        .tenant
        .truth(&run)
        .unwrap()
        .skip(13)
        .take(10)
        .collect();
    assert!(
        rows.iter()
            .map(String::as_bytes)
            .eq(truth.iter().map(Vec::as_slice))
    );
    assert_eq!(session.contacts_at(25).await.status, 204, "behind the end");
    assert_eq!(session.tenant.runs().len(), 1);
}

#[tokio::test]
async fn what_a_call_refuses() {
    for (query, status) in [
        (DAY.to_owned(), 200),
        (format!("{DAY}&top=10000"), 200),
        (format!("{DAY}&top=10001"), 400),
        (format!("{DAY}&top=0"), 400),
        (format!("{DAY}&skip=x"), 400),
        ("updatedSince=2026-01-15T00:00:00Z".to_owned(), 200),
        ("updatedSince=2026-01-15T00:00:00%2B00:00".to_owned(), 400),
        (DAY.replace('Z', ""), 400),
        (DAY.replace("2026-01-14T", "2025-12-16T"), 200),
        (DAY.replace("2026-01-14T", "2025-12-15T"), 400),
        ("startDate=2026-01-14T00:00:00Z".to_owned(), 400),
        (String::new(), 400),
    ] {
        let session = Session::small_acd(&[]).await;
        let answer = session.contacts(&query).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(
            answer.json()["resultDescription"].is_string(),
            status == 400,
            "{query}"
        );
    }
    let session = Session::small_acd(&[]).await;
    let headers = format!("Authorization: Bearer {}\r\n", session.token);
    let target = format!("{ACD}/contacts/completed?{DAY}");
    let bare = session.send("GET", &target, &headers, b"").await;
    assert_eq!(
        (bare.status, bare.header("icStatusDescription").is_some()),
        (406, true)
    );
}

#[tokio::test]
async fn an_empty_window_is_204() {
    let session = Session::acd(Options { rows: 0, ..small() }, &[]).await;
    assert_eq!(session.contacts_at(0).await.status, 204);
    let session = Session::small_acd(&["empty"]).await;
    assert_eq!(
        session.contacts_at(0).await.status,
        204,
        "though there are rows"
    );
    assert_eq!(session.contacts_at(0).await.status, 200);
    let session = Session::small_acd(&["unavailable"]).await;
    let answer = session.contacts_at(0).await;
    assert_eq!(
        (answer.status, &answer.json()["resultCode"]),
        (503, &json!("unavailable"))
    );
}

/// What a fault makes of the second page: its status, its total, its next `skip`, and which rows it has.
async fn second(fault: &str) -> (Value, Option<String>, Vec<usize>) {
    let session = Session::small_acd(&[fault]).await;
    let first = session.contacts_at(0).await;
    let answer = session.contacts_at(10).await;
    let run = session.tenant.runs()[0].id.clone();
    let truth: Vec<Vec<u8>> = session.tenant.truth(&run).unwrap().collect();
    let place = |row: &String| {
        truth
            .iter()
            .position(|known| known == row.as_bytes())
            .unwrap_or(99)
    };
    let body = answer.json();
    let next = body["_links"].get("next").map(|next| {
        let text = next.as_str().unwrap_or("null");
        let skip = text.split_once("skip=").map_or(text, |(_, rest)| rest);
        let host = if text.starts_with(&session.tenant.base_url()) || !text.contains("skip") {
            ""
        } else {
            "elsewhere "
        };
        format!("{host}{}", skip.split('&').next().unwrap_or_default())
    });
    assert_eq!(first.status, 200);
    (
        body["totalRecords"].clone(),
        next,
        contacts(&answer).iter().map(place).collect(),
    )
}

#[tokio::test]
async fn a_page_is_spoilt_on_request() {
    let own: Vec<usize> = (10..20).collect();
    for (fault, total, next, rows) in [
        ("total-changes", json!(26), Some("20"), own.clone()),
        ("total-wrong", json!(26), Some("20"), own.clone()),
        ("total-text", json!("25"), Some("20"), own.clone()),
        ("token-repeats", json!(25), Some("10"), own.clone()),
        ("token-cycles:page=1", json!(25), Some("0"), own.clone()),
        ("page-repeats", json!(25), Some("20"), (0..10).collect()),
        ("duplicates", json!(25), Some("20"), (7..20).collect()),
        (
            "shifted",
            json!(25),
            Some("20"),
            [7, 8, 9].into_iter().chain(13..20).collect(),
        ),
        ("next-link", json!(25), Some("elsewhere 20"), own.clone()),
        (
            "next-link:as=relative",
            json!(25),
            Some("elsewhere 20"),
            own.clone(),
        ),
        ("next-link:as=missing", json!(25), None, own.clone()),
    ] {
        let next = next.map(String::from);
        assert_eq!(second(fault).await, (total, next, rows), "{fault}");
    }
}

#[tokio::test]
async fn the_last_page_has_no_next_link() {
    for (fault, next) in [
        ("token-empty", Some(json!(""))),
        ("token-empty:as=missing", None),
        ("late-data", Some(Value::Null)),
    ] {
        let session = Session::small_acd(&[fault]).await;
        session.contacts_at(0).await;
        let last = session.contacts_at(20).await.json();
        assert_eq!(last["_links"].get("next"), next.as_ref(), "{fault}");
    }
}

#[tokio::test]
async fn a_page_that_is_read_again_may_differ() {
    for (fault, differs) in [
        ("order-changes:page=1", true),
        ("rows-change:page=1", true),
        ("restated", false),
    ] {
        let session = Session::small_acd(&[fault]).await;
        session.contacts_at(0).await;
        let first = contacts(&session.contacts_at(10).await);
        let second = contacts(&session.contacts_at(10).await);
        assert_eq!(first != second, differs, "{fault}");
    }
}
