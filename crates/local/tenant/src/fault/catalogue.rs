//! The descriptions of faults, before they are given parameters.

use crate::apis::Api;

/// Where a fault acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// It answers instead of the tenant; the request is not processed.
    Answer,
    /// The request is processed; the delivery of the answer is corrupted.
    Wire,
    /// It changes the answer of the token endpoint.
    Token,
    /// It changes the tenant before the request is processed.
    Tenant,
    /// It belongs to a run from its start.
    Run,
    /// It belongs to a run's pages and rows from its start.
    Page,
}

/// One fault of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: &'static str,
    /// The ids of the failures that it causes, in the failure catalogue.
    pub failures: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it takes besides `times`, `at`, `run`, `page` and `on`.
    pub parameters: &'static [Parameter],
    /// The APIs that it can happen to; faults of signing in have all.
    pub apis: &'static [Api],
    pub(crate) layer: Layer,
    pub(crate) on: &'static [&'static str],
    pub(crate) forever: bool,
    pub(crate) page: Option<u64>,
}

/// A parameter of a fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    /// Its value when it isn't given; if this is a number, the value must be one.
    pub default: &'static str,
    /// The values that it may have; empty means any.
    pub choices: &'static [&'static str],
}

impl Entry {
    pub(super) const fn forever(mut self) -> Self {
        self.forever = true;
        self
    }

    /// Restricts the fault to these APIs.
    pub(super) const fn only(mut self, apis: &'static [Api]) -> Self {
        self.apis = apis;
        self
    }

    /// Lets the fault take `page`, with this default.
    pub(super) const fn page(mut self, page: u64) -> Self {
        self.page = Some(page);
        self
    }
}

type Parameters = &'static [Parameter];

const fn entry(
    name: &'static str,
    failures: &'static str,
    layer: Layer,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    Entry {
        name,
        failures,
        about,
        parameters,
        apis: Api::ALL,
        layer,
        on,
        forever: false,
        page: None,
    }
}

pub(super) const fn answer(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Answer, on, about, parameters)
}

pub(super) const fn wire(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Wire, on, about, parameters)
}

pub(super) const fn token(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Token, &["token"], about, parameters).forever()
}

pub(super) const fn tenant(
    name: &'static str,
    failures: &'static str,
    on: &'static [&'static str],
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Tenant, on, about, parameters)
}

pub(super) const fn run(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Run, &[], about, parameters)
}

pub(super) const fn page(
    name: &'static str,
    failures: &'static str,
    about: &'static str,
    parameters: Parameters,
) -> Entry {
    entry(name, failures, Layer::Page, &[], about, parameters)
}

pub(super) const fn value(name: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        default,
        choices: &[],
    }
}

pub(super) const fn choice(name: &'static str, choices: &'static [&'static str]) -> Parameter {
    Parameter {
        name,
        default: choices[0],
        choices,
    }
}

pub(super) const GUIDE: &[Api] = &[Api::Analytics];
/// The APIs that start a run and poll it.
pub(super) const JOBS: &[Api] = &[Api::Analytics, Api::ReportJobs, Api::DataExtraction];
/// The APIs whose result is a CSV file.
pub(super) const FILES: &[Api] = &[
    Api::Analytics,
    Api::ReportJobs,
    Api::DataExtraction,
    Api::DataDownload,
];
/// The APIs that send the file in base64 within JSON.
pub(super) const ENCODED: &[Api] = &[Api::ReportJobs, Api::DataDownload];
/// The APIs that answer with pages of JSON.
pub(super) const PAGES: &[Api] = &[Api::Analytics, Api::Contacts];
pub(super) const API: &[&str] = &["api"];
pub(super) const DATA: &[&str] = &["data"];
pub(super) const RETRY_AFTER: Parameter = choice(
    "retry-after",
    &[
        "seconds", "imf", "rfc850", "asctime", "past", "negative", "fraction", "word", "huge",
        "empty", "none",
    ],
);
