#![doc = include_str!("../README.md")]

mod api;
mod apis;
pub mod catalogue;
mod corrupt;
mod definition;
mod delivery;
mod encode;
mod fault;
mod fixtures;
mod journal;
mod learned;
mod options;
mod page;
mod reply;
mod request;
mod row_writer;
mod rows;
mod run;
mod shape;
mod state;
mod tenant;
mod token;
mod values;
mod window;

pub use apis::Api;
pub use definition::{Definition, Format, Refusal};
pub use fault::{Entry as FaultEntry, Fault, Parameter, ParseFaultError, fault_table};
pub use fixtures::{Entity, Template};
pub use journal::{Entry, Kind, RunReport};
pub use learned::LearnError;
pub use options::{Now, Options, Rate, SCOPES};
pub use rows::{csv_header, csv_of, rows_of};
pub use shape::Shape;
pub use tenant::Tenant;
pub use window::Window;
