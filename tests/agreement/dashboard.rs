//! The dashboard shows what the handlers count, and all of it; alarms watch what is counted for them.

use std::collections::BTreeSet;

use handler::metrics::{DIMENSIONS, Metric, NAMESPACE, WATCHED};

use crate::read;

fn names() -> BTreeSet<&'static str> {
    Metric::ALL.iter().map(|metric| metric.name()).collect()
}

/// What stands between each `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> impl Iterator<Item = &'a str> {
    let after = after.to_owned();
    let rest = text.split(before).skip(1).collect::<Vec<_>>().into_iter();
    rest.filter_map(move |rest| rest.split_once(&after).map(|(inner, _)| inner))
}

/// What is wrong with the charts of the template.
fn charts(template: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    let of_ours = format!("{NAMESPACE},{}", DIMENSIONS.join(","));
    for search in between(template, "SEARCH('{", "\\\"'") {
        // Another stack of the account may report the same.
        match search.split_once("} stack=\\\"${Name}\\\" MetricName=\\\"") {
            Some((place, name)) if place == of_ours => shown.extend([name]),
            _ => wrong.push(format!("a chart of {search}, which nobody counts")),
        }
    }
    for name in names().symmetric_difference(&shown) {
        wrong.push(format!("{name} is not both counted and on a chart"));
    }
    wrong
}

#[test]
fn each_metric_that_is_counted_for_an_alarm_has_one_and_no_other_has() {
    let template = read("infra/template.yaml");
    let before = format!("Namespace: {NAMESPACE}\n      MetricName: ");
    let watched: BTreeSet<&str> = between(&template, &before, "\n").collect();
    assert_eq!(
        watched,
        WATCHED.iter().map(|metric| metric.name()).collect()
    );
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    assert_eq!(charts(&read("infra/template.yaml")), [""; 0]);
}

/// What is broken, and what is replaced by what, where it stands first.
const MUTATIONS: [(&str, &str, &str); 3] = [
    (
        "a chart of a metric that nobody counts",
        "MetricName=\\\"Pages\\\"",
        "MetricName=\\\"Page\\\"",
    ),
    (
        "a chart by other dimensions",
        "{CxoneReports,stack,tenant,report}",
        "{CxoneReports,tenant}",
    ),
    (
        "a chart of every deployment in the account",
        "stack=\\\"${Name}\\\" MetricName",
        "MetricName",
    ),
];

#[test]
fn each_mutation_is_noticed() {
    let template = read("infra/template.yaml");
    for (broken, from, to) in MUTATIONS {
        assert!(template.contains(from), "{broken}: not in the template");
        let template = template.replacen(from, to, 1);
        assert!(!charts(&template).is_empty(), "{broken}");
    }
}
