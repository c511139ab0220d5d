//! What is known of each window of each report, and what is wrong with it. The decisions are pure: what was read comes in.

mod attempt;
mod delivered;
mod judge;
mod known;
mod mark;
mod remedy;
mod trouble;

pub(crate) use definition::{WindowNaming, label_range, label_window};

pub(crate) use attempt::Attempt;
pub(crate) use delivered::{Delivered, find_delivered};
pub(crate) use judge::{
    Judged, Span, StoredSoFar, Unfinished, WindowState, judge_one, judge_windows,
};
pub(crate) use known::KnownReport;
pub(crate) use mark::{Mark, mark_days};
pub(crate) use remedy::Remedy;
pub(crate) use trouble::{
    OUT_OF_REACH, Telling, Trouble, TroubleKind, drift_line, find_troubles, first_definition_line,
    is_schedule_refused, minute, replay_lines, retry_line, suggest_giving_up, suggest_replay,
};

#[cfg(test)]
mod tests;
