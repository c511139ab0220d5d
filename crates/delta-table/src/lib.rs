#![doc = include_str!("../README.md")]

mod action;
mod checkpoint;
pub mod effects;
pub mod publish;
mod rows;
mod schema;
mod state;
mod version;

pub use action::{Add, ENGINE};
pub use checkpoint::{CHECKPOINT_INTERVAL, checkpoints_before};
pub use rows::{FileWriter, RowStamp, RowsError, Tally, WrittenFile};
pub use schema::{Column, GrownSchema, Schema, TableField};
pub use state::{LogError, TableState};
pub use version::{CommitRows, NewFile, file_path, write_first};
