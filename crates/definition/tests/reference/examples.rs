//! One complete definition for each API, which other tests run.

use std::fs;

use definition::Api;

use crate::root;

/// Where the example of an API stands, from the root of the repository.
pub(crate) fn example_path(api: Api) -> String {
    match api {
        Api::Analytics => "infra/reports/daily-agent-performance.json".to_owned(),
        published => format!("crates/local/definitions/{published}.json"),
    }
}

pub(crate) fn read_example(api: Api) -> String {
    fs::read_to_string(root().join(example_path(api))).unwrap()
}
