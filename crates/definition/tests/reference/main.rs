//! `docs/definition.md` says what the sources say. To bring it up to date:
//!
//! ```sh
//! UPDATE_DOCS=1 cargo test -p definition --test reference
//! ```
#![expect(clippy::unwrap_used, reason = "what can't be read is a failed test")]

mod apis;
mod examples;
mod fields;
mod page;

use std::path::{Path, PathBuf};
use std::{env, fs};

use definition::{Api, Catalogue, Definition, check, schema};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for whoever runs the test by hand"
)]
fn the_reference_says_what_the_sources_say() {
    let path = root().join("docs/definition.md");
    let generated = page::write_page();
    if env::var("UPDATE_DOCS").is_ok() {
        fs::write(&path, &generated).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == generated,
        "docs/definition.md is out of date; UPDATE_DOCS=1 cargo test -p definition --test reference rewrites it"
    );
}

#[test]
fn every_example_of_the_reference_is_free_of_findings() {
    for api in Api::ALL {
        let checked = Definition::parse(examples::read_example(*api)).unwrap();
        assert_eq!(checked.definition.dialect().api(), *api);
        assert_eq!(checked.warnings, [], "{api}");
        assert_eq!(
            check(&checked.definition, Catalogue::builtin()),
            [],
            "{api}"
        );
    }
}

#[test]
fn the_defaults_that_the_schema_names_are_those_that_are_filled_in() {
    let mut definition = json!({
        "name": "n", "schedule": { "type": "daily", "time": "06:00", "timezone": "UTC" },
        "report": { "type": "agent", "metrics": ["talkTime"], "dimensions": ["agentId"],
            "dateRange": { "type": "relative", "value": "previousDay" } },
        "delivery": { "type": "api" }, "pipeline": { "tenant": "acme" }
    });
    let without = Definition::from_value(&definition).unwrap().definition;
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let fields = schema["properties"]["pipeline"].clone();
    let fields = fields::resolve(&schema, &fields)["properties"].clone();
    let mut held = Vec::new();
    for (name, field) in fields.as_object().unwrap() {
        let default = &field["default"];
        if !default.is_null() {
            definition["pipeline"][name] = default.clone();
            let with = Definition::from_value(&definition).unwrap().definition;
            assert_eq!(with.hash(), without.hash(), "{name}");
            held.push(name.as_str());
        }
    }
    held.sort_unstable();
    assert_eq!(
        held,
        [
            "api",
            "columnNames",
            "compression",
            "format",
            "maxRuns",
            "onConflict",
            "schema",
            "settledAt",
            "windowZone"
        ]
    );
}
