//! What an earlier version stored is read as it was meant.

use definition::Definition;
use serde_json::{Value, json};

use crate::good;

const WEEKLY: &str = include_str!("../fixtures/weekly.json");
const JOBS: &str = include_str!("../fixtures/jobs.json");
const EXTRACTION: &str = include_str!("../fixtures/extraction.json");
const DOWNLOAD: &str = include_str!("../fixtures/download.json");
const CONTACTS: &str = include_str!("../fixtures/contacts.json");

/// The hashes are those of the version before `restate`, `schema` and the fields that came with them.
#[test]
fn a_definition_without_a_new_field_keeps_its_hash() {
    let guide = good().to_string();
    for (text, hash) in [
        (
            WEEKLY,
            "4863a7abb2e6b39b78ac53b7c7806ee6bbfca27d788ff21d1e99540405b4c661",
        ),
        (
            guide.as_str(),
            "68a5ef711e878703dcb73568259019af397ad2fd6bbfcfefdac96a380ee02b37",
        ),
        (
            JOBS,
            "3a769e1bc60516a2e0efa1e4a5813848da56f99063c43fcc71bc14cf7ece261c",
        ),
        (
            EXTRACTION,
            "1467484928248ab6f6a5eb6678f497c6a8e0a90d08438026fbf07ee661f089e2",
        ),
        (
            DOWNLOAD,
            "efd69af491dd565d480eacefee5e046ebe9985cdf9cfe140bcbe38a152c0414a",
        ),
        (
            CONTACTS,
            "90e6e9652f1a54a5e7ad4690b4d8cf51f0556e2cd6e44fed317ba3b3a7cea362",
        ),
    ] {
        let mut value: Value = serde_json::from_str(text).unwrap();
        let read = |value: &Value| Definition::from_value(value).unwrap().definition.hash();
        assert_eq!(read(&value), hash, "{text}");
        value["$schema"] = json!("https://example.com/definition.schema.json");
        for (field, default) in [
            ("restate", json!([])),
            ("schema", json!("warn")),
            ("emptyMessages", json!([])),
            ("columnNames", json!("as-is")),
            ("declare", json!({ "metrics": {} })),
            ("windowZone", json!("UTC")),
        ] {
            value["pipeline"][field] = default;
        }
        assert_eq!(read(&value), hash, "{text}");
    }
}

#[test]
fn a_stored_definition_that_is_now_an_error_is_still_read() {
    let mut repeats = good();
    repeats["report"]["dateRange"]["value"] = json!("previousWeek");
    let mut narrow = good();
    narrow["pipeline"]["key"] = json!(["agentId"]);
    for stored in [repeats, narrow] {
        assert!(Definition::from_value(&stored).is_err());
        let read: Definition = serde_json::from_value(stored).unwrap();
        let again: Definition = serde_json::from_slice(&read.canonical_json()).unwrap();
        assert_eq!(again, read);
    }
}
