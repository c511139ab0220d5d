//! The first record of a file, and what it makes of the others.

use super::cell::{cell, text};
use definition::{Api, Definition};

/// The longest name of a column, in bytes. It is in every row, so that a small file with long names would become any
/// amount of rows.
const MAX_NAME: usize = 256;

/// What the columns of a file may be called.
pub(super) struct Naming {
    /// Columns whose values are numbers.
    metrics: Vec<String>,
    /// Columns that have to be there.
    columns: Vec<String>,
    /// Whether a name that is empty, or there twice, is made one of its own.
    mends: bool,
}

/// The first record, and what it makes of the others.
pub(super) struct Header {
    record: Vec<u8>,
    ends: Vec<usize>,
    columns: Vec<Column>,
}

struct Column {
    /// `"name":`, with a comma or the brace before it.
    prefix: Vec<u8>,
    is_metric: bool,
}

impl Naming {
    pub(super) fn of(definition: &Definition) -> Self {
        let columns = definition.columns().into_iter();
        Self {
            metrics: definition.metrics().to_vec(),
            columns: columns.map(str::to_owned).collect(),
            // The guide's API names columns by the definition; elsewhere a report's author does.
            mends: definition.dialect().api() != Api::Analytics,
        }
    }
}

impl Header {
    pub(super) fn read(record: &[u8], ends: &[usize], naming: &Naming) -> Result<Self, String> {
        let names = names(record, ends, naming.mends)?;
        let has = |column: &&String| !names.contains(column);
        if let Some(missing) = naming.columns.iter().find(has) {
            return Err(format!("the header has no column {missing:?}"));
        }
        let columns = names.iter().enumerate().map(|(i, name)| {
            let mut prefix = vec![if i == 0 { b'{' } else { b',' }];
            text(name.as_bytes(), &mut prefix);
            prefix.push(b':');
            Column {
                prefix,
                is_metric: naming.metrics.contains(name),
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
    pub(super) fn row(
        &self,
        record: &[u8],
        ends: &[usize],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (fields, expected) = (ends.len(), self.columns.len());
        if fields != expected {
            return Err(format!("has {fields} fields, the header has {expected}"));
        }
        let mut start = 0;
        for (column, end) in self.columns.iter().zip(ends) {
            out.extend_from_slice(&column.prefix);
            cell(&record[start..*end], column.is_metric, out);
            start = *end;
        }
        out.push(b'}');
        Ok(())
    }
}

/// The names of the columns, each of them once.
fn names(record: &[u8], ends: &[usize], mends: bool) -> Result<Vec<String>, String> {
    let mut start = 0;
    let mut given = Vec::with_capacity(ends.len());
    for (i, end) in ends.iter().enumerate() {
        let name = std::str::from_utf8(&record[start..*end])
            .map_err(|_| "the header is not UTF-8".to_owned())?;
        let column = i + 1;
        if !mends && (name.is_empty() || given.contains(&name)) {
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
    Ok(if mends {
        mended(&given)
    } else {
        given.into_iter().map(str::to_owned).collect()
    })
}

/// The second `Name` becomes `Name (2)` and so on, past every name that is there already; one without a name becomes
/// `Column` and its number. The same header always gives the same names.
fn mended(given: &[&str]) -> Vec<String> {
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

    use super::mended;

    proptest! {
        #[test]
        fn names_are_told_apart_whatever_they_are(
            given in proptest::collection::vec("|A|B|A \\(2\\)|A \\(3\\)|Column [1-6]", 1..9),
        ) {
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let names = mended(&given);
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
            assert_eq!(mended(&given), names);
        }
    }
}
