//! The first record of a file, which makes rows of the others.

use super::NOT_UTF8;
use super::cell::{write_cell, write_string};
use super::mismatch::describe_mismatch;
use super::rules::{ColumnNames, FileRules};

/// The longest name of a column, in bytes. It is in every row, so that a small file with long names would become any
/// amount of rows.
const MAX_NAME: usize = 256;

pub(super) struct Header {
    record: Vec<u8>,
    ends: Vec<usize>,
    columns: Vec<Column>,
}

struct Column {
    /// `"name":`, preceded by a comma or the opening brace.
    prefix: Vec<u8>,
    is_number: bool,
}

impl Header {
    pub(super) fn parse(record: &[u8], ends: &[usize], rules: &FileRules) -> Result<Self, String> {
        let names = read_names(record, ends, rules.column_names)?;
        let has = |column: &&String| !names.contains(column);
        if let Some(missing) = rules.required_columns.iter().find(has) {
            return Err(describe_mismatch(missing, &names, &rules.required_columns));
        }
        let columns = names.iter().enumerate().map(|(i, name)| {
            let mut prefix = vec![if i == 0 { b'{' } else { b',' }];
            write_string(name.as_bytes(), &mut prefix);
            prefix.push(b':');
            Column {
                prefix,
                is_number: rules.number_columns.contains(name),
            }
        });
        Ok(Self {
            record: record.to_vec(),
            ends: ends.to_vec(),
            columns: columns.collect(),
        })
    }

    /// Whether this record is the header once more.
    pub(super) fn is_repeated(&self, record: &[u8], ends: &[usize]) -> bool {
        record == self.record && ends == self.ends
    }

    /// Appends a record as a JSON object.
    pub(super) fn write_row(
        &self,
        record: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (fields, expected) = (ends.len(), self.columns.len());
        if fields != expected {
            let words = if fields == 1 { "field" } else { "fields" };
            return Err(format!("has {fields} {words}, the header has {expected}"));
        }
        let mut start = 0;
        for (column, end) in self.columns.iter().zip(ends) {
            out.extend_from_slice(&column.prefix);
            write_cell(&record[start..*end], column.is_number, out);
            start = *end;
        }
        out.push(b'}');
        Ok(())
    }
}

/// The names of the columns, each of them once.
fn read_names(record: &[u8], ends: &[usize], rule: ColumnNames) -> Result<Vec<String>, String> {
    let mut start = 0;
    let mut given = Vec::with_capacity(ends.len());
    for (i, end) in ends.iter().enumerate() {
        let name = std::str::from_utf8(&record[start..*end])
            .map_err(|_| format!("the header {NOT_UTF8}"))?;
        let column = i + 1;
        if rule == ColumnNames::AsGiven && (name.is_empty() || given.contains(&name)) {
            return Err(format!(
                "column {column} of the header has no name of its own"
            ));
        }
        if name.len() > MAX_NAME {
            return Err(format!(
                "column {column} of the header has a name of more than {MAX_NAME} bytes"
            ));
        }
        given.push(name);
        start = *end;
    }
    Ok(match rule {
        ColumnNames::MadeDistinct => make_names_distinct(&given),
        ColumnNames::AsGiven => given.into_iter().map(str::to_owned).collect(),
    })
}

/// The second `Name` becomes `Name (2)` and so on, past every name that is there already; one without a name becomes
/// `Column` and its number. The same header always gives the same names.
fn make_names_distinct(given: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(given.len());
    for (i, name) in given.iter().enumerate() {
        let name = if name.is_empty() {
            format!("Column {}", i + 1)
        } else {
            (*name).to_owned()
        };
        let is_first = !names.contains(&name) && (!given[i].is_empty() || !given.contains(&&*name));
        let mut count = 1 + given[..i].iter().filter(|before| **before == name).count();
        let mut own = name.clone();
        while !is_first && (names.contains(&own) || given.contains(&own.as_str())) {
            count = count.max(2);
            own = format!("{name} ({count})");
            count += 1;
        }
        names.push(own);
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::make_names_distinct;

    proptest! {
        #[test]
        fn names_are_told_apart_whatever_they_are(
            given in proptest::collection::vec("|A|B|A \\(2\\)|A \\(3\\)|Column [1-6]", 1..9),
        ) {
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let names = make_names_distinct(&given);
            let distinct: BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(distinct.len(), given.len(), "{:?}", &names);
            for (i, name) in given.iter().enumerate() {
                let is_first = !name.is_empty() && !given[..i].contains(name);
                prop_assert!(names[i].starts_with(name));
                prop_assert_eq!(is_first, names[i] == *name, "{:?}", &names);
            }
        }
    }

    #[test]
    fn every_column_gets_a_name_of_its_own() {
        for (given, names) in [
            (vec!["Name", "Skill Name"], vec!["Name", "Skill Name"]),
            (
                vec!["Name", "Name", "Name"],
                vec!["Name", "Name (2)", "Name (3)"],
            ),
            (
                vec!["Name", "Name", "Name (2)"],
                vec!["Name", "Name (3)", "Name (2)"],
            ),
            (
                vec!["", "Name", "", "Column 1"],
                vec!["Column 1 (2)", "Name", "Column 3", "Column 1"],
            ),
            (vec!["Name", "name"], vec!["Name", "name"]),
        ] {
            assert_eq!(make_names_distinct(&given), names);
        }
    }
}
