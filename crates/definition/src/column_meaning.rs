//! What the values of a column are: its type, its unit and what it is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::enums::ColumnType;

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMeaning {
    /// The type of the values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// What numbers count, such as `s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the column is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl ColumnMeaning {
    /// A column of which the type is known, and nothing else.
    pub(crate) const fn of_type(column_type: ColumnType) -> Self {
        Self {
            column_type,
            unit: None,
            description: None,
        }
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeclaredColumn")]
pub(crate) struct RawColumnMeaning {
    /// The type of the values.
    #[serde(rename = "type")]
    #[schemars(required, with = "ColumnType")]
    pub(crate) column_type: Option<String>,
    /// What numbers count, such as `s` or `ms`, for the descriptions of tables: 1 to 32 bytes.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32))]
    pub(crate) unit: Option<String>,
    /// What the column is about, for the descriptions of tables: 1 to 256 bytes.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub(crate) description: Option<String>,
}
