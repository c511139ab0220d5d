//! The schedules of a report: its own, one that asks whether it was delivered, and one for each distance at which its
//! windows are stated anew.

use std::collections::{BTreeSet, HashMap};

use definition::{DateRange, Recurrence, RestateDistance};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::report::ScheduledReport;
use crate::digest::hex_digest;
use crate::error::CommandError;

/// The longest that a schedule's name may be behind the deployment's name and a hyphen, in characters. `EventBridge`
/// Scheduler accepts 64 in all, so that a deployment may have 25.
const MAX_NAME_CHARS: usize = 38;
/// How much of the digest stands in the name of a file that can't be the name itself.
const DIGEST_CHARS: usize = 8;

const MINUTES_A_DAY: i64 = 24 * 60;
const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// What a schedule's executions are asked for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Deliver,
    /// To fail if the window was not delivered.
    Expect,
    /// To state a window anew that is so old.
    Restate(RestateDistance),
}

/// A schedule that starts executions of a report.
pub(crate) struct PlannedSchedule<'r> {
    pub(super) report: &'r ScheduledReport,
    pub(super) purpose: Purpose,
    /// The name without the deployment's before it.
    pub(crate) name: String,
    /// The name of the resource in the template.
    pub(super) resource: String,
    pub(crate) timing: Timing,
}

/// When a schedule starts executions, in UTC.
pub(crate) enum Timing {
    /// An expression such as `cron(30 5 * * ? *)`.
    Recurring(String),
    Once(Timestamp),
}

/// The schedules of all reports, each with a name of its own.
pub(crate) fn plan_schedules(
    reports: &[ScheduledReport],
) -> Result<Vec<PlannedSchedule<'_>>, CommandError> {
    let mut planned = Vec::new();
    for report in reports {
        let restatements = report.file.definition.restatements().iter();
        let purposes = [Purpose::Deliver, Purpose::Expect].into_iter();
        for purpose in purposes.chain(restatements.copied().map(Purpose::Restate)) {
            planned.push(plan_schedule(report, purpose)?);
        }
    }
    refuse_duplicates(&planned)?;
    Ok(planned)
}

fn plan_schedule(
    report: &ScheduledReport,
    purpose: Purpose,
) -> Result<PlannedSchedule<'_>, CommandError> {
    let suffix = match purpose {
        Purpose::Deliver => String::new(),
        Purpose::Expect => "-expect".to_owned(),
        Purpose::Restate(distance) => format!("-restate-{distance}"),
    };
    let name = format_name(&report.stem, &suffix);
    Ok(PlannedSchedule {
        resource: format!("{}Schedule", camel_case(&name)),
        name,
        timing: time_executions(report, purpose)?,
        report,
        purpose,
    })
}

/// The file's name and the suffix. A file's name that is too long, or has letters that a schedule can't have, is reduced to
/// what can stand there and a digest.
pub(super) fn format_name(stem: &str, suffix: &str) -> String {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let room = MAX_NAME_CHARS - suffix.len();
    let speaks = stem.contains(|letter: char| letter.is_ascii_alphanumeric());
    if speaks && stem.chars().all(is_allowed) && stem.len() <= room {
        return format!("{stem}{suffix}");
    }
    let allowed: String = stem.chars().filter(|letter| is_allowed(*letter)).collect();
    let mut digest = hex_digest(stem);
    digest.truncate(DIGEST_CHARS);
    let kept = allowed.len().min(room - DIGEST_CHARS - 1);
    let kept = allowed[..kept].trim_matches(|letter| "-_.".contains(letter));
    let kept = if kept.is_empty() { "report" } else { kept };
    format!("{kept}-{digest}{suffix}")
}

pub(super) fn camel_case(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.fold(String::new(), |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
        name
    })
}

/// The times of the report, later by what the purpose asks for. Weeks begin on Monday, months with their first day.
fn time_executions(report: &ScheduledReport, purpose: Purpose) -> Result<Timing, CommandError> {
    let definition = &report.file.definition;
    let schedule = &definition.schedule;
    let later = match purpose {
        Purpose::Deliver => SignedDuration::ZERO,
        Purpose::Expect => definition.expected_after(),
        Purpose::Restate(distance) => distance.duration(),
    };
    let minute = i64::from(schedule.time.minute()) + later.as_mins();
    let minutes: Vec<i64> = schedule
        .hours()
        .map(|hour| i64::from(hour) * 60 + minute)
        .collect();
    let days = minutes.first().map_or(0, |at| at / MINUTES_A_DAY);
    let hours: BTreeSet<i64> = minutes.iter().map(|at| at % MINUTES_A_DAY / 60).collect();
    let dates = match schedule.recurrence {
        Recurrence::Hourly | Recurrence::Daily => "* * ?".to_owned(),
        Recurrence::Weekly => {
            let weekday = usize::try_from(days % 7).unwrap_or_default();
            format!("? * {}", WEEKDAYS[weekday])
        }
        Recurrence::Monthly => format!("{} * ?", 1 + days),
        Recurrence::Once => {
            let DateRange::Absolute(window) = definition.report.date_range() else {
                return Err(report.unschedulable(
                    "a report that runs once needs an absolute dateRange, which says on which day"
                        .to_owned(),
                ));
            };
            let settled = definition.settled_at(window);
            return Ok(Timing::Once(
                schedule.time.first_at_or_after(settled) + later,
            ));
        }
    };
    let hours: Vec<String> = hours.iter().map(ToString::to_string).collect();
    let (minute, hours) = (minute % 60, hours.join(","));
    Ok(Timing::Recurring(format!(
        "cron({minute} {hours} {dates} *)"
    )))
}

/// Fails if two files, such as `a-b.json` and `a_b.json`, would have schedules or resources of one name.
fn refuse_duplicates(planned: &[PlannedSchedule<'_>]) -> Result<(), CommandError> {
    let mut seen: HashMap<&str, &PlannedSchedule<'_>> = HashMap::new();
    for schedule in planned {
        for name in [&schedule.name, &schedule.resource] {
            if let Some(first) = seen.insert(name, schedule)
                && !std::ptr::eq(first, schedule)
            {
                return Err(schedule.report.unschedulable(format!(
                    "its schedules have the same names as those of {}.json; rename one",
                    first.report.stem
                )));
            }
        }
    }
    Ok(())
}

impl PlannedSchedule<'_> {
    /// When it would have started its only execution, if that is before `now`: then it can't be created any more.
    pub(crate) fn passed(&self, now: Timestamp) -> Option<Timestamp> {
        match self.timing {
            Timing::Once(at) if at <= now => Some(at),
            _ => None,
        }
    }

    /// Whether a template with these resources has it.
    pub(crate) fn is_among(&self, resources: &Map<String, Value>) -> bool {
        resources.contains_key(&self.resource)
    }

    /// What does not start any more, and how to do it by hand. Nobody has to ask by hand whether a window came.
    pub(crate) fn describe_passed(&self, at: Timestamp) -> Option<String> {
        let stem = &self.report.stem;
        match self.purpose {
            Purpose::Deliver => Some(format!(
                "{stem}.json: {at} has passed, so it gets no schedule; ask for its window by: cxr run {stem}.json --at {at}"
            )),
            Purpose::Restate(distance) => Some(format!(
                "{stem}.json: {at} has passed, so nothing fetches its window again after {distance}; do that by: cxr replay {stem}.json --window START/END --reason TEXT"
            )),
            Purpose::Expect => None,
        }
    }
}

impl Timing {
    /// As EventBridge Scheduler writes it.
    pub(crate) fn expression(&self) -> String {
        match self {
            Self::Recurring(expression) => expression.clone(),
            Self::Once(at) => format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
        }
    }
}
