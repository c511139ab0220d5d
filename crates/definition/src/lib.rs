#![doc = include_str!("../README.md")]

mod api;
mod bounds;
mod catalogue;
mod column_meaning;
mod column_names;
mod date_range;
mod declare;
mod definition;
mod difference;
mod duration;
mod enums;
mod expectation;
mod finding;
mod finding_code;
mod grid;
mod hint;
mod ids;
mod label;
mod parse;
mod pipeline;
mod raw;
mod restate;
pub mod rows;
mod run_status;
mod schedule;
mod schema;
mod settling;
mod table;
pub mod tenant;
pub mod text;
mod text_enum;
mod time_of_day;
mod typed_window;
mod utc_offset;
mod validate;
mod validator;
mod warehouse;
mod window;
mod window_zone;

pub use api::*;
pub use catalogue::{Catalogue, CatalogueError, ReportType};
pub use column_meaning::ColumnMeaning;
pub use date_range::DateRange;
pub use declare::Declared;
pub use definition::{Checked, Definition, Delivery};
pub use difference::list_differences;
pub use enums::{
    ColumnNames, ColumnType, Compression, DeliveryFormat, DeliveryKind, OnConflict, OutputFormat,
    Recurrence, RelativeRange, SchemaPolicy, SourceRange, TableFormat,
};
pub use finding::{Finding, Findings};
pub use finding_code::{FindingCode, Severity};
pub use hint::suggest_near;
pub use ids::{
    EntityName, EntityVersion, IdError, PageToken, ReportId, ReportName, RunId, ScheduleId,
    TenantId,
};
pub use label::{WindowNaming, label_range, label_window, label_windows};
pub use pipeline::{CsvOptions, Fallback, Narrow, Pipeline, Split, TableOptions};
pub use restate::{RestateDistance, RestateDistanceError};
pub use run_status::RunStatus;
pub use schedule::{EveryHours, Schedule, Utc};
pub use schema::schema;
pub use settling::Settling;
pub use table::{CreateTable, TableColumn, TableError, TableType, TypeBasis};
pub use time_of_day::TimeOfDay;
pub use typed_window::TypedWindowError;
pub use utc_offset::{UtcOffset, UtcOffsetError};
pub use validate::check;
pub use warehouse::Warehouse;
pub use window::{Window, WindowError};
pub use window_zone::{WindowZone, WindowZoneError};
