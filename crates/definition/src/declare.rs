//! `pipeline.declare`: columns that a tenant has beside those of the catalogue.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::column_meaning::{ColumnMeaning, RawColumnMeaning};

/// Columns that a definition declares, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// The columns that hold numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, ColumnMeaning>,
    /// The columns that hold anything else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, ColumnMeaning>,
}

impl Declared {
    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.dimensions.is_empty()
    }

    /// What the definition declares of a column.
    pub(crate) fn find(&self, name: &str) -> Option<&ColumnMeaning> {
        self.metrics.get(name).or_else(|| self.dimensions.get(name))
    }
}

/// Columns that your tenant has and the pipeline does not know.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Declared")]
pub(crate) struct RawDeclared {
    /// The columns that hold numbers.
    #[serde(default)]
    pub(crate) metrics: Option<BTreeMap<String, RawColumnMeaning>>,
    /// The columns that hold anything else.
    #[serde(default)]
    pub(crate) dimensions: Option<BTreeMap<String, RawColumnMeaning>>,
}

impl RawDeclared {
    pub(crate) fn has_metric(&self, name: &str) -> bool {
        has_name(self.metrics.as_ref(), name)
    }

    pub(crate) fn has_dimension(&self, name: &str) -> bool {
        has_name(self.dimensions.as_ref(), name)
    }
}

fn has_name(half: Option<&BTreeMap<String, RawColumnMeaning>>, name: &str) -> bool {
    half.is_some_and(|columns| columns.contains_key(name))
}
