//! How reports and windows are named on the command line. The decisions are pure.

mod report;
mod windows;

pub(crate) use report::{ReportNames, find_report, slug};
pub(crate) use windows::{WindowsAsked, find_window, find_windows, is_window};
