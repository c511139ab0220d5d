//! The schedules of a report: its own, and one for each distance at which its windows are stated anew.

use std::collections::HashMap;

use definition::{DateRange, Recurrence, RestateDistance};
use jiff::{SignedDuration, Timestamp};

use super::report::ScheduledReport;
use crate::error::CommandError;

/// The longest name that EventBridge Scheduler accepts, in characters.
const MAX_NAME_CHARS: usize = 64;

const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// A schedule that starts executions of a report.
pub(crate) struct PlannedSchedule<'r> {
    pub(super) report: &'r ScheduledReport,
    pub(super) name: String,
    /// The name of the resource in the template.
    pub(super) resource: String,
    pub(super) timing: Timing,
    /// How old the windows are that it states anew; none for the report's own schedule.
    pub(super) restate: Option<RestateDistance>,
}

/// When a schedule starts executions, in UTC.
pub(super) enum Timing {
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
        planned.push(plan_schedule(report, None)?);
        for distance in report.file.definition.restatements() {
            planned.push(plan_schedule(report, Some(*distance))?);
        }
    }
    refuse_duplicates(&planned)?;
    Ok(planned)
}

fn plan_schedule(
    report: &ScheduledReport,
    restate: Option<RestateDistance>,
) -> Result<PlannedSchedule<'_>, CommandError> {
    let ScheduledReport { stem, resource, .. } = report;
    let (name, resource) = match restate {
        None => (stem.clone(), format!("{resource}Schedule")),
        Some(distance) => (
            format!("{stem}-restate-{distance}"),
            format!("{resource}Restate{distance}Schedule"),
        ),
    };
    if name.len() > MAX_NAME_CHARS {
        return Err(report.unschedulable(format!(
            "its schedule {name} would have more than {MAX_NAME_CHARS} characters; give the file a shorter name"
        )));
    }
    Ok(PlannedSchedule {
        name,
        resource,
        timing: time_executions(report, restate)?,
        report,
        restate,
    })
}

/// The times of the report, later by the distance. Weeks begin on Monday, months with their first day.
///
/// A distance is whole days, or of an hourly report so many hours that it has the same times again.
fn time_executions(
    report: &ScheduledReport,
    restate: Option<RestateDistance>,
) -> Result<Timing, CommandError> {
    let definition = &report.file.definition;
    let schedule = &definition.schedule;
    let later = restate.map_or(SignedDuration::ZERO, RestateDistance::duration);
    let days = later.as_hours() / 24;
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
    let minute = schedule.time.minute();
    let hours: Vec<String> = schedule.hours().map(|hour| hour.to_string()).collect();
    let hours = hours.join(",");
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
                    "its resources have the same names as those of {}.json; rename one",
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

    pub(crate) fn describe_passed(&self, at: Timestamp) -> String {
        let stem = &self.report.stem;
        format!(
            "{stem}.json: {at} has passed, so it gets no schedule; ask for its window by: cxr run {stem}.json --at {at}"
        )
    }
}

impl Timing {
    /// As EventBridge Scheduler writes it.
    pub(super) fn expression(&self) -> String {
        match self {
            Self::Recurring(expression) => expression.clone(),
            Self::Once(at) => format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
        }
    }
}
