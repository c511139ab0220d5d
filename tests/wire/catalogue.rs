//! The failure catalogue against the tests: `tests/README.md` has a row for each failure, and each test that it
//! names exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cxone_sim::Fault;

/// The failures that there are: a letter, and the numbers in use.
const FAILURES: [(char, u32, u32); 8] = [
    // The API: transport, authentication, runs, pages, hostile input.
    ('A', 1, 27),
    ('A', 30, 39),
    ('A', 40, 56),
    ('A', 60, 78),
    ('A', 80, 88),
    // AWS.
    ('B', 1, 30),
    // Consumers.
    ('C', 1, 4),
    // What public bug reports and a first hour with the product showed.
    ('D', 1, 32),
];

/// Faults of the simulated tenant that no test in this folder plays, and why.
const ELSEWHERE: [(&str, &str); 0] = [];

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()
}

fn failures() -> Vec<String> {
    let of = |(letter, first, last)| (first..=last).map(move |n: u32| format!("{letter}{n:02}"));
    FAILURES.into_iter().flat_map(of).collect()
}

/// The rows of the table: a failure's id, and what its last cell says.
fn rows(readme: &str) -> Vec<(String, String)> {
    let cells = |line: &str| -> Option<(String, String)> {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let (id, rest) = line.split_once(" | ")?;
        let (_, tests) = rest.rsplit_once(" | ")?;
        let (letter, number) = id.split_at_checked(1)?;
        let is_id = "ABCD".contains(letter) && number.len() == 2 && number.parse::<u32>().is_ok();
        is_id.then(|| (id.to_owned(), tests.to_owned()))
    };
    readme.lines().filter_map(cells).collect()
}

#[test]
fn every_failure_has_one_row() {
    let table = rows(&read("tests/README.md").unwrap());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, _) in &table {
        *counts.entry(id).or_default() += 1;
    }
    let failures = failures();
    let missing: Vec<_> = failures
        .iter()
        .filter(|id| !counts.contains_key(id.as_str()))
        .collect();
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(
        missing.is_empty() && twice.is_empty(),
        "missing: {missing:?}, more than once: {twice:?}"
    );
    assert_eq!(
        table.len(),
        failures.len(),
        "a row for a failure that is not in the catalogue"
    );
}

#[test]
fn every_test_in_the_table_exists() {
    let mut wrong = Vec::new();
    for (id, cell) in rows(&read("tests/README.md").unwrap()) {
        let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            let owed = cell.starts_with("not yet") || cell.starts_with("judged differently: ");
            if !owed {
                wrong.push(format!("{id}: {cell:?} is neither a test nor a reason"));
            }
        }
        for test in tests {
            let Some((file, name)) = test.split_once("::") else {
                wrong.push(format!("{id}: {test:?} is not file::name"));
                continue;
            };
            let found = read(file).is_some_and(|source| {
                // A mutation of infra/checks is a thing that is broken, and the check that notices.
                let is_mutation = file.starts_with("infra/checks/")
                    && source.contains(&format!("    (\"{name}\", "));
                is_mutation || is_test(&source, name)
            });
            if !found {
                wrong.push(format!("{id}: no test {name} in {file}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a source has a test of this name: a function below an attribute that ends in `test…]`, or in a `proptest!`.
fn is_test(source: &str, name: &str) -> bool {
    let Some(at) = source.find(&format!("fn {name}(")) else {
        return false;
    };
    let before = &source[..at];
    let item = before
        .rfind(['}', ';'])
        .map_or(before, |end| &before[end..]);
    item.contains("test]") || item.contains("test(")
}

#[test]
fn every_fault_of_the_tenant_is_played() {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("wire")).unwrap();
    let sources: String = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let is_played = |name: &str| {
        sources.match_indices(name).any(|(at, _)| {
            let before = &sources[..at];
            let after = sources[at + name.len()..].chars().next();
            (before.ends_with('"') || before.ends_with(" & "))
                && after.is_some_and(|next| matches!(next, '"' | ':' | ' '))
        })
    };
    let reason = |name: &str| ELSEWHERE.iter().any(|(known, _)| *known == name);
    let missing: Vec<_> = Fault::catalogue()
        .iter()
        .map(|fault| fault.name)
        .filter(|name| is_played(name) == reason(name))
        .collect();
    assert!(
        missing.is_empty(),
        "neither played nor reasoned away, or both: {missing:?}"
    );
}
