#![doc = include_str!("../README.md")]

mod api;
mod apis;
pub mod catalogue;
mod definition;
mod delivery;
mod encode;
mod fault;
mod journal;
mod offer;
mod options;
mod page;
mod reply;
mod request;
mod rows;
mod run;
mod spoil;
mod state;
mod tenant;
mod token;
mod values;

pub use apis::Api;
pub use definition::{Definition, Format, Refusal};
pub use fault::{Entry as FaultEntry, Fault, Parameter, ParseFaultError, fault_table};
pub use journal::{Entry, Kind, RunReport};
pub use offer::{Entity, Template};
pub use options::{Now, Options, Rate, SCOPES};
pub use rows::{Shape, Window, csv_header, csv_of, rows_of};
pub use tenant::Tenant;
