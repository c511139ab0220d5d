//! What expressions read, so that only that is copied for the evaluator.

use std::collections::{BTreeMap, BTreeSet};

/// The variables and functions that some expressions use together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    /// By the name of the variable; `states` is one.
    pub(super) variables: BTreeMap<String, Selection>,
    /// The functions that this crate provides.
    pub(super) functions: BTreeSet<&'static str>,
}

/// A part of a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    /// Whether all of it is read.
    pub(super) whole: bool,
    /// The fields that are read, where it is an object.
    pub(super) fields: BTreeMap<String, Selection>,
}

impl Reads {
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, selection) in &other.variables {
            self.variables
                .entry(name.clone())
                .or_default()
                .merge(selection);
        }
        self.functions.extend(&other.functions);
    }

    /// Records that a field of a variable is read; an empty path means the whole variable.
    pub(super) fn add_path<'a>(&mut self, root: &str, path: impl IntoIterator<Item = &'a str>) {
        let mut selection = self.variables.entry(root.to_owned()).or_default();
        for field in path {
            selection = selection.fields.entry(field.to_owned()).or_default();
        }
        selection.whole = true;
    }

    /// Records that all of every variable is read.
    pub(super) fn read_everything(&mut self) {
        for selection in self.variables.values_mut() {
            selection.whole = true;
        }
    }
}

/// All of a value.
static WHOLE: Selection = Selection {
    whole: true,
    fields: BTreeMap::new(),
};

impl Selection {
    /// What is read of a field, if anything is.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        if self.whole {
            Some(&WHOLE)
        } else {
            self.fields.get(name)
        }
    }

    fn merge(&mut self, other: &Self) {
        self.whole |= other.whole;
        for (name, selection) in &other.fields {
            self.fields
                .entry(name.clone())
                .or_default()
                .merge(selection);
        }
    }
}
