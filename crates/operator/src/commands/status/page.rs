//! `cxr status --html`: the status as one page that needs nothing else.

use std::fmt::{self, Write as _};

use definition::text::group_thousands;
use jiff::civil::Date;

use super::{ReportStatus, Status};
use crate::output::{count_of, count_rows};
use crate::state::{Judged, Mark, Trouble, WindowNaming, label_window, mark_days, minute};
use crate::survey::Surveyed;

/// Colours and places. Every colour has a light and a dark form.
const STYLE: &str = include_str!("page.css");

/// A bar of the chart is so wide, in units of its own.
const BAR: usize = 10;

/// The chart is so high, in units of its own.
const CHART_HEIGHT: u64 = 100;

/// One page that needs nothing else: no script, no font, no picture of another address.
pub(super) fn render_page(status: &Status, surveyed: &[Surveyed]) -> String {
    let mut page = String::new();
    // Writing to a text never fails.
    let _ = write_page(&mut page, status, surveyed);
    page
}

fn write_page(page: &mut String, status: &Status, surveyed: &[Surveyed]) -> fmt::Result {
    let complete = status.reports.iter().filter(|it| it.is_complete()).count();
    let all = status.reports.len();
    let headline = if status.is_complete {
        "Every report is complete".to_owned()
    } else {
        format!("{complete} of {} complete", count_of(all, "report"))
    };
    let at = minute(status.at);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{headline}, {at} UTC</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1 class=\"{}\">{headline}</h1>\n<p>{at} UTC, windows since {}</p>\n</header>\n<main>\n",
        if status.is_complete { "well" } else { "unwell" },
        status.since.strftime("%Y-%m-%d"),
    )?;
    if let Some(command) = status.command {
        writeln!(page, "<pre>{command}</pre>")?;
    }
    write_legend(page)?;
    for (report, surveyed) in status.reports.iter().zip(surveyed) {
        write_report(page, report, surveyed)?;
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn write_legend(page: &mut String) -> fmt::Result {
    page.push_str("<p class=\"legend\">");
    for mark in Mark::ALL {
        let (class, sign, meaning) = (class_of(mark), mark.sign(false), mark.meaning());
        write!(
            page,
            "<span><i class=\"day {class}\">{sign}</i> {meaning}</span> "
        )?;
    }
    page.push_str("</p>\n");
    Ok(())
}

fn write_report(page: &mut String, report: &ReportStatus, surveyed: &Surveyed) -> fmt::Result {
    let class = if report.is_complete() {
        "well"
    } else {
        "unwell"
    };
    write!(
        page,
        "<section>\n<h2>{}</h2>\n<p class=\"state {class}\">{}</p>\n<p>{} / {}</p>\n<dl>",
        escape(&report.address),
        escape(&report.state()),
        escape(&report.tenant),
        escape(&report.report),
    )?;
    for (term, text) in describe(report) {
        write!(page, "<div><dt>{term}</dt><dd>{}</dd></div>", escape(&text))?;
    }
    page.push_str("</dl>\n");
    for trouble in &report.troubles {
        write_trouble(page, trouble)?;
    }
    write_months(page, surveyed)?;
    write_chart(page, surveyed)?;
    page.push_str("</section>\n");
    Ok(())
}

/// What the table of `cxr status` says.
fn describe(report: &ReportStatus) -> Vec<(&'static str, String)> {
    let mut told = vec![("windows", format!("{} of {}", report.delivered, report.due))];
    if let Some(schedule) = &report.schedule {
        told.insert(0, ("schedule", schedule.clone()));
    }
    if let Some(newest) = &report.newest {
        told.push(("newest", newest.window.clone()));
        told.push(("rows", group_thousands(newest.rows)));
        told.extend(
            newest
                .usual_rows
                .map(|usual| ("usual", group_thousands(usual))),
        );
    }
    told
}

fn write_trouble(page: &mut String, trouble: &Trouble) -> fmt::Result {
    write!(
        page,
        "<div class=\"trouble{}\">\n<p><b>{}</b> {}{}</p>\n<p>{}</p>\n",
        if trouble.kind.is_absence() {
            ""
        } else {
            " look"
        },
        escape(&trouble.windows.join(", ")),
        trouble.kind.as_str(),
        trouble.describe_time(),
        escape(&trouble.reason),
    )?;
    for command in &trouble.commands {
        writeln!(page, "<pre>{}</pre>", escape(command))?;
    }
    page.push_str("</div>\n");
    Ok(())
}

/// A month after the other, each with its weeks below one another.
fn write_months(page: &mut String, surveyed: &Surveyed) -> fmt::Result {
    let zone = surveyed.known.zone();
    let days = mark_days(&surveyed.windows, &zone);
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value())
    else {
        return Ok(());
    };
    page.push_str("<div class=\"months\">\n");
    let mut month = first.first_of_month();
    while month <= *last {
        let blanks = month.weekday().to_monday_zero_offset();
        write!(
            page,
            "<div class=\"month\"><h3>{}</h3><div class=\"weeks\">",
            month.strftime("%Y-%m")
        )?;
        page.push_str(&"<i></i>".repeat(usize::try_from(blanks).unwrap_or_default()));
        for day in 1..=month.days_in_month() {
            let Ok(date) = Date::new(month.year(), month.month(), day) else {
                continue;
            };
            write_day(page, date, days.get(&date).copied())?;
        }
        page.push_str("</div></div>\n");
        let Ok(next) = month.last_of_month().tomorrow() else {
            break;
        };
        month = next;
    }
    page.push_str("</div>\n");
    Ok(())
}

fn write_day(page: &mut String, date: Date, mark: Option<Mark>) -> fmt::Result {
    let Some(mark) = mark else {
        return write!(page, "<i class=\"day\">{}</i>", date.day());
    };
    let (class, meaning) = (class_of(mark), mark.meaning());
    let text = match mark {
        Mark::Committed => date.day().to_string(),
        _ => mark.sign(false).to_string(),
    };
    write!(
        page,
        "<i class=\"day {class}\" title=\"{date}: {meaning}\">{text}</i>"
    )
}

/// What the style calls a mark.
fn class_of(mark: Mark) -> String {
    mark.meaning().replace(' ', "-")
}

/// The rows of each window as bars, those that are not there as gaps, and what is usual as a line.
fn write_chart(page: &mut String, surveyed: &Surveyed) -> fmt::Result {
    let windows: Vec<&Judged> = surveyed
        .windows
        .iter()
        .filter(|it| it.is_due || it.held().is_some())
        .collect();
    let rows = windows
        .iter()
        .filter_map(|it| it.held())
        .map(|held| held.rows);
    let usual = windows.iter().rev().find_map(|it| it.held()?.usual_rows);
    let Some(most) = rows.chain(usual).max().filter(|most| *most > 0) else {
        return Ok(());
    };
    let width = windows.len() * BAR;
    write!(
        page,
        "<figure>\n<figcaption>rows of each window, at most {}</figcaption>\n\
         <svg viewBox=\"0 0 {width} {CHART_HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"rows of each window\">\n",
        group_thousands(most),
    )?;
    let naming = surveyed.known.naming();
    for (index, judged) in windows.iter().enumerate() {
        write_bar(page, index * BAR, judged, most, &naming)?;
    }
    if let Some(usual) = usual {
        let y = CHART_HEIGHT - scale(usual, most);
        writeln!(
            page,
            "<line class=\"usual\" x1=\"0\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\"><title>usual: {}</title></line>",
            count_rows(usual),
        )?;
    }
    page.push_str("</svg>\n</figure>\n");
    Ok(())
}

fn write_bar(
    page: &mut String,
    x: usize,
    judged: &Judged,
    most: u64,
    naming: &WindowNaming,
) -> fmt::Result {
    let label = escape(&label_window(&judged.window, naming));
    let Some(mark) = Mark::of(judged) else {
        return Ok(());
    };
    let class = class_of(mark);
    let (height, told, gap) = match judged.held() {
        Some(held) => {
            let rows = count_rows(held.rows);
            (scale(held.rows, most).max(1), rows, "")
        }
        // Nothing is there: the gap itself can be pointed at.
        None => (CHART_HEIGHT, mark.meaning().to_owned(), " gap"),
    };
    let y = CHART_HEIGHT - height;
    writeln!(
        page,
        "<rect class=\"{class}{gap}\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"><title>{label}: {told}</title></rect>",
        x + 1,
        BAR - 2,
    )
}

fn scale(rows: u64, most: u64) -> u64 {
    let scaled = u128::from(rows) * u128::from(CHART_HEIGHT) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(CHART_HEIGHT)
}

/// A text that a page shows as it is.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
