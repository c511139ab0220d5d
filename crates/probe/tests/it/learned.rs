//! The simulated tenant is built from a report, and answers alike.

use cxone_sim::{Api, Fault, Options, Tenant};
use probe::{ProbeReport, Ruling};

use crate::world::{Clock, bare_options, client, options, probe_with, to_json};

fn rulings(report: &ProbeReport) -> Vec<(&'static str, Ruling)> {
    report
        .rows()
        .iter()
        .map(|row| (row.id, row.ruling))
        .collect()
}

/// Probes a tenant with the fault, builds one from the report, and compares what the two are found to be. The rulings, or
/// where they differ.
async fn compare_learned(fault: &str) -> Result<Vec<(&'static str, Ruling)>, String> {
    let clock = Clock::new();
    let faults = vec![fault.parse().unwrap()];
    let options = Options {
        faults,
        ..options(&clock)
    };
    let tenant = Tenant::start(options).await.unwrap();
    let (report, _) = probe_with(&client(&tenant), Vec::new(), &clock).await;
    let clock = Clock::new();
    let learned = bare_options(&clock).learn(&to_json(&report)).unwrap();
    let faults: Vec<String> = learned.faults.iter().map(Fault::to_string).collect();
    let rebuilt = Tenant::start(learned).await.unwrap();
    let (again, _) = probe_with(&client(&rebuilt), Vec::new(), &clock).await;
    let pairs = rulings(&report).into_iter().zip(rulings(&again));
    let unlike: Vec<_> = pairs.filter(|(one, other)| one != other).collect();
    if unlike.is_empty() {
        Ok(rulings(&report))
    } else {
        Err(format!("{fault}: learned {faults:?}, {unlike:?}"))
    }
}

/// Every value that a fault's first parameter with choices may have, and none for the others. Nobody waits for long.
fn variants(name: &str, choices: Option<(&str, &[&str])>) -> Vec<String> {
    let short = match name {
        "stalled" | "hang" => ",ms=1",
        "drip" => ",every-ms=0",
        "bomb" => ",mib=1",
        "huge-row" => ",bytes=1024",
        "token-young" => return Vec::new(),
        _ => "",
    };
    let values = choices.map_or(vec![String::new()], |(key, values)| {
        values
            .iter()
            .map(|value| format!(",{key}={value}"))
            .collect()
    });
    let write = |value: String| format!("{name}:times=forever{value}{short}");
    values.into_iter().map(write).collect()
}

#[tokio::test]
async fn a_tenant_that_is_built_from_a_report_is_found_alike_for_every_fault() {
    let clean = compare_learned("cancel-refused").await;
    let (mut shown, mut unlike) = (0, Vec::new());
    for entry in Fault::catalogue().iter().chain(Fault::published()) {
        let choices = entry.parameters.iter().find(|it| !it.choices.is_empty());
        let choices = choices.map(|it| (it.name, it.choices));
        for fault in variants(entry.name, choices) {
            let found = compare_learned(&fault).await;
            shown += usize::from(found != clean);
            unlike.extend(found.err());
        }
    }
    assert!(unlike.is_empty(), "{unlike:#?}");
    assert!(shown > 40, "{shown}");
}

#[tokio::test]
async fn one_api_alone_can_be_learned() {
    let faults = [
        "forbidden",
        "refused",
        "html-200",
        "throttled:retry-after=none",
        "unavailable:status=404",
        "unavailable:status=500,body=none",
        "state-unknown:state=archiving,looks=0",
        "state-unknown:state=acme,looks=0",
    ];
    let mut unlike = Vec::new();
    for api in Api::ALL {
        for fault in faults {
            let (name, parameters) = fault.split_once(':').unwrap_or((fault, ""));
            let fault = format!("{name}:{parameters},times=forever,api={api}");
            unlike.extend(compare_learned(&fault).await.err());
        }
    }
    assert!(unlike.is_empty(), "{unlike:#?}");
}

#[test]
fn what_is_no_report_teaches_nothing() {
    for text in ["", "{}", "[]", r#"{"v":2}"#] {
        let error = bare_options(&Clock::new()).learn(text).unwrap_err();
        assert!(
            error.to_string().starts_with("nothing was learned: "),
            "{error}"
        );
    }
}
