//! Faults on request: `NAME[:key=value[,key=value]]`.

mod active;
mod call;
mod catalogue;
mod markdown;
mod table;

use std::fmt;
use std::str::FromStr;

pub(crate) use active::ActiveFault;
pub(crate) use call::CallContext;
pub(crate) use catalogue::Layer;
pub use catalogue::{Entry, Parameter};
pub use markdown::fault_table;

use crate::apis::Api;
use call::On;

/// One way to misbehave, with its parameters.
///
/// These parameters are common to all faults: `times` (how often it fires, a number or `forever`), `at` (the
/// first matching request that it fires on, from 1), `run` (only this run, from 1) and `api` (only this API). Faults of
/// requests also take `on` (kinds of requests, separated by `|`) and `page` (only requests for this page's rows, from 0).
/// Faults of runs and pages are decided when the run starts and stay with it; `times` and `at` count runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    entry: &'static Entry,
    when: When,
    values: Vec<(&'static str, String)>,
}

/// When a fault fires.
#[derive(Debug, Clone, PartialEq, Eq)]
struct When {
    at: u64,
    times: u64,
    run: Option<u64>,
    page: Option<u64>,
    on: Option<Vec<On>>,
    api: Option<Api>,
}

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFaultError(String);

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseFaultError {}

fn all_entries() -> impl Iterator<Item = &'static Entry> {
    table::GUIDES.iter().chain(table::PUBLISHED)
}

fn parse_error<T>(why: String) -> Result<T, ParseFaultError> {
    Err(ParseFaultError(why))
}

impl Fault {
    /// The faults of the guide's API; most of them can happen to the others too.
    #[must_use]
    pub fn catalogue() -> &'static [Entry] {
        table::GUIDES
    }

    /// The faults that can only happen to the published APIs.
    #[must_use]
    pub fn published() -> &'static [Entry] {
        table::PUBLISHED
    }

    /// All faults that can happen to an API.
    pub fn of(api: Api) -> impl Iterator<Item = &'static Entry> {
        all_entries().filter(move |entry| entry.apis.contains(&api))
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    pub(crate) fn layer(&self) -> Layer {
        self.entry.layer
    }

    /// The page that a fault of pages acts on.
    pub(crate) fn page(&self) -> u64 {
        self.when.page.or(self.entry.page).unwrap_or(0)
    }

    pub(crate) fn text(&self, parameter: &str) -> &str {
        let given = self
            .values
            .iter()
            .find(|(name, _)| *name == parameter)
            .map(|(_, value)| value.as_str());
        let default = || {
            self.entry
                .parameters
                .iter()
                .find(|known| known.name == parameter)
                .map(|known| known.default)
        };
        given.or_else(default).unwrap_or_default()
    }

    pub(crate) fn number(&self, parameter: &str) -> u64 {
        // Numbers were checked when the fault was parsed.
        self.text(parameter).parse().unwrap_or(0)
    }

    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.number("status")).unwrap_or(500)
    }

    fn set_parameter(&mut self, key: &str, value: &str) -> Result<(), ParseFaultError> {
        let name = self.entry.name;
        let requests = matches!(
            self.entry.layer,
            Layer::Answer | Layer::Wire | Layer::Token | Layer::Tenant
        );
        if let Some(parameter) = self.entry.parameters.iter().find(|known| known.name == key) {
            parameter.check(name, value)?;
            self.values.push((parameter.name, value.to_owned()));
            return Ok(());
        }
        match key {
            "times" if value == "forever" => self.when.times = u64::MAX,
            "times" => self.when.times = parse_whole(name, key, value)?,
            "at" => self.when.at = parse_whole(name, key, value)?,
            "run" => self.when.run = Some(parse_whole(name, key, value)?),
            "page" if requests || self.entry.page.is_some() => {
                self.when.page = Some(parse_whole(name, key, value)?);
            }
            "api" => self.when.api = Some(find_api(name, value)?),
            "on" if requests => {
                let on: Result<Vec<On>, _> = value.split('|').map(str::parse).collect();
                self.when.on = Some(on?);
            }
            _ => {
                let own = self.entry.parameters.iter().map(|known| known.name);
                let known: Vec<&str> = own
                    .chain(["times", "at", "run", "page", "on", "api"])
                    .collect();
                return parse_error(format!(
                    "fault {name}: no parameter {key:?}; it knows {}",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn check(&self, fault: &str, value: &str) -> Result<(), ParseFaultError> {
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            return parse_error(format!(
                "fault {fault}: {}={value:?} is none of {}",
                self.name,
                self.choices.join(", ")
            ));
        }
        if self.choices.is_empty() && self.default.parse::<u64>().is_ok() {
            parse_whole(fault, self.name, value)?;
        }
        Ok(())
    }
}

fn find_api(fault: &str, value: &str) -> Result<Api, ParseFaultError> {
    let mut all = Api::ALL.iter().copied();
    let Some(api) = all.find(|api| api.name() == value) else {
        let names: Vec<&str> = Api::ALL.iter().map(|api| api.name()).collect();
        return parse_error(format!(
            "fault {fault}: api={value:?} is none of {}",
            names.join(", ")
        ));
    };
    Ok(api)
}

fn parse_whole(fault: &str, key: &str, value: &str) -> Result<u64, ParseFaultError> {
    value.parse().or_else(|_| {
        parse_error(format!(
            "fault {fault}: {key}={value:?} is not a whole number"
        ))
    })
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
        let Some(entry) = all_entries().find(|entry| entry.name == name) else {
            let names: Vec<&str> = all_entries().map(|entry| entry.name).collect();
            return parse_error(format!("no fault {name:?}; there are {}", names.join(", ")));
        };
        let times = if entry.forever { u64::MAX } else { 1 };
        let mut fault = Self {
            entry,
            when: When {
                at: 1,
                times,
                run: None,
                page: None,
                on: None,
                api: None,
            },
            values: Vec::new(),
        };
        for pair in parameters.split(',').filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return parse_error(format!("fault {name}: {pair:?} is not key=value"));
            };
            fault.set_parameter(key, value)?;
        }
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)?;
        let mut pairs: Vec<String> = self
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let When {
            at,
            times,
            run,
            page,
            on,
            api,
        } = &self.when;
        let default = if self.entry.forever { u64::MAX } else { 1 };
        if *times != default {
            pairs.push(if *times == u64::MAX {
                "times=forever".into()
            } else {
                format!("times={times}")
            });
        }
        if *at != 1 {
            pairs.push(format!("at={at}"));
        }
        pairs.extend(run.map(|run| format!("run={run}")));
        pairs.extend(page.map(|page| format!("page={page}")));
        pairs.extend(on.as_ref().map(|on| {
            format!(
                "on={}",
                on.iter().map(|on| on.name()).collect::<Vec<_>>().join("|")
            )
        }));
        pairs.extend(api.map(|api| format!("api={api}")));
        if pairs.is_empty() {
            return Ok(());
        }
        write!(f, ":{}", pairs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = text
            .parse::<Fault>()
            .map_or_else(|error| error.to_string(), |fault| fault.to_string());
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn a_fault_is_read_and_written_alike() {
        check("throttled", "throttled");
        check(
            "throttled:seconds=30,times=forever,on=page|look,run=2",
            "throttled:seconds=30,times=forever,run=2,on=page|look",
        );
        check(
            "forbidden:api=contacts,on=page",
            "forbidden:on=page,api=contacts",
        );
        check(
            "duplicates:rows=2,page=3,at=2",
            "duplicates:rows=2,at=2,page=3",
        );
    }

    #[test]
    fn an_error_says_what_there_is() {
        check("throtled", "no fault \"throtled\"; there are throttled,");
        check(
            "throttled:secs=1",
            "fault throttled: no parameter \"secs\"; it knows ",
        );
        check(
            "throttled:seconds=x",
            "fault throttled: seconds=\"x\" is not a whole number",
        );
        check(
            "throttled:retry-after=x",
            "fault throttled: retry-after=\"x\" is none of seconds,",
        );
        check(
            "throttled:api=x",
            "fault throttled: api=\"x\" is none of analytics,",
        );
        check("throttled:on=pages", "on=\"pages\" is none of token,");
        check(
            "throttled:times",
            "fault throttled: \"times\" is not key=value",
        );
        check("run-fails:on=page", "fault run-fails: no parameter \"on\"");
    }

    #[test]
    fn the_catalogue_is_complete_in_itself() {
        for entry in all_entries() {
            assert!(
                !entry.about.is_empty() && entry.failures.starts_with(['A', 'B', 'D', 'P']),
                "{}",
                entry.name
            );
            assert_eq!(entry.name.parse::<Fault>().unwrap().name(), entry.name);
            assert!(
                entry.on.iter().all(|on| on.parse::<On>().is_ok()),
                "{}",
                entry.name
            );
            for parameter in entry.parameters {
                assert!(
                    parameter.choices.is_empty() || parameter.choices.contains(&parameter.default),
                    "{}",
                    entry.name
                );
            }
        }
    }
}
