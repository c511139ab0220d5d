//! `${Name}` in a definition.

use std::collections::BTreeMap;

use asl::{SubstituteError, substitute};

fn check(text: &str, values: &[(&str, &str)], expect: Result<&str, SubstituteError>) {
    let values = values
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let values: BTreeMap<_, _> = values.collect();
    assert_eq!(
        substitute(text, &values),
        expect.map(str::to_owned),
        "{text}"
    );
}

#[test]
fn placeholders_get_their_values() {
    check(
        r#"{"a":"${X}-${Y}","b":"${X}"}"#,
        &[("X", "1"), ("Y", "2")],
        Ok(r#"{"a":"1-2","b":"1"}"#),
    );
    check(
        "${AWS::Region}",
        &[("AWS::Region", "eu-west-1")],
        Ok("eu-west-1"),
    );
    check(r#""${X}""#, &[("X", r#"a"b\c"#)], Ok(r#""a\"b\\c""#));
    check("no placeholder", &[], Ok("no placeholder"));
}

#[test]
fn what_only_looks_like_a_placeholder_stays() {
    for text in [
        "${",
        "${}",
        "$.{'a': 1}",
        "${'a': b}",
        "${1}",
        "$ {X}",
        "${a b}",
    ] {
        check(text, &[], Ok(text));
    }
}

#[test]
fn missing_and_unused_names_are_errors() {
    check(
        "${X}${Y}",
        &[("X", "1")],
        Err(SubstituteError::Missing("Y".into())),
    );
    check(
        "${X}",
        &[("X", "1"), ("Z", "1")],
        Err(SubstituteError::Unused("Z".into())),
    );
}
