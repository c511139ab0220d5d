//! Everything that can be wrong with a definition, collected in one walk.

mod analytics;
mod dates;
mod pipeline;
mod published;

use std::str::FromStr;

use super::{
    Api, Catalogue, Checked, Definition, Delivery, Finding, FindingCode, Findings, Report,
    Schedule, Severity, TimeOfDay, Utc,
};
use crate::ReportName;
use crate::parse::{self, Reading, hint_among};
use crate::raw::{DeliveryDraft, Draft, ReportDraft, ScheduleDraft};

/// Everything that is worth saying about a definition, held against a catalogue.
#[must_use]
pub fn check(definition: &Definition, catalogue: &Catalogue) -> Vec<Finding> {
    match parse(&definition.canonical_json(), catalogue) {
        Ok(checked) => checked.warnings,
        Err(findings) => findings.0,
    }
}

pub(super) fn parse(json: &[u8], catalogue: &Catalogue) -> Result<Checked, Findings> {
    let Reading {
        draft,
        findings,
        spoiled,
    } = parse::read(json).map_err(Findings)?;
    Walk {
        findings,
        spoiled,
        catalogue: Some(catalogue),
    }
    .conclude(&draft)
}

pub(super) fn without_catalogue(draft: &Draft) -> Result<Definition, Findings> {
    let walk = Walk {
        findings: Vec::new(),
        spoiled: Vec::new(),
        catalogue: None,
    };
    walk.conclude(draft).map(|checked| checked.definition)
}

pub(super) fn simplified(definition: &Definition) -> Option<Definition> {
    let dropped = &definition.pipeline.fallback.as_ref()?.drop;
    let mut simple = definition.clone();
    simple.name = ReportName::new(fallback_name(definition.name.as_str())).ok()?;
    let Report::Analytics(report) = &mut simple.report else {
        return None;
    };
    report.metrics.retain(|name| !dropped.contains(name));
    report.dimensions.retain(|name| !dropped.contains(name));
    simple.pipeline.fallback = None;
    Some(simple)
}

fn fallback_name(name: &str) -> String {
    format!("{name} (fallback)")
}

/// One walk over a draft: each step gives its typed part, or `None` after saying why there is none.
struct Walk<'a> {
    findings: Vec<Finding>,
    /// Where a misfit was taken out of the draft, so that it is not reported as missing as well.
    spoiled: Vec<String>,
    /// `None`: metrics and dimensions are taken as they are.
    catalogue: Option<&'a Catalogue>,
}

impl Walk<'_> {
    fn conclude(mut self, draft: &Draft) -> Result<Checked, Findings> {
        let definition = self.definition(draft);
        let failed = self.findings.iter().any(|f| f.severity == Severity::Error);
        match definition {
            Some(definition) if !failed => Ok(Checked {
                definition,
                warnings: self.findings,
            }),
            _ => Err(Findings(self.findings)),
        }
    }

    fn definition(&mut self, draft: &Draft) -> Option<Definition> {
        let settled_at = draft
            .pipeline
            .as_ref()
            .and_then(|p| p.settled_at.as_deref());
        let settled_at = settled_at
            .and_then(|text| text.parse().ok())
            .unwrap_or(TimeOfDay::FIVE);
        let name = self.name(draft);
        let schedule = self
            .block("/schedule", draft.schedule.as_ref())
            .and_then(|s| self.schedule(s));
        let report = self
            .block("/report", draft.report.as_ref())
            .and_then(|r| self.report(r, schedule.as_ref()));
        self.timing(draft, schedule.as_ref(), settled_at);
        let delivery = self
            .block("/delivery", draft.delivery.as_ref())
            .and_then(|d| self.delivery(d, draft.api()));
        let pipeline = self.pipeline(draft, report.as_ref());
        Some(Definition {
            name: name?,
            schedule: schedule?,
            report: report?,
            delivery: delivery?,
            pipeline: pipeline?,
        })
    }

    fn name(&mut self, draft: &Draft) -> Option<ReportName> {
        let text = self.required("/name", draft.name.as_ref())?;
        let name = ReportName::new(text.as_str());
        let wish = draft
            .pipeline
            .as_ref()
            .is_some_and(|p| p.fallback.is_some());
        if let Err(error) = &name {
            self.say(FindingCode::NameInvalid, "/name", error.to_string(), "");
        } else if wish && ReportName::new(fallback_name(text)).is_err() {
            let message = "too long for a fallback, whose name is this one and \" (fallback)\"";
            self.say(
                FindingCode::NameInvalid,
                "/name",
                message,
                "use at most 89 characters",
            );
        }
        name.ok()
    }

    fn schedule(&mut self, draft: &ScheduleDraft) -> Option<Schedule> {
        let recurrence = self.word("/schedule/type", draft.recurrence.as_deref());
        let time = self.time("/schedule/time", draft.time.as_ref());
        let timezone = self.required("/schedule/timezone", draft.timezone.as_ref());
        if let Some(zone) = timezone.filter(|zone| *zone != "UTC") {
            let message = format!(
                "the time zone is {:?}, and the data is stored in UTC",
                crate::finding::shown(zone)
            );
            let hint = "use \"UTC\": another zone shifts relative ranges by hours; convert times where the data is used";
            self.say(
                FindingCode::TimezoneNotUtc,
                "/schedule/timezone",
                message,
                hint,
            );
        }
        timezone?;
        Some(Schedule {
            recurrence: recurrence?,
            time: time?,
            timezone: Utc::Utc,
        })
    }

    /// Warns of a relative range that is scheduled before its data is final.
    fn timing(&mut self, draft: &Draft, schedule: Option<&Schedule>, settled_at: TimeOfDay) {
        let range = draft
            .report
            .as_ref()
            .and_then(ReportDraft::date_range)
            .and_then(|r| r.kind.as_deref());
        let Some(schedule) = schedule.filter(|s| range == Some("relative") && s.time < settled_at)
        else {
            return;
        };
        let message = format!(
            "scheduled at {} UTC, before the data of the day before is final at {settled_at} UTC",
            schedule.time
        );
        let hint = format!(
            "the pipeline waits until {settled_at}; schedule it then, or set pipeline.settledAt"
        );
        self.say(FindingCode::BeforeSettled, "/schedule/time", message, hint);
    }

    fn report(&mut self, draft: &ReportDraft, schedule: Option<&Schedule>) -> Option<Report> {
        match draft {
            ReportDraft::Analytics(draft) => self.analytics(draft, schedule).map(Report::Analytics),
            ReportDraft::ReportJobs(draft) => {
                self.report_jobs(draft, schedule).map(Report::ReportJobs)
            }
            ReportDraft::DataExtraction(draft) => self
                .data_extraction(draft, schedule)
                .map(Report::DataExtraction),
            ReportDraft::DataDownload(draft) => self
                .data_download(draft, schedule)
                .map(Report::DataDownload),
            ReportDraft::Contacts(draft) => self.contacts(draft, schedule).map(Report::Contacts),
        }
    }

    fn delivery(&mut self, draft: &DeliveryDraft, api: Api) -> Option<Delivery> {
        let kind = self.word("/delivery/type", draft.kind.as_deref());
        let format = self.optional_word("/delivery/format", draft.format.as_deref());
        if draft.format.is_some() && api != Api::Analytics {
            let message = format!("{api} has one form for its rows, and is not asked for another");
            let hint = "leave it out; pipeline.format says how rows are stored";
            self.say(
                FindingCode::FormatIgnored,
                "/delivery/format",
                message,
                hint,
            );
        }
        Some(Delivery {
            kind: kind?,
            format: format?,
        })
    }

    fn say(
        &mut self,
        code: FindingCode,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings
            .push(Finding::new(code, pointer, message, hint));
    }

    /// A block or field that must be there; says so if it is not and was not spoiled.
    fn required<'d, T>(&mut self, at: &str, value: Option<&'d T>) -> Option<&'d T> {
        if value.is_none() && !self.is_spoiled(at) {
            let field = at.rsplit_once('/').map_or(at, |(_, field)| field);
            self.say(
                FindingCode::MissingField,
                at,
                format!("{field:?} is missing"),
                "",
            );
        }
        value
    }

    fn block<'d, T>(&mut self, at: &str, value: Option<&'d T>) -> Option<&'d T> {
        self.required(at, value)
    }

    fn is_spoiled(&self, at: &str) -> bool {
        self.spoiled.iter().any(|spoiled| spoiled == at)
    }

    fn time(&mut self, at: &str, text: Option<&String>) -> Option<TimeOfDay> {
        let text = self.required(at, text)?;
        let time = TimeOfDay::from_str(text);
        if let Err(error) = &time {
            self.say(
                FindingCode::TimeInvalid,
                at,
                error.to_string(),
                "such as \"06:00\"",
            );
        }
        time.ok()
    }

    fn word<W: Word>(&mut self, at: &str, text: Option<&str>) -> Option<W> {
        let text = text.map(str::to_owned);
        let text = self.required(at, text.as_ref())?;
        let word = W::from_text(text);
        if word.is_none() {
            let message = format!("unknown word {:?}", crate::finding::shown(text));
            self.say(
                FindingCode::WrongValue,
                at,
                message,
                hint_among(text, W::words()),
            );
        }
        word
    }

    /// `Some(None)` where there is no word, `None` where there is a wrong one.
    #[expect(
        clippy::option_option,
        reason = "absent and wrong are different things, and the wrong one was said already"
    )]
    fn optional_word<W: Word>(&mut self, at: &str, text: Option<&str>) -> Option<Option<W>> {
        match text {
            None => Some(None),
            Some(text) => self.word(at, Some(text)).map(Some),
        }
    }

    /// Says which entries of a list are there twice.
    fn duplicates(&mut self, at: &str, list: &[String]) {
        for (i, entry) in list.iter().enumerate() {
            if list[..i].contains(entry) {
                let message = format!("{:?} is there twice", crate::finding::shown(entry));
                self.say(FindingCode::Duplicate, format!("{at}/{i}"), message, "");
            }
        }
    }

    fn not_empty(&mut self, at: &str, list: &[String]) {
        if list.is_empty() {
            self.say(FindingCode::Empty, at, "the list is empty", "");
        }
    }
}

/// A closed set of words.
trait Word: Sized + Copy + 'static {
    fn from_text(text: &str) -> Option<Self>;
    fn words() -> impl Iterator<Item = &'static str>;
}

macro_rules! is_word {
    ($($name:ident),+) => {
        $(impl Word for super::$name {
            fn from_text(text: &str) -> Option<Self> {
                Self::from_word(text)
            }
            fn words() -> impl Iterator<Item = &'static str> {
                Self::ALL.iter().map(|word| word.as_str())
            }
        })+
    };
}

is_word!(
    Recurrence,
    ReportType,
    RelativeRange,
    Operator,
    DeliveryKind,
    EndDate,
    DeliveryFormat,
    OutputFormat,
    Compression,
    OnConflict,
    Api,
    RangeOf
);
