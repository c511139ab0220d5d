//! APIS.md has the rows that the probe judges, and no others.

use std::collections::BTreeSet;

use probe::assumption_ids;

#[test]
fn every_row_of_apis_md_is_judged_and_every_row_judged_is_there() {
    let apis = include_str!("../../../cxone/APIS.md");
    let rows = apis.lines().filter(|line| line.starts_with("| P-"));
    let listed: Vec<&str> = rows.map(|row| &row[2..6]).collect();
    let judged: Vec<&str> = assumption_ids().collect();
    assert_eq!(listed, judged);
    let once: BTreeSet<&str> = judged.iter().copied().collect();
    assert_eq!(once.len(), judged.len());
}
