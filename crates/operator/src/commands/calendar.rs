//! `cxr calendar`: the state of every day of some months in one picture.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::CommandError;
use crate::layout::{cut, wrap_pieces};
use crate::output::Output;
use crate::place::PlaceArgs;
use crate::state::{Mark, Span, mark_days};
use crate::survey::{Survey, Surveyed};

/// A line begins with a month, such as `2026-06`.
const MONTH: usize = 7;

/// Show which days of the last months are there.
#[derive(Debug, Args)]
pub(super) struct CalendarArgs {
    /// The reports, by name or the beginning of one; without any, all.
    reports: Vec<String>,
    /// How many months, this one included.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=36))]
    months: u8,
    /// Only signs that every terminal has.
    #[arg(long)]
    ascii: bool,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

impl CalendarArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        survey: &Survey,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let first = first_of_months(now, self.months);
        let since = first.to_zoned(TimeZone::UTC).map(|it| it.timestamp());
        // A day earlier, because days of another zone begin before those in UTC.
        let since = since.map_or(now, |since| since - jiff::SignedDuration::from_hours(24));
        let surveyed = survey.survey(&self.reports, Span { since, now }).await?;
        let reports = surveyed.iter();
        output.print(&Calendar {
            reports: reports.map(|it| ReportCalendar::new(it, first)).collect(),
            ascii: self.ascii,
            width: output.width(),
            empty: survey.bucket.describe_empty(),
        })?;
        Ok(0)
    }
}

/// The first day of the first of so many months, of which the last is that of `now`.
fn first_of_months(now: Timestamp, months: u8) -> Date {
    let this = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let earlier = i32::from(months).saturating_sub(1).months();
    this.checked_sub(earlier).unwrap_or(this)
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Calendar {
    reports: Vec<ReportCalendar>,
    #[serde(skip)]
    ascii: bool,
    #[serde(skip)]
    width: Option<usize>,
    /// What is said where there is no report.
    #[serde(skip)]
    empty: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReportCalendar {
    tenant: String,
    address: String,
    /// The days of which something is known or missing.
    days: BTreeMap<Date, Mark>,
}

impl ReportCalendar {
    fn new(surveyed: &Surveyed, first: Date) -> Self {
        let mut days = mark_days(&surveyed.windows, &surveyed.known.zone());
        days.retain(|date, _| *date >= first);
        Self {
            tenant: surveyed.names.tenant.clone(),
            address: surveyed.address.clone(),
            days,
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reports.is_empty() {
            return writeln!(f, "{}", self.empty);
        }
        for report in &self.reports {
            writeln!(f, "{}", cut(&report.address, self.width))?;
            let cell = fit_cell(self.width);
            writeln!(f, "{}", number_days(cell))?;
            for month in report.months() {
                writeln!(f, "{}", report.month_line(month, cell, self.ascii))?;
            }
            writeln!(f)?;
        }
        let meanings =
            Mark::ALL.map(|mark| format!("{} {}  ", mark.sign(self.ascii), mark.meaning()));
        for line in wrap_pieces(meanings.iter().map(String::as_str), 0, self.width) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// How many characters a day has at most, so that the longest month fits: a day that is cut off would be overlooked.
fn fit_cell(width: Option<usize>) -> usize {
    let fits = |cell: &usize| width.is_none_or(|width| MONTH + 31 * cell <= width);
    [3, 2].into_iter().find(fits).unwrap_or(1)
}

/// The numbers of the days, each ending where its sign is; where they don't fit beside one another, every fifth.
fn number_days(cell: usize) -> String {
    let mut line = String::new();
    for day in (1..=31).filter(|day| cell > 2 || *day == 1 || day % 5 == 0) {
        let number = day.to_string();
        let before = MONTH + day * cell - number.len();
        line = format!("{line:<before$}{number}");
    }
    line
}

impl ReportCalendar {
    /// The first days of the months of which something is known.
    fn months(&self) -> Vec<Date> {
        let mut months: Vec<Date> = self.days.keys().map(|day| day.first_of_month()).collect();
        months.dedup();
        months
    }

    fn month_line(&self, first: Date, cell: usize, ascii: bool) -> String {
        let days = (1..=first.days_in_month()).map(|day| {
            let date = Date::new(first.year(), first.month(), day).ok();
            let mark = date.and_then(|date| self.days.get(&date));
            let sign = mark.map_or(' ', |mark| mark.sign(ascii));
            format!("{sign:>cell$}")
        });
        let days: Vec<String> = days.collect();
        let line = format!("{}{}", first.strftime("%Y-%m"), days.concat());
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_day_is_cut_off_in_a_narrow_terminal() {
        let whole: Vec<String> = (1..=31).map(|day| format!("{day:>3}")).collect();
        let whole = format!("       {}", whole.concat());
        for (width, cell, numbers) in [
            (None, 3, whole.as_str()),
            (Some(100), 3, &whole),
            (
                Some(80),
                2,
                "        1       5        10        15        20        25        30",
            ),
            (Some(60), 1, "       1   5   10   15   20   25   30"),
        ] {
            assert_eq!(fit_cell(width), cell, "{width:?}");
            assert_eq!(number_days(cell), numbers);
        }
    }
}
