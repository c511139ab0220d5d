#![doc = include_str!("../README.md")]

mod catalogue;
mod definition;
mod dialect;
mod enums;
mod finding;
mod ids;
mod parse;
mod raw;
mod report;
mod run_status;
pub mod text;
mod time_of_day;
mod utc_offset;
mod validate;
mod window;

pub use catalogue::{Catalogue, CatalogueError};
pub use definition::{
    Checked, CsvOptions, Definition, Delivery, Fallback, Narrow, Pipeline, Schedule, Split, Utc,
};
pub use dialect::Dialect;
pub use enums::{
    Api, Compression, DeliveryFormat, DeliveryKind, EndDate, OnConflict, Operator, OutputFormat,
    RangeOf, Recurrence, RelativeRange, ReportType, SourceRange,
};
pub use finding::{Finding, FindingCode, Findings, Severity};
pub use ids::{
    EntityName, EntityVersion, IdError, PageToken, ReportId, ReportName, RunId, ScheduleId,
    TenantId,
};
pub use raw::schema;
pub use report::{
    AnalyticsReport, ContactsReport, DataDownloadReport, DataExtractionReport, DateRange, Filter,
    Report, ReportJobsReport, SourceStatement,
};
pub use run_status::RunStatus;
pub use time_of_day::TimeOfDay;
pub use utc_offset::{UtcOffset, UtcOffsetError};
pub use validate::check;
pub use window::{Window, WindowError};
