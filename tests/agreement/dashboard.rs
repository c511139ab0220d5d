//! The dashboard and the alarms show what the handlers count, and all of it.

use std::collections::BTreeSet;

use handler::metrics::{DIMENSIONS, Metric, NAMESPACE};

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

/// What is wrong with the charts of the SAM template. infra/checks compares the CDK's resources with the template's.
fn charts(template: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    let of_ours = format!("{NAMESPACE},{}", DIMENSIONS.join(","));
    for search in between(template, "SEARCH('{", "\\\"'") {
        // Another stack of the account may report the same.
        match search.split_once("} stack=\\\"${AWS::StackName}\\\" MetricName=\\\"") {
            Some((place, name)) if place == of_ours => shown.extend([name]),
            _ => wrong.push(format!("a chart of {search}, which nobody counts")),
        }
    }
    for name in names().symmetric_difference(&shown) {
        wrong.push(format!("{name} is not both counted and on a chart"));
    }
    wrong
}

/// What is wrong with the template's alarms that wait for metrics of ours.
fn alarms(template: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for alarm in between(template, "      Namespace: ", "      Statistic: ") {
        let namespace = alarm.lines().next().unwrap_or_default();
        if namespace.starts_with("AWS/") {
            continue;
        }
        let name = between(alarm, "MetricName: ", "\n").next();
        if namespace != NAMESPACE || !name.is_some_and(|name| names().contains(name)) {
            wrong.push(format!(
                "an alarm of {namespace} {name:?}, which nobody counts"
            ));
        }
        let dimensions: Vec<&str> = between(alarm, "{ Name: ", ",").collect();
        if dimensions != DIMENSIONS {
            wrong.push(format!("an alarm by {dimensions:?}"));
        }
    }
    wrong
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    assert_eq!(charts(&read("infra/template.yaml")), [""; 0]);
    let dashboard = read("infra/cdk/lib/dashboard.ts");
    for name in names() {
        assert!(dashboard.contains(&format!("'{name}'")), "{name}");
    }
}

#[test]
fn alarms_wait_for_metrics_that_are_counted() {
    let template = read("infra/template.yaml");
    assert!(template.contains(&format!("Namespace: {NAMESPACE}\n")));
    assert_eq!(alarms(&template), [""; 0]);
}

/// What is broken, and what is replaced by what, where it stands first.
const MUTATIONS: [(&str, &str, &str); 5] = [
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
        "an alarm of a metric that nobody counts",
        "MetricName: Commits",
        "MetricName: Commit",
    ),
    (
        "an alarm in another namespace",
        "Namespace: CxoneReports",
        "Namespace: CxoneReport",
    ),
    (
        "an alarm by other dimensions",
        "- { Name: tenant,",
        "- { Name: Tenant,",
    ),
];

#[test]
fn each_mutation_is_noticed() {
    let template = read("infra/template.yaml");
    for (broken, from, to) in MUTATIONS {
        assert!(template.contains(from), "{broken}: not in the template");
        let template = template.replacen(from, to, 1);
        let found = [charts(&template), alarms(&template)].concat();
        assert!(!found.is_empty(), "{broken}");
    }
}
