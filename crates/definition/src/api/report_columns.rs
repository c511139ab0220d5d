//! `report.columns` of the published APIs: a name for each column, or an object that says what its values are as well.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounds::name_schema;
use crate::column_meaning::{ColumnMeaning, RawColumnMeaning};
use crate::enums::ColumnType;
use crate::validator::Validator;

const AT: &str = "/report/columns";

/// The columns that a definition names, in order, and what it says of their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportColumns {
    names: Vec<String>,
    meanings: BTreeMap<String, ColumnMeaning>,
}

impl ReportColumns {
    /// Whether the definition names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What the definition says of the values of a column here.
    #[must_use]
    pub fn meaning_of(&self, name: &str) -> Option<&ColumnMeaning> {
        self.meanings.get(name)
    }
}

/// A name alone is a text, as it was before there were types, so that the hashes of definitions stay.
impl Serialize for ReportColumns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Described<'c> {
            name: &'c str,
            #[serde(flatten)]
            meaning: &'c ColumnMeaning,
        }
        let mut list = serializer.serialize_seq(Some(self.names.len()))?;
        for name in &self.names {
            match self.meanings.get(name) {
                None => list.serialize_element(name)?,
                Some(meaning) => list.serialize_element(&Described { name, meaning })?,
            }
        }
        list.end()
    }
}

/// The list as its author wrote it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawReportColumns {
    names: Vec<String>,
    /// As many as there are names.
    meanings: Vec<Option<RawColumnMeaning>>,
}

impl RawReportColumns {
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// A column, and what its values are.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportColumn")]
struct RawReportColumn {
    /// The name, spelt as CXone sends it.
    #[serde(default)]
    #[schemars(required, schema_with = "write_name_schema")]
    name: String,
    /// The type of the values.
    #[serde(rename = "type")]
    #[schemars(required, with = "ColumnType")]
    column_type: Option<String>,
    /// What numbers count, such as `s` or `ms`, for the descriptions of tables: 1 to 32 bytes.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32))]
    unit: Option<String>,
    /// What the column is about, for the descriptions of tables: 1 to 256 bytes.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    description: Option<String>,
}

fn write_name_schema(_generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Schema::default();
    if let Some(fields) = name_schema().as_object() {
        schema.ensure_object().extend(fields.clone());
    }
    schema
}

/// An entry of the list: a name, or a column with its type.
struct ListedColumn(String, Option<RawColumnMeaning>);

impl<'de> Deserialize<'de> for ListedColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReadEntry;
        impl<'de> Visitor<'de> for ReadEntry {
            type Value = ListedColumn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an object")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ListedColumn, E> {
                Ok(ListedColumn(name.to_owned(), None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ListedColumn, A::Error> {
                let column = RawReportColumn::deserialize(MapAccessDeserializer::new(map))?;
                let meaning = RawColumnMeaning {
                    column_type: column.column_type,
                    unit: column.unit,
                    description: column.description,
                };
                Ok(ListedColumn(column.name, Some(meaning)))
            }
        }
        deserializer.deserialize_any(ReadEntry)
    }
}

impl<'de> Deserialize<'de> for RawReportColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<ListedColumn>::deserialize(deserializer)?;
        let (names, meanings) = entries.into_iter().map(|ListedColumn(n, m)| (n, m)).unzip();
        Ok(Self { names, meanings })
    }
}

impl JsonSchema for RawReportColumns {
    fn schema_name() -> Cow<'static, str> {
        "ReportColumns".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let described = generator.subschema_for::<RawReportColumn>();
        json_schema!({
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "anyOf": [described, name_schema()] },
        })
    }
}

impl Validator<'_> {
    /// Checks the names of columns and what is said of them. A list that is left out is empty.
    pub(super) fn check_report_columns(
        &mut self,
        raw: Option<&RawReportColumns>,
    ) -> Option<ReportColumns> {
        let names = self.check_names(AT, "column name", raw.map(RawReportColumns::names));
        let described: Vec<_> = (raw.into_iter())
            .flat_map(|raw| raw.names.iter().zip(&raw.meanings).enumerate())
            .filter_map(|(i, (name, meaning))| Some((i, name, meaning.as_ref()?)))
            .map(|(i, name, meaning)| {
                let meaning = self.check_meaning(&format!("{AT}/{i}"), meaning)?;
                Some((name.clone(), meaning))
            })
            .collect();
        let meanings = described.into_iter().collect::<Option<_>>()?;
        Some(ReportColumns { names, meanings })
    }
}
