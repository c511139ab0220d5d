#![doc = include_str!("../README.md")]

mod client;
mod definition;
mod dialect;
mod error;
#[cfg(test)]
mod fuzz;
mod ids;
mod page;
mod state;
mod text;
mod window;

pub use client::{
    AccessKey, AccessToken, Cancelled, Client, ClientCredentials, Config, Grant, Issuer, Limits,
    Look, PageOf, RefreshGrant, RefreshToken, Registration, SignIn, Site,
};
pub use definition::{
    AnalyticsReport, Api, Catalogue, CatalogueError, Checked, Compression, ContactsReport,
    CsvOptions, DataDownloadReport, DataExtractionReport, DateRange, Definition, Delivery,
    DeliveryFormat, DeliveryKind, EndDate, Fallback, Filter, Finding, FindingCode, Findings,
    Narrow, OnConflict, Operator, OutputFormat, Pipeline, RangeOf, Recurrence, RelativeRange,
    Report, ReportJobsReport, ReportType, Schedule, Severity, SourceRange, SourceStatement, Split,
    TimeOfDay, UtcOffset, UtcOffsetError, check, schema,
};
pub use dialect::Dialect;
pub use error::Error;
pub use ids::{
    EntityName, EntityVersion, IdError, PageToken, ReportId, ReportName, RunId, ScheduleId,
    TenantId,
};
pub use page::{Page, PageEnd, RowChunk, RowDigest};
pub use window::{Window, WindowError};
