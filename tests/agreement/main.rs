//! The state machine, the examples and the crates agree with each other.
#![expect(clippy::unwrap_used, reason = "what can't be read is a failed test")]

mod backfill;
mod crowd;
mod dashboard;
mod redshift;
mod retries;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use delivery::{Event, FetchIn, FinalizeIn, PublishIn, RunIn, TriggerIn};
use local::handlers::NAMES;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const DEFINITION: &str = "infra/report-pipeline.asl.json";

const PLACEHOLDERS: [&str; 9] = [
    "CancelArn",
    "FetchPageArn",
    "FinalizeArn",
    "NoticeTopicArn",
    "AlertTopicArn",
    "Partition",
    "PollOnceArn",
    "PublishArn",
    "TriggerArn",
];

/// Why the state machine can't be read, with a value for each placeholder.
fn unreadable(definition: &str) -> Option<String> {
    let values = PLACEHOLDERS.map(|name| {
        let value = if name == "Partition" {
            "aws"
        } else {
            "arn:aws:x:y:z"
        };
        (name.to_owned(), value.to_owned())
    });
    let whole = match asl::substitute(definition, &BTreeMap::from(values)) {
        Ok(whole) => whole,
        Err(error) => return Some(error.to_string()),
    };
    let error = asl::StateMachine::parse(&whole).err()?;
    Some(error.to_string())
}

#[test]
fn placeholders_stand_for_arns_and_the_partition_and_nothing_else() {
    let text = read(DEFINITION);
    let found: BTreeSet<&str> = text
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    assert_eq!(found, BTreeSet::from(PLACEHOLDERS));
    assert_eq!(unreadable(&text), None);
}

#[test]
fn every_example_event_is_what_its_handler_takes() {
    json::<Event>("events/scheduled.json");
    let detail = |file| json::<Event>(file).detail;
    assert!(detail("events/replay.json").replay.is_some());
    assert!(detail("events/restate.json").restate.is_some());
    assert!(detail("events/expect.json").expect.is_some());
    assert!(detail("events/withdraw.json").withdraw.is_some());
    assert!(detail("events/cancellation.json").cancel.is_some());
    json::<TriggerIn>("events/trigger.json");
    json::<RunIn>("events/poll-once.json");
    json::<FetchIn>("events/fetch-page.json");
    json::<RunIn>("events/cancel.json");
    json::<FinalizeIn>("events/finalize.json");
    json::<PublishIn>("events/publish.json");
    let expected = 12;
    assert_eq!(
        fs::read_dir(root().join("events")).unwrap().count(),
        expected
    );
}

#[test]
fn every_definition_in_infra_is_free_of_findings() {
    for entry in fs::read_dir(root().join("infra/reports")).unwrap() {
        let path = entry.unwrap().path();
        let checked = definition::Definition::parse(fs::read(&path).unwrap())
            .unwrap_or_else(|findings| panic!("{}: {findings}", path.display()));
        assert!(
            checked.warnings.is_empty(),
            "{}: {:?}",
            path.display(),
            checked.warnings
        );
    }
}

#[test]
fn there_is_a_good_definition_for_each_api() {
    for api in definition::Api::ALL {
        let path = match api {
            definition::Api::Analytics => "infra/reports/daily-agent-performance.json".to_owned(),
            other => format!("crates/local/definitions/{other}.json"),
        };
        let checked = definition::Definition::parse(read(&path))
            .unwrap_or_else(|findings| panic!("{path}: {findings}"));
        assert_eq!(checked.definition.dialect().api(), *api);
    }
}

#[test]
fn a_bootstrap_is_twenty_lines_at_most() {
    for handler in NAMES {
        let lines = read(&format!("crates/{handler}/src/main.rs"))
            .lines()
            .count();
        assert!(lines <= 20, "{handler} has {lines}");
    }
}

#[test]
fn a_handler_is_invoked_by_the_state_that_its_log_names() {
    let machine: Value = json(DEFINITION);
    for handler in NAMES {
        let state = handler::state_of(handler);
        let function = &machine["States"][&state]["Arguments"]["FunctionName"];
        assert_eq!(function, &format!("${{{state}Arn}}"), "{handler}");
    }
}

/// Who may depend on whom, of what is ours.
const ARROWS: [(&str, &[&str]); 19] = [
    ("definition", &[]),
    ("delivery", &["definition"]),
    ("delta-table", &["definition", "delivery"]),
    ("cxone", &["definition"]),
    ("tokens", &["cxone", "definition", "delivery"]),
    ("landing", &["definition", "delivery"]),
    ("handler", &["definition", "delivery"]),
    (
        "trigger",
        &[
            "cxone",
            "definition",
            "delivery",
            "handler",
            "landing",
            "tokens",
        ],
    ),
    (
        "poll-once",
        &["cxone", "definition", "delivery", "handler", "tokens"],
    ),
    (
        "fetch-page",
        &[
            "cxone",
            "definition",
            "delivery",
            "handler",
            "landing",
            "tokens",
        ],
    ),
    (
        "cancel",
        &["cxone", "definition", "delivery", "handler", "tokens"],
    ),
    ("finalize", &["delivery", "handler", "landing"]),
    (
        "publish",
        &["delivery", "delta-table", "handler", "landing"],
    ),
    ("probe", &["cxone", "definition"]),
    ("operator", &["definition", "delivery", "landing", "probe"]),
    // `local` names the handlers so that cargo compiles what they share once.
    (
        "local",
        &[
            "asl",
            "cancel",
            "cxone-sim",
            "definition",
            "delivery",
            "fetch-page",
            "finalize",
            "local-aws",
            "poll-once",
            "publish",
            "trigger",
        ],
    ),
    ("asl", &[]),
    ("cxone-sim", &[]),
    ("local-aws", &["asl"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked", "--filter-platform", env!("TARGET")].map(str::to_owned))
        .exec()
        .unwrap()
}

#[test]
fn crates_depend_on_each_other_only_as_designed() {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let arrows: BTreeMap<&str, &[&str]> = BTreeMap::from(ARROWS);
    for package in metadata.workspace_packages() {
        if package.name.as_str() == "pipeline-tests" {
            continue;
        }
        let found: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
            .map(|dependency| dependency.name.as_str())
            .filter(|name| ours.contains(*name))
            .collect();
        let allowed: BTreeSet<&str> = arrows[package.name.as_str()].iter().copied().collect();
        assert!(found.is_subset(&allowed), "{}: {found:?}", package.name);
    }
}

/// Everything that ends up in a crate's binary, with the features it was resolved with.
fn linked(metadata: &Metadata, name: &str) -> BTreeMap<String, Vec<String>> {
    linked_without(metadata, name, "")
}

/// The same as if a crate did not exist.
fn linked_without(metadata: &Metadata, name: &str, absent: &str) -> BTreeMap<String, Vec<String>> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == name)
        .unwrap();
    let mut linked = BTreeMap::new();
    let mut todo = vec![&package.id];
    while let Some(id) = todo.pop() {
        if metadata[id].name.as_str() == absent {
            continue;
        }
        let node = nodes[id];
        let features = node.features.iter().map(ToString::to_string).collect();
        if linked
            .insert(metadata[id].name.to_string(), features)
            .is_some()
        {
            continue;
        }
        let normal = node.deps.iter().filter(|dependency| {
            dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal)
        });
        todo.extend(normal.map(|dependency| &dependency.pkg));
    }
    linked
}

#[test]
fn a_handler_links_only_what_it_holds_a_right_for() {
    let metadata = metadata();
    for (handler, absent) in [
        (
            "poll-once",
            ["aws-sdk-s3", "aws-sdk-sfn", "landing"].as_slice(),
        ),
        ("cancel", &["aws-sdk-s3", "aws-sdk-sfn", "landing"]),
        (
            "finalize",
            &[
                "aws-sdk-secretsmanager",
                "aws-sdk-sfn",
                "cxone",
                "reqwest",
                "tokens",
            ],
        ),
        (
            "publish",
            &[
                "aws-sdk-secretsmanager",
                "aws-sdk-sfn",
                "cxone",
                "reqwest",
                "tokens",
            ],
        ),
        // Only what makes tables links what writes them.
        ("trigger", &["aws-sdk-sfn", "parquet"]),
        ("fetch-page", &["aws-sdk-sfn", "parquet"]),
        // What asks a tenant knows nothing of AWS.
        (
            "probe",
            &[
                "aws-config",
                "aws-sdk-secretsmanager",
                "delivery",
                "landing",
                "tokens",
            ],
        ),
        ("operator", &["tokens"]),
    ] {
        let linked = linked(&metadata, handler);
        for name in absent {
            assert!(!linked.contains_key(*name), "{handler} links {name}");
        }
        for name in ["jsonata-core", "openssl", "native-tls", "s3s"] {
            assert!(!linked.contains_key(name), "{handler} links {name}");
        }
    }
}

/// `cxr` reaches CXone for one command, which is a crate of its own: without that crate it links no HTTP client of ours.
#[test]
fn the_operators_tool_reaches_cxone_through_the_probe_alone() {
    let metadata = metadata();
    let linked = linked_without(&metadata, "operator", "probe");
    for name in ["cxone", "reqwest", "tokens"] {
        assert!(
            !linked.contains_key(name),
            "operator links {name} without probe"
        );
    }
    assert_eq!(operator_sources("probe::{"), ["commands/probe.rs"]);
}

/// `cxr` links the store, because what is there stands in the bucket. It lists and reads: whoever writes there is a handler.
#[test]
fn the_operators_tool_writes_nothing_to_the_bucket() {
    assert_eq!(
        operator_sources("landing::"),
        [
            "bucket/claims.rs",
            "bucket/mod.rs",
            "bucket/parts.rs",
            "place.rs"
        ]
    );
    for written in ["StoreEffect", ".execute(", "put_object", "delete_object"] {
        assert!(operator_sources(written).is_empty(), "{written}");
    }
}

/// The sources of `cxr` that have a text, sorted.
fn operator_sources(text: &str) -> Vec<String> {
    let sources = root().join("crates/operator/src");
    let mut found: Vec<String> = find_sources(&sources, text)
        .iter()
        .map(|path| path.strip_prefix(&sources).unwrap().display().to_string())
        .collect();
    found.sort();
    found
}

/// The sources below a folder that have a text.
fn find_sources(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find_sources(&path, text));
        } else if fs::read_to_string(&path).unwrap().contains(text) {
            found.push(path);
        }
    }
    found
}

/// The crates that decide. What they may not do is looked for in their dependencies and in their sources.
const PURE: [&str; 3] = ["definition", "delivery", "delta-table"];

#[test]
fn the_crates_that_decide_link_nothing_that_does_io() {
    let metadata = metadata();
    for name in PURE {
        for linked in linked(&metadata, name).keys() {
            let does_io = linked.starts_with("aws-")
                || ["hyper", "lambda_runtime", "reqwest", "rustls"].contains(&linked.as_str());
            assert!(!does_io, "{name} links {linked}");
        }
        let package = metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name.as_str() == name)
            .unwrap();
        let tokio = package
            .dependencies
            .iter()
            .find(|dependency| dependency.name == "tokio");
        for feature in tokio.iter().flat_map(|tokio| &tokio.features) {
            assert!(
                ["macros", "sync"].contains(&feature.as_str()),
                "{name} uses tokio's {feature}"
            );
        }
    }
}

#[test]
fn the_crates_that_decide_have_no_clock_no_output_and_no_environment() {
    const IMPURE: [&str; 14] = [
        "Instant::now",
        "SystemTime",
        "Timestamp::now",
        "Zoned::now",
        "RandomState",
        "tokio::time",
        "tokio::fs",
        "tokio::net",
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "print!",
    ];
    let mut read = 0;
    for name in PURE {
        let mut folders = vec![root().join("crates").join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                read += 1;
                let text = fs::read_to_string(&path).unwrap();
                for word in IMPURE {
                    assert!(!text.contains(word), "{} uses {word}", path.display());
                }
            }
        }
    }
    assert!(read > 20, "{read} files");
}

#[test]
fn only_the_operators_tool_starts_executions() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let starts = package.dependencies.iter().any(|dependency| {
            dependency.kind == DependencyKind::Normal && dependency.name == "aws-sdk-sfn"
        });
        assert_eq!(
            starts,
            package.name.as_str() == "operator",
            "{}",
            package.name
        );
    }
}
