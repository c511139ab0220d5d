#![doc = include_str!("../README.md")]

mod compare;
mod merge;
mod part;
mod store;

pub use compare::compare;
pub use merge::{merge, merge_committed};
pub use part::{
    Limits, PartSet, PartSpec, ReadPart, RowExport, RowReader, TableFile, format_of, rewrite,
};
pub use store::{Config, ListedObject, PartPresence, Store};
