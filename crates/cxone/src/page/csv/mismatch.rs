//! Says why a header is not the one that the definition needs.

use definition::text::{list_first, quote};

/// What may stand between names where a file is not separated by commas.
const SEPARATORS: &[(char, &str)] = &[(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")];
/// The most names that are shown, and the most bytes of each.
const MAX_SHOWN: usize = 32;
const MAX_NAME_SHOWN: usize = 48;

/// The error for a header that lacks a column.
///
/// The names are shown as they were read, but only if the definition names one of them: then this is a header. The first line of a
/// file without one is a row, and rows are never shown.
pub(super) fn describe_mismatch(missing: &str, names: &[String], required: &[String]) -> String {
    let is_known = |name: &str| {
        let name = simplify(name);
        required.iter().any(|column| simplify(column) == name)
    };
    let split = |separator: char| {
        let names = names.iter().flat_map(move |name| name.split(separator));
        names.filter(|name| is_known(name)).count()
    };
    let as_read = names.iter().filter(|name| is_known(name)).count();
    let others = SEPARATORS
        .iter()
        .filter(|(separator, _)| split(*separator) > as_read);
    let separated = others.max_by_key(|(separator, _)| split(*separator));
    let no_column = format!("the header has no column {missing:?}");
    if as_read == 0 && separated.is_none() {
        // Words that mean no data are one cell, unless they have a comma.
        let words = if names.len() == 1 {
            "; or it says in words that there is no data: then name them in `pipeline.emptyMessages`"
        } else {
            ""
        };
        return format!(
            "{no_column} and none else that the definition names; its names ({}) are not shown, because they may be those of a row: the file may begin with a title, have its names in another language, or have no header{words}",
            count_columns(names.len())
        );
    }
    let shown: Vec<String> = names.iter().map(|name| show_name(name)).collect();
    let shown = list_first(&shown, MAX_SHOWN);
    let hint = separated.map_or_else(String::new, |(_, what)| {
        format!(", so its columns are separated by {what}; have the report written with commas")
    });
    format!("{no_column}; it reads {shown}{hint}")
}

fn count_columns(count: usize) -> String {
    match count {
        1 => "1 column".to_owned(),
        _ => format!("{count} columns"),
    }
}

/// A name with the spaces at its ends, because they may be what is wrong with it.
fn show_name(name: &str) -> String {
    let kept = &name[..name.floor_char_boundary(MAX_NAME_SHOWN)];
    if kept.len() < name.len() {
        return quote(&format!("{kept}…"));
    }
    quote(kept)
}

/// A name without its case and whatever may stand between its words.
fn simplify(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::describe_mismatch;

    #[test]
    fn a_header_is_shown_as_it_was_read_and_a_row_is_not() {
        let required = ["Contact ID", "Skill Name"].map(str::to_owned);
        for (names, told) in [
            (
                vec!["contact id", "Agent\u{7}"],
                r#"the header has no column "Contact ID"; it reads "contact id", "Agent""#,
            ),
            (
                vec![" Contact ID ", "Agent"],
                r#"the header has no column "Contact ID"; it reads " Contact ID ", "Agent""#,
            ),
            (
                vec!["Contact ID;Skill Name;Agent"],
                r#"the header has no column "Contact ID"; it reads "Contact ID;Skill Name;Agent", so its columns are separated by semicolons; have the report written with commas"#,
            ),
            (
                vec!["No data available"],
                r#"the header has no column "Contact ID" and none else that the definition names; its names (1 column) are not shown, because they may be those of a row: the file may begin with a title, have its names in another language, or have no header; or it says in words that there is no data: then name them in `pipeline.emptyMessages`"#,
            ),
            (
                vec!["17", "Anna Smith;Billing"],
                r#"the header has no column "Contact ID" and none else that the definition names; its names (2 columns) are not shown, because they may be those of a row: the file may begin with a title, have its names in another language, or have no header"#,
            ),
        ] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(describe_mismatch("Contact ID", &names, &required), told);
        }
        let wide: Vec<String> = (0..40).map(|n| format!("{n}{}", "x".repeat(90))).collect();
        let wide = [vec!["Skill Name".to_owned()], wide].concat();
        let told = describe_mismatch("Contact ID", &wide, &required);
        assert!(
            told.ends_with(" and 9 more") && told.len() < 2_048,
            "{told}"
        );
    }
}
