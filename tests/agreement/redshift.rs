//! The state machine that loads Redshift: it can be run here as it is written, its tasks do about errors what those of the others do,
//! and each name that it fails with is explained. `tests/warehouses` runs it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{read, retries};

const DEFINITION: &str = "infra/redshift/load.asl.json";

/// The names that it fails with, which begin alike.
fn error_names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .split('"')
        .filter(|it| it.starts_with("Load."))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn it_is_taken_by_the_engine_and_is_careful() {
    let text = read(DEFINITION);
    let names = [
        "Partition",
        "Bucket",
        "BucketOwner",
        "Prefix",
        "GroupName",
        "WarehouseParameter",
        "Warehouse",
        "Database",
    ];
    let values = names.map(|name| (name.to_owned(), "aws".to_owned()));
    let whole = asl::substitute(&text, &BTreeMap::from(values)).unwrap();
    asl::StateMachine::parse(&whole).unwrap();
    let definition: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(retries::careless(&definition), [""; 0]);
}

#[test]
fn each_way_in_which_it_fails_is_explained() {
    let (text, page) = (read(DEFINITION), read("docs/warehouses.md"));
    let names = error_names(&text);
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}
