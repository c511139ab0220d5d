//! The README's table of errors says what the table of advice says.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use delivery::{AWS_ERRORS, Advice, FailureName, advice};

fn check(names: &str, advice: Advice) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let row = format!("| {names} | {} | {} |", advice.meaning, advice.action);
    assert!(
        readme.lines().any(|line| line == row),
        "the README's table of errors needs this row:\n{row}"
    );
}

#[test]
fn the_readmes_table_of_errors_is_the_table_of_advice() {
    for name in FailureName::ALL {
        check(&format!("`{name}`"), name.advice());
    }
}

/// Those with the same advice are one row.
#[test]
fn the_readmes_table_has_the_errors_of_aws() {
    let advice_of = |error: &&str| advice(error, None);
    for alike in AWS_ERRORS.chunk_by(|one, other| advice_of(one) == advice_of(other)) {
        let names: Vec<String> = alike.iter().map(|error| format!("`{error}`")).collect();
        check(&names.join(", "), advice_of(&alike[0]));
    }
}
