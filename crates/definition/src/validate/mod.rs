//! Everything that can be wrong with a definition, collected in one walk.

mod expectation;
mod fallback;
mod key;
mod pipeline;
mod rows;
mod settling;
mod target;
mod windows;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::api::Api;
use crate::catalogue::Catalogue;
use crate::definition::{Checked, Definition, Delivery, fallback_name};
use crate::enums::Recurrence;
use crate::finding::{Finding, Findings};
use crate::finding_code::{FindingCode, Severity};
use crate::ids::ReportName;
use crate::parse::{Reading, parse_text, parse_value};
use crate::raw::{RawDefinition, RawDelivery, RawPipeline, RawSchedule};
use crate::schedule::{EveryHours, Schedule, Utc};
use crate::text::quote;
use crate::time_of_day::TimeOfDay;
use crate::validator::Validator;
use crate::window_zone::WindowZone;

impl Definition {
    /// Reads a definition and holds it against the catalogue that comes with this crate.
    ///
    /// Gives every finding at once if one of them is an error.
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Checked, Findings> {
        Self::parse_with(json, Catalogue::builtin())
    }

    /// Reads a definition and holds it against a catalogue.
    pub fn parse_with(json: impl AsRef<[u8]>, catalogue: &Catalogue) -> Result<Checked, Findings> {
        let reading = parse_text(json.as_ref()).map_err(Findings)?;
        validate(reading, Some(catalogue))
    }

    /// Reads a definition that was parsed as JSON already.
    pub fn from_value(value: &Value) -> Result<Checked, Findings> {
        Self::parse(value.to_string())
    }
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `pipeline.api` decides what may stand in `report`, whichever of them comes first.
        let value = Value::deserialize(deserializer)?;
        let checked = parse_value(value, Vec::new())
            .map_err(Findings)
            .and_then(|reading| validate(reading, None))
            .map_err(Error::custom)?;
        Ok(checked.definition)
    }
}

/// All findings about a definition, with the metrics and dimensions of a catalogue.
#[must_use]
pub fn check(definition: &Definition, catalogue: &Catalogue) -> Vec<Finding> {
    match Definition::parse_with(definition.canonical_json(), catalogue) {
        Ok(checked) => checked.warnings,
        Err(findings) => findings.0,
    }
}

fn validate(reading: Reading, catalogue: Option<&Catalogue>) -> Result<Checked, Findings> {
    let pipeline = reading.raw.pipeline.as_ref();
    let mut validator = Validator {
        findings: reading.findings,
        spoiled: reading.spoiled,
        catalogue,
        declared: pipeline.and_then(|p| p.declare.as_ref()),
    };
    let definition = validator.check_definition(&reading.raw);
    if let Some(definition) = &definition {
        validator.compare_with_windows(definition);
        validator.warn_of_two_label_lists(definition);
        validator.compare_declarations(definition);
        validator.compare_with_target(definition);
        validator.compare_with_expectation(definition);
    }
    let findings = validator.findings;
    let failed = findings.iter().any(|f| f.severity == Severity::Error);
    match definition {
        Some(definition) if !failed => Ok(Checked {
            definition,
            warnings: findings,
        }),
        _ => Err(Findings(findings)),
    }
}

/// Whether windows are not days of UTC, which is also what a definition may say that leaves the zone out.
fn names_another_zone(raw: &RawPipeline) -> bool {
    let is_utc = |zone: &str| zone.parse().is_ok_and(|zone: WindowZone| zone.is_utc());
    (raw.window_zone.as_deref()).is_some_and(|zone| !is_utc(zone))
}

impl Validator<'_> {
    fn check_definition(&mut self, raw: &RawDefinition) -> Option<Definition> {
        let pipeline = raw.pipeline.as_ref();
        let has_own_rule =
            pipeline.is_some_and(|p| p.settled_after.is_some() || names_another_zone(p));
        let settled_at = pipeline.and_then(|p| p.settled_at.as_deref());
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
        if !has_own_rule {
            self.compare_with_settling(raw, schedule.as_ref(), settled_at);
        }
        let delivery = self
            .require("/delivery", raw.delivery.as_ref())
            .and_then(|d| self.check_delivery(d, raw.api()));
        let pipeline = self.check_pipeline(raw, report.as_ref(), schedule.as_ref());
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
                "the time zone is {}, and the data is stored in UTC",
                quote(zone)
            );
            let hint = "use \"UTC\"; for days of another zone, say pipeline.windowZone";
            self.report_finding(
                FindingCode::TimezoneNotUtc,
                "/schedule/timezone",
                message,
                hint,
            );
        }
        let every_hours = self.check_every_hours(raw, recurrence, time);
        timezone?;
        Some(Schedule {
            recurrence: recurrence?,
            every_hours: every_hours?,
            time: time?,
            timezone: Utc::Utc,
        })
    }

    /// The hours of an hourly schedule; `Some(None)` for any other, and `None` if they are wrong.
    #[expect(
        clippy::option_option,
        reason = "a schedule that is not hourly has none, which is not wrong"
    )]
    fn check_every_hours(
        &mut self,
        raw: &RawSchedule,
        recurrence: Option<Recurrence>,
        time: Option<TimeOfDay>,
    ) -> Option<Option<EveryHours>> {
        const AT: &str = "/schedule/everyHours";
        if recurrence != Some(Recurrence::Hourly) {
            if raw.every_hours.is_some() && recurrence.is_some() {
                let message = "only an hourly schedule has \"everyHours\"";
                self.report_finding(FindingCode::EveryHoursInvalid, AT, message, "take it out");
            }
            return Some(None);
        }
        let number = *self.require(AT, raw.every_hours.as_ref())?;
        let hours = EveryHours::new(number);
        if hours.is_none() {
            let message = format!("{number} hours don't divide a day");
            let hint = "use 1, 2, 3, 4, 6, 8 or 12";
            self.report_finding(FindingCode::EveryHoursInvalid, AT, message, hint);
        }
        if let (Some(hours), Some(time)) = (hours, time)
            && time.hour() >= hours.get()
        {
            let message = format!("{time} is not the first time of the day every {number} hours");
            let hint = "write the first one, such as \"00:50\"";
            self.report_finding(
                FindingCode::EveryHoursInvalid,
                "/schedule/time",
                message,
                hint,
            );
        }
        hours.map(Some)
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
        let Some(schedule) = schedule.filter(|s| {
            range == Some("relative") && s.recurrence != Recurrence::Hourly && s.time < settled_at
        }) else {
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
            let message =
                format!("{api} hands out its rows in one form only, so this has no effect");
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
