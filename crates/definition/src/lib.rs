#![doc = include_str!("../README.md")]

mod api;
mod catalogue;
mod date_range;
mod definition;
mod enums;
mod finding;
mod finding_code;
mod hint;
mod ids;
mod parse;
mod raw;
mod run_status;
mod schema;
pub mod text;
mod text_enum;
mod time_of_day;
mod utc_offset;
mod validate;
mod validator;
mod window;

pub use api::*;
pub use catalogue::{Catalogue, CatalogueError, ReportType};
pub use date_range::DateRange;
pub use definition::{
    Checked, CsvOptions, Definition, Delivery, Fallback, Narrow, Pipeline, Schedule, Split, Utc,
};
pub use enums::{
    Compression, DeliveryFormat, DeliveryKind, OnConflict, OutputFormat, Recurrence, RelativeRange,
    SourceRange,
};
pub use finding::{Finding, Findings};
pub use finding_code::{FindingCode, Severity};
pub use ids::{
    EntityName, EntityVersion, IdError, PageToken, ReportId, ReportName, RunId, ScheduleId,
    TenantId,
};
pub use run_status::RunStatus;
pub use schema::schema;
pub use time_of_day::TimeOfDay;
pub use utc_offset::{UtcOffset, UtcOffsetError};
pub use validate::check;
pub use window::{Window, WindowError};
