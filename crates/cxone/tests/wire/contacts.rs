//! Completed contacts, on the wire.

use cxone::Error;
use definition::{Definition, PageToken};
use serde_json::json;

use crate::server::{Server, answer, json as said, published_with};

fn definition() -> Definition {
    published_with(
        "contacts",
        json!({ "apiVersion": 34 }),
        json!({ "key": ["contactId"] }),
    )
}

fn page(rows: &str, total: &str, next: &str) -> String {
    format!(
        r#"{{"businessUnitId":1,"lastPollTime":"2026-11-22T06:00:00.000Z","totalRecords":{total},"_links":{{"self":"x","next":{next}}},"completedContacts":[{rows}]}}"#
    )
}

#[tokio::test]
async fn pages_follow_one_another_until_the_total_is_reached() {
    let first = page(
        r#"{"contactId":1},{"contactId":2.0}"#,
        "3",
        "\"https://evil.example/next\"",
    );
    let last = page(r#"{"contactId":3}"#, "3", "null");
    let server = Server::start(vec![said("200 OK", first), said("200 OK", last)]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!(rows, "{\"contactId\":1}\n{\"contactId\":2.0}\n");
    assert_eq!(
        (end.rows, end.total, end.unknown_fields.len()),
        (2, Some(3), 0)
    );
    let next = end.next.unwrap();
    assert_eq!(next.as_str(), "2/3");
    let (rows, end) = server.rows(&definition(), Some(&next)).await.unwrap();
    assert_eq!(
        (rows.as_str(), end.next, end.total),
        ("{\"contactId\":3}\n", None, Some(3))
    );
    let path = "GET /canary-base/inContactAPI/services/v34.0/contacts/completed\
                ?startDate=2026-11-21T00%3A00%3A00Z&endDate=2026-11-22T00%3A00%3A00Z&orderBy=contactId&top=10000&skip=";
    assert_eq!(server.lines(), [format!("{path}0"), format!("{path}2")]);
    assert!(server.requests()[0].contains("accept: application/json\r\n"));
}

#[tokio::test]
async fn there_is_a_next_page_where_a_link_or_the_total_says_so() {
    let row = r#"{"contactId":1}"#;
    for (rows, total, next, expected) in [
        (row, "1", "null", None),
        (row, "1", "\"\"", None),
        (row, "2", "null", Some("1/2")),
        (row, "\"2\"", "null", Some("1/2")),
        (row, "null", "\"https://x/\"", Some("1")),
        (row, "null", "null", None),
        ("", "0", "null", None),
        // Nothing came, so that going on would never end.
        ("", "5", "\"https://x/\"", None),
    ] {
        let server = Server::start(vec![said("200 OK", page(rows, total, next))]).await;
        let (_, end) = server.rows(&definition(), None).await.unwrap();
        let next = end.next.as_ref().map(PageToken::as_str);
        assert_eq!(next, expected, "{rows} {total}");
    }
    let bare = r#"{"completedContacts":[{"contactId":1}],"new":1}"#;
    let server = Server::start(vec![said("200 OK", bare)]).await;
    let (_, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!(
        (end.next, end.unknown_fields),
        (None, vec!["new".to_owned()])
    );
}

#[tokio::test]
async fn a_full_page_without_a_total_may_be_followed_by_another_one() {
    let full = vec![r#"{"contactId":1}"#; 10_000].join(",");
    for (total, expected) in [("null", Some("10000")), ("10000", None)] {
        let server = Server::start(vec![said("200 OK", page(&full, total, "null"))]).await;
        let (_, end) = server.rows(&definition(), None).await.unwrap();
        assert_eq!(
            end.next.as_ref().map(PageToken::as_str),
            expected,
            "{total}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_null_is_empty_where_the_total_says_so() {
    let none = r#"{"totalRecords":0,"completedContacts":null}"#;
    let server = Server::start(vec![said("200 OK", none)]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!((rows.as_str(), end.next, end.total), ("", None, Some(0)));
}

#[tokio::test]
async fn no_content_ends_the_pages_and_keeps_the_total() {
    let nothing = || answer("204 No Content", "", "");
    let server = Server::start(vec![nothing(), nothing()]).await;
    let (rows, end) = server.rows(&definition(), None).await.unwrap();
    assert_eq!(
        (rows.as_str(), end.rows, end.next, end.total),
        ("", 0, None, None)
    );
    let at = PageToken::new("10000/25000").unwrap();
    let (_, end) = server.rows(&definition(), Some(&at)).await.unwrap();
    assert_eq!((end.next, end.total), (None, Some(25_000)));
}

#[tokio::test]
async fn what_is_not_a_page_of_contacts_is_refused() {
    for (status, body, expected) in [
        (
            "200 OK",
            "{}",
            "the answer breaks the contract: the answer has no contacts",
        ),
        (
            "200 OK",
            r#"{"completedContacts":null}"#,
            "the answer breaks the contract: the answer has no contacts",
        ),
        (
            "200 OK",
            r#"{"totalRecords":2,"completedContacts":null}"#,
            "the answer breaks the contract: the answer has no contacts",
        ),
        (
            "200 OK",
            r#"{"completedContacts":{}}"#,
            "the answer breaks the contract: \"completedContacts\" is not a list",
        ),
        (
            "200 OK",
            r#"{"completedContacts":[1]}"#,
            "the answer breaks the contract: row 1: an object was expected",
        ),
        (
            "200 OK",
            r#"{"totalRecords":"many","completedContacts":[]}"#,
            "the answer breaks the contract: totalRecords is not of the kind that it should be",
        ),
        ("503 Service Unavailable", "", "unavailable: status 503"),
        (
            "400 Bad Request",
            r#"{"resultCode":"InvalidParameter","resultDescription":"at most 30 days"}"#,
            "rejected (status 400): InvalidParameter: at most 30 days",
        ),
    ] {
        let server = Server::start(vec![said(status, body)]).await;
        let error = server.refusal(&definition()).await;
        assert_eq!(error, format!("get contacts: {expected}"), "{body}");
    }
    let server = Server::start(vec![]).await;
    for token in ["x", "-1", "1/x", "1/2/3", "18446744073709551616"] {
        let at = PageToken::new(token).unwrap();
        let error = server.rows(&definition(), Some(&at)).await.unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{token}: {error}");
    }
}
