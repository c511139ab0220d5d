//! Everything that can be wrong with a definition, collected in one walk.

mod fallback;
mod key;
mod pipeline;
mod windows;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::api::Api;
use crate::catalogue::Catalogue;
use crate::definition::{Checked, Definition, Delivery, Schedule, Utc, fallback_name};
use crate::finding::{Finding, FindingCode, Findings, Severity, shown};
use crate::ids::ReportName;
use crate::parse::{Reading, parse_text};
use crate::raw::{RawDefinition, RawDelivery, RawSchedule, find_api};
use crate::time_of_day::TimeOfDay;
use crate::validator::Validator;

impl Definition {
    /// Reads a definition and holds it against the catalogue that comes with this crate.
    ///
    /// Gives every finding at once if one of them is an error.
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Checked, Findings> {
        Self::parse_with(json, Catalogue::builtin())
    }

    /// Reads a definition and holds it against a catalogue.
    pub fn parse_with(json: impl AsRef<[u8]>, catalogue: &Catalogue) -> Result<Checked, Findings> {
        parse(json.as_ref(), catalogue)
    }

    /// Reads a definition that was parsed as JSON already.
    pub fn from_value(value: &Value) -> Result<Checked, Findings> {
        Self::parse(value.to_string())
    }
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What may stand in the report depends on what stands in the pipeline, wherever that comes.
        let value = Value::deserialize(deserializer)?;
        let raw = RawDefinition::read(find_api(&value), &value).map_err(Error::custom)?;
        let validator = Validator {
            findings: Vec::new(),
            spoiled: Vec::new(),
            catalogue: None,
        };
        let checked = validator.conclude(&raw).map_err(Error::custom)?;
        Ok(checked.definition)
    }
}

/// Everything that is worth saying about a definition, held against a catalogue.
#[must_use]
pub fn check(definition: &Definition, catalogue: &Catalogue) -> Vec<Finding> {
    match parse(&definition.canonical_json(), catalogue) {
        Ok(checked) => checked.warnings,
        Err(findings) => findings.0,
    }
}

fn parse(json: &[u8], catalogue: &Catalogue) -> Result<Checked, Findings> {
    let Reading {
        raw,
        findings,
        spoiled,
    } = parse_text(json).map_err(Findings)?;
    let validator = Validator {
        findings,
        spoiled,
        catalogue: Some(catalogue),
    };
    validator.conclude(&raw)
}

impl Validator<'_> {
    fn conclude(mut self, raw: &RawDefinition) -> Result<Checked, Findings> {
        let definition = self.check_definition(raw);
        let failed = self.findings.iter().any(|f| f.severity == Severity::Error);
        match definition {
            Some(definition) if !failed => Ok(Checked {
                definition,
                warnings: self.findings,
            }),
            _ => Err(Findings(self.findings)),
        }
    }

    fn check_definition(&mut self, raw: &RawDefinition) -> Option<Definition> {
        let settled_at = raw.pipeline.as_ref().and_then(|p| p.settled_at.as_deref());
        let settled_at = settled_at
            .and_then(|text| text.parse().ok())
            .unwrap_or(TimeOfDay::FIVE);
        let name = self.check_name(raw);
        let schedule = self
            .require("/schedule", raw.schedule.as_ref())
            .and_then(|s| self.check_schedule(s));
        let report = self
            .require("/report", raw.report.as_ref())
            .and_then(|r| r.validate(self, schedule.as_ref().map(|s| s.recurrence)));
        self.compare_with_settling(raw, schedule.as_ref(), settled_at);
        let delivery = self
            .require("/delivery", raw.delivery.as_ref())
            .and_then(|d| self.check_delivery(d, raw.api()));
        let pipeline = self.check_pipeline(raw, report.as_ref());
        Some(Definition {
            name: name?,
            schedule: schedule?,
            report: report?,
            delivery: delivery?,
            pipeline: pipeline?,
        })
    }

    fn check_name(&mut self, raw: &RawDefinition) -> Option<ReportName> {
        let text = self.require("/name", raw.name.as_ref())?;
        let name = ReportName::new(text.as_str());
        let has_fallback = raw.pipeline.as_ref().is_some_and(|p| p.fallback.is_some());
        if let Err(error) = &name {
            self.report_finding(FindingCode::NameInvalid, "/name", error.to_string(), "");
        } else if has_fallback && ReportName::new(fallback_name(text)).is_err() {
            let message = "too long for a fallback, whose name is this one and \" (fallback)\"";
            self.report_finding(
                FindingCode::NameInvalid,
                "/name",
                message,
                "use at most 89 characters",
            );
        }
        name.ok()
    }

    fn check_schedule(&mut self, raw: &RawSchedule) -> Option<Schedule> {
        let recurrence = self.parse_enum("/schedule/type", raw.recurrence.as_deref());
        let time = self.parse_time("/schedule/time", raw.time.as_ref());
        let timezone = self.require("/schedule/timezone", raw.timezone.as_ref());
        if let Some(zone) = timezone.filter(|zone| *zone != "UTC") {
            let message = format!(
                "the time zone is {:?}, and the data is stored in UTC",
                shown(zone)
            );
            let hint = "use \"UTC\": another zone shifts relative ranges by hours; convert times where the data is used";
            self.report_finding(
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
    fn compare_with_settling(
        &mut self,
        raw: &RawDefinition,
        schedule: Option<&Schedule>,
        settled_at: TimeOfDay,
    ) {
        let range = raw
            .report
            .as_ref()
            .and_then(|r| r.date_range())
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
        self.report_finding(FindingCode::BeforeSettled, "/schedule/time", message, hint);
    }

    fn check_delivery(&mut self, raw: &RawDelivery, api: Api) -> Option<Delivery> {
        let kind = self.parse_enum("/delivery/type", raw.kind.as_deref());
        let format = self.parse_optional_enum("/delivery/format", raw.format.as_deref());
        if raw.format.is_some() && !api.capabilities().has_delivery_formats {
            let message = format!("{api} has one form for its rows, and is not asked for another");
            let hint = "leave it out; pipeline.format says how rows are stored";
            self.report_finding(
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
}
