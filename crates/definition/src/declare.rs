//! `pipeline.declare`: columns that a tenant has beside those of the catalogue.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::enums::ColumnType;

/// Columns that a definition declares, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// The columns that hold numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, DeclaredColumn>,
    /// The columns that hold anything else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, DeclaredColumn>,
}

/// A column that is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DeclaredColumn {
    /// What its values are.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

impl Declared {
    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.dimensions.is_empty()
    }
}

/// Columns that your tenant has and the pipeline does not know.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Declared")]
pub(crate) struct RawDeclared {
    /// The columns that hold numbers.
    #[serde(default)]
    pub(crate) metrics: Option<BTreeMap<String, RawDeclaredColumn>>,
    /// The columns that hold anything else.
    #[serde(default)]
    pub(crate) dimensions: Option<BTreeMap<String, RawDeclaredColumn>>,
}

/// A column that is declared.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeclaredColumn")]
pub(crate) struct RawDeclaredColumn {
    /// What its values are.
    #[serde(rename = "type")]
    #[schemars(required, with = "ColumnType")]
    pub(crate) column_type: Option<String>,
}

impl RawDeclared {
    pub(crate) fn has_metric(&self, name: &str) -> bool {
        has_name(self.metrics.as_ref(), name)
    }

    pub(crate) fn has_dimension(&self, name: &str) -> bool {
        has_name(self.dimensions.as_ref(), name)
    }
}

fn has_name(half: Option<&BTreeMap<String, RawDeclaredColumn>>, name: &str) -> bool {
    half.is_some_and(|columns| columns.contains_key(name))
}
