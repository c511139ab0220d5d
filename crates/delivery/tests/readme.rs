//! The README's table of errors says what [`FailureName::advice`] says.

use delivery::FailureName;

#[test]
fn the_readmes_table_of_errors_is_the_table_of_advice() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for name in FailureName::ALL {
        let advice = name.advice();
        let row = format!("| `{name}` | {} | {} |", advice.meaning, advice.action);
        assert!(
            readme.lines().any(|line| line == row),
            "the README's table of errors needs this row:\n{row}"
        );
    }
}
