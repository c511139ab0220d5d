//! NDJSON whose columns have other names than CXone's. Values stay as CXone sent them.

use std::collections::HashMap;

use definition::ColumnNames;
use delivery::columns::MAX_COLUMNS;
use delivery::effects::Answered;

use crate::part::data::DataWriter;
use crate::part::row::{Malformed, Members, RowMember};

/// Writes rows with renamed columns.
#[derive(Debug)]
pub(in crate::part) struct RenamingWriter {
    column_names: ColumnNames,
    /// What is written for a name as it stands in a row, with the colon behind it.
    written: HashMap<Vec<u8>, Vec<u8>>,
    /// The column that each stored name is the name of.
    taken: HashMap<String, String>,
    /// What was encoded and not written yet.
    encoded: Vec<u8>,
}

impl RenamingWriter {
    pub(super) fn new(column_names: ColumnNames) -> Self {
        Self {
            column_names,
            written: HashMap::new(),
            taken: HashMap::new(),
            encoded: Vec::new(),
        }
    }

    pub(super) fn encode_row(&mut self, row: &[u8]) -> Result<(), Malformed> {
        self.encoded.push(b'{');
        let mut members = Members::of_row(row)?;
        let mut is_first = true;
        while let Some(RowMember { name, value, .. }) = members.next_member()? {
            if !std::mem::take(&mut is_first) {
                self.encoded.push(b',');
            }
            if let Some(written) = self.written.get(name) {
                self.encoded.extend_from_slice(written);
            } else {
                let written = self.rename(name)?;
                self.encoded.extend_from_slice(&written);
                self.written.insert(name.to_vec(), written);
            }
            self.encoded.extend_from_slice(value);
        }
        self.encoded.extend_from_slice(b"}\n");
        Ok(())
    }

    pub(super) fn write_encoded(&mut self, data: &mut DataWriter) -> Answered<()> {
        data.write(&self.encoded)?;
        self.encoded.clear();
        Ok(())
    }

    /// Two columns of one name would be one column to whoever loads the rows.
    fn rename(&mut self, quoted: &[u8]) -> Result<Vec<u8>, Malformed> {
        if self.written.len() >= MAX_COLUMNS {
            return Err(Malformed::TooManyNames);
        }
        let name: String = serde_json::from_slice(quoted).map_err(|_| Malformed::NotAnObject)?;
        let renamed = self.column_names.rename(&name).into_owned();
        let written = serde_json::to_string(&renamed).map_err(|_| Malformed::NotAnObject)?;
        match self.taken.get(&renamed) {
            Some(other) if *other != name => Err(Malformed::SameName(other.clone(), name)),
            _ => {
                self.taken.insert(renamed, name);
                Ok((written + ":").into_bytes())
            }
        }
    }
}
