//! A report definition as the tenant validates it: strictly, and nothing but what the guide shows.

use std::fmt;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::catalogue;
use crate::shape::Shape;
use crate::window::Window;

/// Why a definition or a date range was refused: the text of a 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn reject_with<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

/// The form of a run's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Pages of a `data` array.
    Json,
    /// A file behind a `downloadUrl`.
    Csv,
}

#[derive(Debug, Clone)]
pub struct Definition {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) format: Format,
    range: DateRange,
    zone: TimeZone,
    /// The definition as it was sent, which the list of schedules shows.
    pub(crate) echo: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    schedule: Schedule,
    report: Report,
    delivery: Delivery,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    r#type: String,
    time: String,
    timezone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Report {
    r#type: String,
    metrics: Vec<String>,
    dimensions: Vec<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    date_range: DateRange,
    #[serde(default)]
    grouping: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    dimension: String,
    values: Vec<String>,
    operator: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    r#type: String,
    format: Option<String>,
}

/// The body of a request to start a run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RunBody {
    pub(crate) date_range: Option<DateRange>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DateRange {
    r#type: String,
    value: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

impl Definition {
    /// Reads and checks the body of a schedule request.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let Ok(echo) = serde_json::from_slice::<Box<RawValue>>(body) else {
            return reject_with("the body is not JSON");
        };
        let body: Body =
            serde_json::from_slice(body).map_err(|error| Refusal(error.to_string()))?;
        if body.name.trim().is_empty() || body.name.len() > 256 {
            return reject_with("name: between 1 and 256 characters");
        }
        let zone = body.schedule.check_zone()?;
        body.report.check_columns()?;
        body.report.date_range.check_range()?;
        let format = body.delivery.check_format()?;
        let Report {
            metrics,
            dimensions,
            grouping,
            date_range,
            ..
        } = body.report;
        let shape = Shape {
            name: body.name.clone(),
            dimensions,
            metrics,
            grouping,
        };
        Ok(Self {
            name: body.name,
            shape,
            format,
            range: date_range,
            zone,
            echo,
        })
    }

    /// The columns, which decide the rows.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The window of a run: the one asked for, or the schedule's own as of `now`.
    pub(crate) fn window(
        &self,
        asked: Option<&DateRange>,
        now: Timestamp,
    ) -> Result<Window, Refusal> {
        asked.unwrap_or(&self.range).resolve(&self.zone, now)
    }
}

impl Schedule {
    fn check_zone(&self) -> Result<TimeZone, Refusal> {
        if !["once", "hourly", "daily", "weekly", "monthly"].contains(&self.r#type.as_str()) {
            return reject_with(format!(
                "schedule.type: {:?} is not once, hourly, daily, weekly or monthly",
                self.r#type
            ));
        }
        let shape: Vec<bool> = self
            .time
            .bytes()
            .map(|byte| byte.is_ascii_digit())
            .collect();
        if shape != [true, true, false, true, true]
            || jiff::civil::Time::strptime("%H:%M", &self.time).is_err()
        {
            return reject_with(format!("schedule.time: {:?} is not HH:MM", self.time));
        }
        TimeZone::get(&self.timezone).or_else(|_| {
            reject_with(format!(
                "schedule.timezone: {:?} does not exist",
                self.timezone
            ))
        })
    }
}

impl Report {
    fn check_columns(&self) -> Result<(), Refusal> {
        let Some(known) = catalogue::metrics(&self.r#type) else {
            return reject_with(format!(
                "report.type: {:?} is none of {}",
                self.r#type,
                catalogue::TYPES.join(", ")
            ));
        };
        let known: Vec<&str> = known.collect();
        let is_unknown = |name: &&String| !known.contains(&name.as_str());
        if let Some(metric) = self.metrics.iter().find(is_unknown) {
            return reject_with(format!(
                "report.metrics: {metric:?} is not valid for report type {:?}",
                self.r#type
            ));
        }
        let filtered = self.filters.iter().map(|filter| &filter.dimension);
        let is_unknown = |name: &&String| !catalogue::dimensions().any(|known| known == *name);
        if let Some(name) = self.dimensions.iter().chain(filtered).find(is_unknown) {
            return reject_with(format!("report.dimensions: {name:?} is not a dimension"));
        }
        let is_foreign = |name: &&String| !self.dimensions.contains(name);
        if let Some(name) = self.grouping.iter().find(is_foreign) {
            return reject_with(format!(
                "report.grouping: {name:?} is not among the dimensions"
            ));
        }
        if self.metrics.is_empty() || self.dimensions.is_empty() {
            return reject_with("report: at least one metric and one dimension");
        }
        for list in [&self.metrics, &self.dimensions, &self.grouping] {
            let mut names = list.iter().enumerate();
            if let Some((_, name)) = names.find(|(at, name)| list[..*at].contains(name)) {
                return reject_with(format!("report: {name:?} is listed twice"));
            }
        }
        self.filters.iter().try_for_each(Filter::check_filter)
    }
}

impl Filter {
    fn check_filter(&self) -> Result<(), Refusal> {
        if !["in", "notIn", "equals", "notEquals"].contains(&self.operator.as_str()) {
            return reject_with(format!(
                "report.filters: {:?} is not an operator",
                self.operator
            ));
        }
        if self.values.is_empty() {
            return reject_with("report.filters: a filter without values");
        }
        Ok(())
    }
}

impl Delivery {
    fn check_format(&self) -> Result<Format, Refusal> {
        if self.r#type != "api" {
            return reject_with(format!("delivery.type: {:?} is not api", self.r#type));
        }
        match self.format.as_deref() {
            None | Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some(other) => reject_with(format!("delivery.format: {other:?} is not json or csv")),
        }
    }
}

impl DateRange {
    /// Checks the range by resolving it once, at an arbitrary time.
    fn check_range(&self) -> Result<(), Refusal> {
        self.resolve(&TimeZone::UTC, Timestamp::UNIX_EPOCH)
            .map(drop)
    }

    fn resolve(&self, zone: &TimeZone, now: Timestamp) -> Result<Window, Refusal> {
        match (self.r#type.as_str(), &self.value, &self.start, &self.end) {
            ("relative", Some(value), None, None) => relative_window(value, zone, now),
            ("absolute", None, Some(start), Some(end)) => absolute_window(start, end),
            ("relative" | "absolute", ..) => {
                reject_with("dateRange: relative has a value, absolute a start and an end")
            }
            (other, ..) => reject_with(format!(
                "dateRange.type: {other:?} is not relative or absolute"
            )),
        }
    }
}

fn absolute_window(start: &str, end: &str) -> Result<Window, Refusal> {
    let window = Window {
        start: parse_instant(start)?,
        end: parse_instant(end)?,
    };
    if window.start >= window.end {
        return reject_with("dateRange: the start is not before the end");
    }
    Ok(window)
}

/// RFC 3339 in UTC with `Z` and whole seconds, as the guide shows them.
fn parse_instant(text: &str) -> Result<Timestamp, Refusal> {
    let shaped = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    match text.parse() {
        Ok(instant) if shaped => Ok(instant),
        _ => reject_with(format!(
            "dateRange: {text:?} is not like 2026-01-14T00:00:00Z"
        )),
    }
}

/// A relative range means days in the zone of the schedule, not in UTC.
pub(crate) fn relative_window(
    value: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Window, Refusal> {
    let today = now.to_zoned(zone.clone()).date();
    let monday = || {
        today
            .tomorrow()
            .and_then(|day| day.nth_weekday(-1, Weekday::Monday))
    };
    let span = match value {
        "previousHour" => {
            let end = Timestamp::from_second(now.as_second().div_euclid(3_600) * 3_600);
            return end
                .and_then(|end| {
                    Ok(Window {
                        start: end.checked_sub(1.hour())?,
                        end,
                    })
                })
                .map_err(|error| Refusal(error.to_string()));
        }
        "today" => today.tomorrow().map(|end| (today, end)),
        "previousDay" => today.yesterday().map(|start| (start, today)),
        "previousWeek" => monday().and_then(|end| Ok((end.checked_sub(1.week())?, end))),
        "previousMonth" => today
            .first_of_month()
            .checked_sub(1.month())
            .map(|start| (start, today.first_of_month())),
        _ => {
            return reject_with(format!(
                "dateRange.value: {value:?} is not a relative range"
            ));
        }
    };
    let instant =
        |date: jiff::civil::Date| Ok::<_, jiff::Error>(date.to_zoned(zone.clone())?.timestamp());
    span.and_then(|(start, end)| {
        Ok(Window {
            start: instant(start)?,
            end: instant(end)?,
        })
    })
    .map_err(|error: jiff::Error| Refusal(error.to_string()))
}
