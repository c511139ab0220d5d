//! What each warehouse allows a table and its columns to be.

use super::TableType;
use crate::enums::ColumnType;
use crate::warehouse::Warehouse;

/// What holds for all tables of a warehouse.
pub(super) struct Rules {
    /// What stands around a name.
    pub(super) quote: char,
    /// What becomes of a name that is written without quotes.
    pub(super) case: Case,
    /// Whether two columns may have names that differ only in case.
    pub(super) is_case_sensitive: bool,
    /// The longest name, in bytes.
    pub(super) longest_name: usize,
    /// Which characters a name may have, in quotes.
    pub(super) allows: fn(char) -> bool,
    /// Whether a name may begin with a digit, in quotes.
    pub(super) allows_digit_first: bool,
    /// Whether the warehouse keeps a name of a column, in lower case, for itself.
    pub(super) is_taken: fn(&str) -> bool,
    /// Whole numbers, fractions, texts, times, truth values and JSON objects.
    types: [&'static str; 6],
    pub(super) comments: Comments,
    /// What stands in a text for a `'`.
    pub(super) apostrophe: &'static str,
    /// Whether a backslash in a text means something, so that it has to be doubled.
    pub(super) has_backslash: bool,
}

/// What becomes of a name that is written without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Kept,
}

/// How a column gets its description.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// `comment '…'` behind its type.
    Behind,
    /// `options (description = '…')` behind its type.
    Options,
    /// A statement of its own.
    Statements,
}

impl Rules {
    /// The warehouse's word for a type.
    pub(super) fn type_name(&self, column_type: TableType) -> &'static str {
        let nth = match column_type {
            TableType::Value(ColumnType::Long) => 0,
            TableType::Value(ColumnType::Double) => 1,
            TableType::Value(ColumnType::String) => 2,
            TableType::Value(ColumnType::Timestamp) => 3,
            TableType::Value(ColumnType::Boolean) => 4,
            TableType::Json => 5,
        };
        self.types[nth]
    }
}

impl Warehouse {
    pub(super) const fn rules(self) -> &'static Rules {
        match self {
            Self::Snowflake => &SNOWFLAKE,
            Self::Redshift => &REDSHIFT,
            Self::BigQuery => &BIGQUERY,
            Self::Athena => &ATHENA,
            Self::Postgres => &POSTGRES,
            Self::DuckDb => &DUCKDB,
            Self::Spark => &SPARK,
        }
    }
}

const SNOWFLAKE: Rules = Rules {
    quote: '"',
    case: Case::Upper,
    is_case_sensitive: true,
    longest_name: 255,
    // Two of them would end the text of a procedure.
    allows: |c| c != '$',
    allows_digit_first: true,
    is_taken: |_| false,
    types: [
        "number(38, 0)",
        "double",
        "varchar",
        "timestamp_tz",
        "boolean",
        "variant",
    ],
    comments: Comments::Behind,
    apostrophe: "''",
    has_backslash: true,
};

const REDSHIFT: Rules = Rules {
    quote: '"',
    case: Case::Lower,
    is_case_sensitive: false,
    longest_name: 127,
    allows: |c| c != '%',
    allows_digit_first: true,
    is_taken: |name| is_postgres_own(name) || ["oid", "insertxid", "deletexid"].contains(&name),
    // A shorter text column would refuse a longer text, or cut it.
    types: [
        "bigint",
        "double precision",
        "varchar(65535)",
        "timestamptz",
        "boolean",
        "super",
    ],
    comments: Comments::Statements,
    apostrophe: "''",
    has_backslash: true,
};

/// The names that BigQuery takes everywhere: not all of its ways in take more characters than these.
const BIGQUERY: Rules = Rules {
    quote: '`',
    case: Case::Kept,
    is_case_sensitive: false,
    longest_name: 300,
    allows: is_plain,
    allows_digit_first: false,
    is_taken: |name| {
        [
            "_table_",
            "_file_",
            "_partition",
            "_row_timestamp",
            "__root__",
            "_colidentifier",
            "_change_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    },
    types: ["int64", "float64", "string", "timestamp", "bool", "json"],
    comments: Comments::Options,
    apostrophe: "\\'",
    has_backslash: true,
};

const ATHENA: Rules = Rules {
    quote: '`',
    case: Case::Lower,
    is_case_sensitive: false,
    longest_name: 255,
    allows: is_plain,
    allows_digit_first: false,
    is_taken: |_| false,
    types: [
        "bigint",
        "double",
        "string",
        "timestamp",
        "boolean",
        "string",
    ],
    comments: Comments::Behind,
    apostrophe: "\\'",
    has_backslash: true,
};

const POSTGRES: Rules = Rules {
    quote: '"',
    case: Case::Lower,
    is_case_sensitive: true,
    longest_name: 63,
    allows: |_| true,
    allows_digit_first: true,
    is_taken: is_postgres_own,
    types: [
        "bigint",
        "double precision",
        "text",
        "timestamptz",
        "boolean",
        "jsonb",
    ],
    comments: Comments::Statements,
    apostrophe: "''",
    has_backslash: false,
};

const DUCKDB: Rules = Rules {
    quote: '"',
    case: Case::Kept,
    is_case_sensitive: false,
    longest_name: 255,
    allows: |_| true,
    allows_digit_first: true,
    is_taken: |_| false,
    types: [
        "bigint",
        "double",
        "varchar",
        "timestamptz",
        "boolean",
        "json",
    ],
    comments: Comments::Statements,
    apostrophe: "''",
    has_backslash: false,
};

const SPARK: Rules = Rules {
    quote: '`',
    case: Case::Kept,
    is_case_sensitive: false,
    longest_name: 255,
    // Delta refuses these in names, unless it maps columns.
    allows: |c| !" ,;{}()\n\t=".contains(c),
    allows_digit_first: true,
    is_taken: |_| false,
    types: [
        "bigint",
        "double",
        "string",
        "timestamp",
        "boolean",
        "string",
    ],
    comments: Comments::Behind,
    apostrophe: "\\'",
    has_backslash: true,
};

/// Whether a name can be written without quotes anywhere, if it is no word of the language.
pub(super) fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The columns that PostgreSQL has in each table.
fn is_postgres_own(name: &str) -> bool {
    ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"].contains(&name)
}
