//! `pipeline.declare`: columns that a tenant has beside those of the catalogue.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::enums::ColumnType;

/// Columns that a definition declares, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Columns of numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, DeclaredColumn>,
    /// Any other columns.
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
