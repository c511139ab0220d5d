//! What dashboards and alarms get to see.

use std::collections::BTreeMap;

use handler::metrics::Metric;
use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered};

/// The lines of a world, each checked for its form.
fn lines(pipeline: &Pipeline) -> Vec<(String, Value)> {
    let lines = pipeline.world.lambda().logs().metrics();
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| (line.function, serde_json::from_str(&line.text).unwrap()))
        .collect();
    for (function, line) in &lines {
        check_form(function, line);
    }
    lines
}

/// Each figure is declared with its unit, and each declared figure is there.
fn check_form(function: &str, line: &Value) {
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "CxoneReports", "{function}: {line}");
    assert_eq!(
        directive["Dimensions"],
        json!([["stack", "tenant", "report"]])
    );
    assert!(line["_aws"]["Timestamp"].is_u64());
    assert_eq!(line["stack"], "report", "{function}");
    assert!(line["tenant"].is_string() && line["report"].is_string());
    let declared = directive["Metrics"].as_array().unwrap();
    for metric in declared {
        let known = Metric::ALL
            .iter()
            .find(|known| metric["Name"] == known.name());
        let known = known.unwrap_or_else(|| panic!("{function}: {metric} is not listed"));
        assert_eq!(metric["Unit"], known.unit());
        assert!(line[known.name()].is_u64(), "{function}: {line}");
    }
    let figures = line.as_object().unwrap().values();
    let figures = figures.filter(|value| value.is_number()).count();
    assert_eq!(figures, declared.len(), "{function}: {line}");
}

/// The sums over a world, as a dashboard has them.
fn sums(pipeline: &Pipeline) -> BTreeMap<&'static str, u64> {
    let lines = lines(pipeline);
    let sum = |metric: &Metric| {
        let of_line = |(_, line): &(String, Value)| line[metric.name()].as_u64();
        let told: Vec<u64> = lines.iter().filter_map(of_line).collect();
        (!told.is_empty()).then(|| (metric.name(), told.iter().sum()))
    };
    Metric::ALL.iter().filter_map(sum).collect()
}

#[tokio::test]
async fn the_figures_of_a_day_are_those_of_its_commit() {
    let setup = PipelineBuilder::daily()
        .rows(250, 100)
        .fault("throttled:on=page,at=2,seconds=45")
        .fault("duplicates:rows=3,page=1");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    let sums = sums(&pipeline);
    let bytes: u64 = commit.parts.iter().map(|part| part.bytes).sum();
    let pages: u64 = commit.runs.iter().map(|run| run.pages).sum();
    for (name, figure) in [
        (
            "RunsStarted",
            u64::try_from(pipeline.tenant().runs().len()).unwrap(),
        ),
        ("Commits", 1),
        ("CommittedRows", commit.unique),
    ] {
        assert_eq!(sums.get(name), Some(&figure), "{name} of {sums:?}");
    }
    assert!(sums["Throttles"] >= 1 && sums["Polls"] >= 1, "{sums:?}");
    assert!(
        sums["Pages"] >= pages && sums["Rows"] >= commit.rows,
        "{sums:?}"
    );
    assert!(sums["Bytes"] >= bytes && sums["RunSeconds"] > 0, "{sums:?}");
    assert!(!sums.contains_key("RunsCutOff"), "{sums:?}");
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn a_run_that_is_cut_off_is_counted_and_named() {
    let pipeline = PipelineBuilder::daily()
        .fault("processing-forever:run=1")
        .start()
        .await;
    pipeline.deliver().await;
    let sums = sums(&pipeline);
    assert_eq!(
        (sums["RunsCutOff"], sums["RunsEnded"], sums["Commits"]),
        (1, 1, 1),
        "{sums:?}"
    );
    let lines = lines(&pipeline);
    let ended = lines.iter().find(|(_, line)| line["RunsEnded"] == 1);
    let (function, line) = ended.unwrap();
    assert_eq!(
        (function.as_str(), &line["reason"]),
        ("trigger", &json!("timed_out"))
    );
}

#[tokio::test]
async fn a_day_that_is_not_committed_says_so() {
    let setup = PipelineBuilder::daily().fault("conflict:rows=1,page=1");
    let pipeline = setup.start().await;
    pipeline.fail("Cxone.Conflict").await;
    let sums = sums(&pipeline);
    assert_eq!(sums.get("Commits"), Some(&0), "{sums:?}");
    assert!(!sums.contains_key("CommittedRows"), "{sums:?}");
    let lines = lines(&pipeline);
    let failed = lines
        .iter()
        .find(|(_, line)| line["failure"] == "Cxone.Conflict");
    assert_eq!(failed.unwrap().0, "finalize");
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn only_the_first_delivery_of_a_window_counts_as_a_commit() {
    let pipeline = PipelineBuilder::daily().start().await;
    // A restatement makes up for a day that its own schedule did not deliver: it is not counted as one in time.
    let restatement = pipeline.event().with_restatement("P1D");
    delivered(pipeline.play(restatement.to_json()).await);
    assert_eq!(sums(&pipeline)["Commits"], 0);
    pipeline.deliver().await;
    assert_eq!(sums(&pipeline)["Commits"], 1);
    pipeline.replay("the same rows again").await;
    pipeline.tenant().set_rows(300);
    pipeline.replay("other rows").await;
    delivered(pipeline.withdraw(day_before(0), "mistake").await);
    pipeline.replay("back again").await;
    assert_eq!(pipeline.log().len(), 6);
    assert_eq!(sums(&pipeline)["Commits"], 1);
}
