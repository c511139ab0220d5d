//! Mangled events and messages: whatever a handler would take comes back the same, and is bounded.
#![expect(clippy::unwrap_used, reason = "what can't be read is a failed test")]

use std::fmt::Debug;

use definition::{Api, Definition, Dialect};
use delivery::documents::{Commit, EndRecord, GenerationRecord, RunRecord, Slot};
use delivery::{
    Event, FetchIn, FetchOut, FinalizeIn, FinalizeOut, PollOut, PublishIn, RunIn, TriggerIn,
    TriggerOut,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[path = "../crates/definition/tests/mangled/mangle.rs"]
mod mangle;

const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"null",
    b"0",
    b"-1",
    b"2",
    b"1e400",
    b"4294967296",
    b"\"\"",
    b"\\u0000",
    b"\\ud83e",
    b"\"v\":1,",
    b"\"v\":2,",
    b"\"time\":\"2026-11-22T05:30:00Z\",",
    b"\"x\":1,",
    b"\"window\":null,",
    b"\"replay\":{\"reason\":\"\",\"requestedBy\":\"\"},",
    b"\"detail\":{},",
    b"\"2026-11-22T05:30:00.999999999Z\"",
    b"\"2026-02-30T00:00:00Z\"",
    b"\"9999-12-31T23:59:60Z\"",
    b"\"-009999-01-01T00:00:00Z\"",
    b"\"ended\":{\"segment\":\"0\",\"run\":1,\"reason\":\"failed\"},",
    b"\"completed\"",
    b"../",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff",
];

/// What becomes of a field that a message does not have.
#[derive(Clone, Copy, PartialEq)]
enum Unknown {
    Refused,
    /// The event is AWS's, and AWS may add a field. A value that nobody reads is not proven to be text either.
    Ignored,
}

fn comes_back_the_same<T: Serialize + DeserializeOwned + Debug>(text: &str, unknown: Unknown) {
    let samples = vec![
        text.as_bytes().to_vec(),
        serde_json::from_str::<Value>(text)
            .unwrap()
            .to_string()
            .into_bytes(),
    ];
    let messages = mangle::mangled(samples, WORDS, b"{}[],:\"");
    mangle::check(8, &messages, |bytes| {
        // The runtime hands a handler a value, and a field that is there twice is gone then.
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            if let Ok(direct) = serde_json::from_slice::<T>(&bytes) {
                assert!(unknown == Unknown::Ignored, "{}", mangle::shown(&bytes));
                // What is no value is in a field that nobody reads: without it the message is the same.
                let text = String::from_utf8_lossy(&bytes)
                    .replace("\\ud83e", "\\u0000")
                    .replace("1e400", "1e40");
                let readable: T = serde_json::from_str(&text).unwrap();
                assert_eq!(format!("{direct:?}"), format!("{readable:?}"));
            }
            return Ok(());
        };
        let read = serde_json::from_value::<T>(value);
        if let Ok(direct) = serde_json::from_slice::<T>(&bytes) {
            assert_eq!(
                format!("{direct:?}"),
                format!("{:?}", read.as_ref().unwrap())
            );
        }
        if let Ok(message) = read {
            let sent = serde_json::to_value(&message).unwrap();
            let again: T = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(
                format!("{again:?}"),
                format!("{message:?}"),
                "{}",
                mangle::shown(&bytes)
            );
            assert_eq!(serde_json::to_value(&again).unwrap(), sent);
        }
        Ok(())
    });
}

#[test]
fn a_scheduled_event_comes_back_the_same() {
    for event in [
        include_str!("../events/scheduled.json"),
        include_str!("../events/restate.json"),
        include_str!("../events/expect.json"),
        include_str!("../events/replay.json"),
        include_str!("../events/withdraw.json"),
        include_str!("../events/cancellation.json"),
    ] {
        comes_back_the_same::<Event>(event, Unknown::Ignored);
    }
}

#[test]
fn a_message_comes_back_the_same() {
    comes_back_the_same::<TriggerIn>(include_str!("../events/trigger.json"), Unknown::Ignored);
    comes_back_the_same::<RunIn>(include_str!("../events/poll-once.json"), Unknown::Refused);
    comes_back_the_same::<FetchIn>(include_str!("../events/fetch-page.json"), Unknown::Refused);
    comes_back_the_same::<FinalizeIn>(include_str!("../events/finalize.json"), Unknown::Refused);
    comes_back_the_same::<PublishIn>(include_str!("../events/publish.json"), Unknown::Refused);
}

#[test]
fn the_definition_of_a_scheduled_event_is_a_good_one() {
    let event: Event = serde_json::from_str(include_str!("../events/scheduled.json")).unwrap();
    let definition = event.detail.definition.to_string();
    assert!(Definition::parse(definition).is_ok());
}

#[test]
fn a_message_of_before_there_were_several_apis_is_of_the_guides() {
    let old: RunIn = serde_json::from_str(include_str!("../events/poll-once.json")).unwrap();
    assert_eq!(
        (old.work.dialect, old.work.direct),
        (Dialect::Analytics, false)
    );
    let mut new = serde_json::to_value(&old).unwrap();
    new["work"]["dialect"] = json!({"api": "report-jobs", "apiVersion": 34});
    new["work"]["direct"] = true.into();
    let new: RunIn = serde_json::from_value(new).unwrap();
    let dialect = Dialect::ReportJobs { api_version: 34 };
    assert_eq!((new.work.dialect, new.work.direct), (dialect, true));
    assert!(!dialect.is_direct(), "the message decides, not the API");
}

#[test]
fn what_was_stored_before_there_were_several_apis_is_read() {
    let window = json!({"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z"});
    let at = "2026-11-22T05:30:00Z";
    let run: RunRecord = serde_json::from_value(json!({
        "v": 1, "runId": "run-1", "scheduleId": "sch-1", "window": window, "triggeredAt": at,
        "settled": true, "simplified": false, "execution": "arn", "redriveCount": 0,
    }))
    .unwrap();
    assert_eq!(run.schedule_id.unwrap().as_str(), "sch-1");
    let slot: Slot = serde_json::from_value(json!({
        "v": 1, "runId": "run-1", "batch": 0, "prev": null, "pages": 1, "rows": 0,
        "pagesSoFar": 1, "rowsSoFar": 0, "parts": [], "next": null, "total": 0,
        "lap": {"anchor": null, "steps": 0, "limit": 0},
    }))
    .unwrap();
    assert_eq!(slot.summary_rows, 0);
    assert!(
        !serde_json::to_string(&slot)
            .unwrap()
            .contains("summaryRows")
    );
    let commit: Commit = serde_json::from_value(json!({
        "v": 1, "version": 1, "report": "r", "tenant": "t", "window": window, "generation": 1,
        "definitionHash": "", "runs": [], "rows": 0, "unique": 0, "duplicates": 0, "replaced": 0,
        "empty": true, "verification": "total", "columns": [], "parts": [], "content": "",
        "supersedes": null, "unchanged": false, "committedAt": at,
    }))
    .unwrap();
    assert_eq!(commit.source.api, Api::Analytics);
    assert_eq!((commit.summary_rows, commit.abandoned.len()), (0, 0));
}

/// Messages and stored objects of the first released version, as its handlers were asked, answered and stored them. An
/// execution that was started then goes on under the handlers of today.
const VERSION_1: &str = include_str!("fixtures/version_1.json");

/// What was written then means the same now: read and written again, every field is there with its value.
fn keeps_its_meaning<T: Serialize + DeserializeOwned>(old: &Value) {
    let read: T =
        serde_json::from_value(old.clone()).unwrap_or_else(|error| panic!("{error}: {old}"));
    contains(&serde_json::to_value(&read).unwrap(), old);
}

fn contains(new: &Value, old: &Value) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (name, value) in old {
                contains(new.get(name).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(new), Value::Array(old)) if new.len() == old.len() => {
            new.iter()
                .zip(old)
                .for_each(|(new, old)| contains(new, old));
        }
        (Value::String(new), Value::String(old)) if new != old => {
            let times = (new.parse::<Timestamp>(), old.parse::<Timestamp>());
            assert!(
                matches!(times, (Ok(new), Ok(old)) if new == old),
                "{new}, not {old}"
            );
        }
        _ => assert_eq!(new, old),
    }
}

#[test]
fn messages_of_version_1_are_read() {
    let fixtures: Value = serde_json::from_str(VERSION_1).unwrap();
    let mut count = 0;
    for (function, messages) in fixtures["messages"].as_object().unwrap() {
        for message in messages.as_array().unwrap() {
            if let Some(asked) = message.get("asked") {
                match function.as_str() {
                    "trigger" => keeps_its_meaning::<TriggerIn>(asked),
                    "fetch-page" => keeps_its_meaning::<FetchIn>(asked),
                    "finalize" => keeps_its_meaning::<FinalizeIn>(asked),
                    _ => keeps_its_meaning::<RunIn>(asked),
                }
            }
            let answered = &message["answered"];
            match function.as_str() {
                "trigger" => keeps_its_meaning::<TriggerOut>(answered),
                "fetch-page" => keeps_its_meaning::<FetchOut>(answered),
                "finalize" => keeps_its_meaning::<FinalizeOut>(answered),
                _ => keeps_its_meaning::<PollOut>(answered),
            }
            count += 1;
        }
    }
    assert_eq!(count, 15);
}

#[test]
fn what_version_1_stored_is_read() {
    let fixtures: Value = serde_json::from_str(VERSION_1).unwrap();
    let documents = fixtures["documents"].as_object().unwrap();
    for (key, document) in documents {
        match key.rsplit('/').next().unwrap() {
            "open.json" => keeps_its_meaning::<GenerationRecord>(document),
            "run.json" => keeps_its_meaning::<RunRecord>(document),
            "end.json" => keeps_its_meaning::<EndRecord>(document),
            name if name.starts_with('b') => keeps_its_meaning::<Slot>(document),
            _ => keeps_its_meaning::<Commit>(document),
        }
    }
    assert_eq!(documents.len(), 10);
}
