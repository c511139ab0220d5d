#![doc = include_str!("../README.md")]

mod client;
mod definition;
mod error;
#[cfg(test)]
mod fuzz;
mod ids;
mod page;
mod state;
mod text;
mod window;

pub use client::{AccessToken, Cancelled, Client, ClientCredentials, Config, Grant, Limits, Look};
pub use definition::{
    Api, Catalogue, CatalogueError, Checked, Compression, DateRange, Definition, Delivery,
    DeliveryFormat, DeliveryKind, Fallback, Filter, Finding, FindingCode, Findings, Narrow,
    OnConflict, Operator, OutputFormat, Pipeline, Recurrence, RelativeRange, Report, ReportType,
    Schedule, Severity, TimeOfDay, check, schema,
};
pub use error::Error;
pub use ids::{IdError, PageToken, ReportName, RunId, ScheduleId, TenantId};
pub use page::{Page, PageEnd, RowChunk, RowDigest};
pub use window::{Window, WindowError};
