//! Decides what a backfill does: which windows of those asked for are missing, and in which order. Pure.

use std::collections::BTreeSet;
use std::fmt;

use definition::{Definition, SourceRange, Window};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::input::BackfillPace;
use super::pause::Pause;
use crate::error::CommandError;
use crate::output::count_of;
use crate::state::{Judged, Remedy, WindowNaming, WindowState, label_window};

/// So many labels of a kind are named at most.
const NAMED_MAX: usize = 5;

/// How the windows are to be asked for.
pub(crate) struct BackfillOptions {
    /// As it was given.
    pub(crate) at_once: Option<u32>,
    pub(crate) max_failures: u32,
    pub(crate) pause: Pause,
    pub(crate) is_oldest_first: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackfillPlan {
    /// What the report is called on the command line.
    pub(crate) report: String,
    /// How many windows were asked for.
    asked: usize,
    committed: usize,
    withdrawn: usize,
    running: usize,
    /// Those that another backfill has before it.
    elsewhere: usize,
    /// Those that would fail again in the same way.
    needs_replay: Vec<String>,
    /// What they would fail with.
    #[serde(skip)]
    errors_again: BTreeSet<String>,
    /// Those whose data may still change.
    not_final: Vec<String>,
    /// What is asked for, in this order.
    pub(crate) to_do: Vec<String>,
    #[serde(skip)]
    pub(crate) windows: Vec<Window>,
    #[serde(flatten)]
    pub(crate) pace: BackfillPace,
    is_oldest_first: bool,
    /// Why fewer run at once than were asked for.
    #[serde(skip)]
    bound: Option<&'static str>,
    /// How long a window took lately.
    median_seconds: Option<i64>,
    estimated_seconds: Option<i64>,
}

/// Refuses what no execution could deliver: windows that mean nothing, and those that the API has forgotten.
pub(crate) fn check_can_fill(
    definition: &Definition,
    windows: &[Judged],
    now: Timestamp,
) -> Result<(), CommandError> {
    let refuse = |problem: String| Err(CommandError::Backfill { problem });
    if definition.source().range == SourceRange::Template {
        return refuse(
            "the template of this report says which days its file covers, so that no other days can be asked for; \
             give it the range in CXone and run it once for each, or let the past be"
                .to_owned(),
        );
    }
    let Some(keeps) = definition.dialect().keeps() else {
        return Ok(());
    };
    let forgotten = |judged: &&Judged| !judged.is_settled() && judged.window.start() < now - keeps;
    let Some(oldest) = windows.iter().find(forgotten) else {
        return Ok(());
    };
    let zone = definition.pipeline.window_zone.rules();
    let naming = WindowNaming::new(Some(definition));
    refuse(format!(
        "{} is further back than {} has data, which is {} days; begin at {} or later",
        label_window(&oldest.window, &naming),
        definition.dialect().api(),
        keeps.as_hours() / 24,
        (now - keeps)
            .to_zoned(zone.clone())
            .date()
            .tomorrow()
            .unwrap_or_default(),
    ))
}

impl BackfillPlan {
    /// Sorts the windows by what is to be done with them. `elsewhere` are those that another backfill is to ask for.
    pub(crate) fn new(
        report: &str,
        definition: &Definition,
        judged: &[Judged],
        elsewhere: &BTreeSet<Window>,
        options: BackfillOptions,
        now: Timestamp,
    ) -> Self {
        let count = |is: fn(&WindowState) -> bool| judged.iter().filter(|it| is(&it.state)).count();
        let (at_once, bound) = bound_at_once(definition, options.at_once);
        let mut plan = Self {
            report: report.to_owned(),
            asked: judged.len(),
            committed: count(|state| matches!(state, WindowState::Committed(_))),
            withdrawn: count(|state| matches!(state, WindowState::Withdrawn { .. })),
            running: count(|state| matches!(state, WindowState::Running(_))),
            elsewhere: 0,
            needs_replay: Vec::new(),
            errors_again: BTreeSet::new(),
            not_final: Vec::new(),
            to_do: Vec::new(),
            windows: Vec::new(),
            pace: BackfillPace {
                at_once,
                max_failures: options.max_failures,
                pause: options.pause,
            },
            is_oldest_first: options.is_oldest_first,
            bound,
            median_seconds: None,
            estimated_seconds: None,
        };
        plan.sort(definition, judged, elsewhere, now);
        if !options.is_oldest_first {
            plan.to_do.reverse();
            plan.windows.reverse();
        }
        plan
    }

    fn sort(
        &mut self,
        definition: &Definition,
        judged: &[Judged],
        elsewhere: &BTreeSet<Window>,
        now: Timestamp,
    ) {
        let naming = WindowNaming::new(Some(definition));
        for one in judged {
            if one.is_settled() || one.is_running() {
                continue;
            }
            let label = label_window(&one.window, &naming);
            if elsewhere.contains(&one.window) {
                self.elsewhere += 1;
            } else if definition.settled_at(&one.window) > now {
                self.not_final.push(label);
            } else if Remedy::of(one) == Remedy::Replay {
                self.errors_again.extend(error_of(one));
                self.needs_replay.push(label);
            } else {
                self.to_do.push(label);
                self.windows.push(one.window);
            }
        }
    }

    /// Says how long it takes from now on, pauses counted, from how long windows took lately.
    pub(crate) fn estimate(&mut self, mut durations: Vec<SignedDuration>, now: Timestamp) {
        durations.sort_unstable();
        let median = durations
            .get(durations.len() / 2)
            .map(SignedDuration::as_secs);
        let rounds = self
            .windows
            .len()
            .div_ceil(usize::try_from(self.pace.at_once).unwrap_or(1));
        self.median_seconds = median;
        let work = median
            .zip(i64::try_from(rounds).ok())
            .map(|(median, rounds)| SignedDuration::from_secs(median.saturating_mul(rounds)));
        let done = work.map(|work| self.pace.pause.finish(now, work));
        self.estimated_seconds = done.map(|done| done.duration_since(now).as_secs());
    }

    /// What a person is asked.
    pub(crate) fn question(&self) -> String {
        let to_do = count_of(self.windows.len(), "window");
        format!("{to_do} of {} would be asked for", self.report)
    }

    fn describe_rest(&self) -> Vec<String> {
        let counts = [
            (self.committed, "committed"),
            (self.withdrawn, "withdrawn"),
            (self.running, "running"),
            (self.elsewhere, "in another backfill"),
            (self.not_final.len(), "not final yet"),
            (self.needs_replay.len(), "in need of a replay"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        counts
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
    }
}

/// A rate-limited API gets one at a time, because its calls are kept apart anyway, and the daily run needs some of them.
fn bound_at_once(definition: &Definition, asked: Option<u32>) -> (u32, Option<&'static str>) {
    if definition.dialect().spacing().is_none() {
        return (asked.unwrap_or(2), None);
    }
    let bound = asked.is_some_and(|asked| asked > 1);
    (
        1,
        bound.then_some(
            "because this API takes one call in half a minute from all reports together",
        ),
    )
}

/// What the last execution of a window failed with.
fn error_of(judged: &Judged) -> Option<String> {
    match &judged.state {
        WindowState::Failed(attempt) => Some(attempt.error.as_ref()?.error.clone()),
        _ => None,
    }
}

/// `1 h 20 min`, to the minute.
pub(crate) fn describe_seconds(seconds: i64) -> String {
    let minutes = (seconds + 59) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

impl fmt::Display for BackfillPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", count_of(self.asked, "window"))?;
        let rest = self.describe_rest();
        if !rest.is_empty() {
            write!(f, ": {}", rest.join(", "))?;
        }
        let (Some(first), Some(last)) = (self.to_do.first(), self.to_do.last()) else {
            writeln!(f, "; nothing to do")?;
            return self.write_left_alone(f);
        };
        let order = if self.is_oldest_first {
            "oldest"
        } else {
            "newest"
        };
        let (to_do, at_once) = (self.to_do.len(), self.pace.at_once);
        writeln!(
            f,
            "; {to_do} to do, {at_once} at once, the {order} first: {first} to {last}"
        )?;
        if let Some(bound) = self.bound {
            writeln!(f, "{at_once} at once, {bound}")?;
        }
        if let Some((all, each)) = self.estimated_seconds.zip(self.median_seconds) {
            let (all, each) = (describe_seconds(all), describe_seconds(each));
            writeln!(f, "about {all}, as a window takes {each} lately")?;
        }
        if let Some(pause) = self.pace.pause.describe() {
            writeln!(f, "begins none between {pause}, because of the daily runs")?;
        }
        writeln!(
            f,
            "stops after {}",
            count_of(
                usize::try_from(self.pace.max_failures).unwrap_or(0),
                "failure"
            )
        )?;
        self.write_left_alone(f)
    }
}

impl BackfillPlan {
    fn write_left_alone(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.not_final.is_empty() {
            let named = definition::text::list_first(&self.not_final, NAMED_MAX);
            writeln!(f, "not final yet: {named}; ask for it later")?;
        }
        if !self.needs_replay.is_empty() {
            let named = definition::text::list_first(&self.needs_replay, NAMED_MAX);
            let errors: Vec<&str> = self.errors_again.iter().map(String::as_str).collect();
            let errors = errors.join(" or ");
            writeln!(
                f,
                "would fail again with {errors}: {named}; cxr show says what to do"
            )?;
        }
        Ok(())
    }
}
