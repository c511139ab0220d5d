//! "There is nothing" in all the ways that an API may say it, and rows that look like totals.

use serde_json::json;

use pipeline_tests::harness::PipelineBuilder;

fn setup(api: &str, fault: &str, pointer: &str, texts: &[&str]) -> PipelineBuilder {
    let setup = match api {
        "analytics" => PipelineBuilder::daily(),
        api => PipelineBuilder::of_api(api),
    };
    let setup = setup.rows(60, 20).fault(fault);
    setup.define(pointer, json!(texts))
}

/// D06: texts that the definition names are an empty result, at the first run.
#[tokio::test]
async fn a_message_that_means_no_data_is_an_empty_day() {
    for (api, fault, text) in [
        (
            "analytics",
            "run-fails:message=No data available for this window,times=forever",
            "no data AVAILABLE",
        ),
        (
            "data-extraction",
            "run-fails:message=No data available for this window,times=forever",
            "No data available",
        ),
        (
            "data-extraction",
            "run-fails:word=CANCELLED,message=nothing found,times=forever",
            "nothing found",
        ),
        (
            "data-download",
            "error-message:text=The report has no rows,times=forever",
            "has no rows",
        ),
        (
            "data-extraction",
            "completed-bare:times=forever",
            "SUCCEEDED without a link",
        ),
        // Words that nobody has documented.
        (
            "report-jobs",
            "run-fails:message=No data available for dates,times=forever",
            "no data available",
        ),
        (
            "report-jobs",
            "run-fails:word=Cancelled,times=forever",
            "cancelled",
        ),
        (
            "analytics",
            "run-fails:word=canceled,message=no data,times=forever",
            "no data",
        ),
        (
            "data-extraction",
            "run-fails:word=ABORTED,message=no data,times=forever",
            "no data",
        ),
    ] {
        let texts = ["something else", text];
        let setup = setup(api, fault, "/pipeline/emptyMessages", &texts);
        let pipeline = setup.start().await;
        let ended = pipeline.fire().await;
        assert_eq!(ended.state, "Delivered", "{api} {fault}: {ended:?}");
        let log = pipeline.log();
        assert_eq!((log[0].empty, log[0].runs.len()), (true, 1), "{api}");
        assert_eq!(pipeline.world.alerts(), [], "{api} {fault}");
    }
}

/// D06: a state that nobody has documented and that says none of the texts is waited for, as without them.
#[tokio::test]
async fn a_state_that_nobody_knows_is_no_empty_day_by_itself() {
    for api in ["analytics", "report-jobs", "data-extraction"] {
        let fault = "state-unknown:looks=3";
        let texts = ["no data available"];
        let pipeline = setup(api, fault, "/pipeline/emptyMessages", &texts)
            .start()
            .await;
        let ended = pipeline.fire().await;
        assert_eq!(ended.state, "Delivered", "{api}: {ended:?}");
        let commit = pipeline.log().remove(0);
        assert_eq!((commit.empty, commit.unique), (false, 60), "{api}");
        assert_eq!(pipeline.tenant().runs().len(), 1, "{api}");
    }
}

/// D06: a run that is done and never has a file ends by a name of its own, long before its deadline.
#[tokio::test]
async fn a_run_without_a_file_is_looked_at_three_times() {
    let fault = "completed-bare:times=forever";
    let texts = ["something else"];
    let setup = setup("data-extraction", fault, "/pipeline/emptyMessages", &texts);
    let pipeline = setup.start().await;
    let started = pipeline.world.clock().now();
    pipeline.fail("Cxone.RunsExhausted").await;
    let taken = pipeline.world.clock().now().duration_since(started);
    assert!(taken.as_mins() < 30, "given up after {taken}");
    let alerts = pipeline.world.alerts();
    assert_eq!(alerts.len(), 3);
    let told =
        "ended without its data: no_result (look at data extraction: SUCCEEDED without a link)";
    assert!(alerts[0].message.contains(told), "{alerts:?}");
}

/// D11: which rows are totals is for the definition to say, and a row that only looks like one is a row.
#[tokio::test]
async fn a_total_is_what_the_definition_calls_one() {
    const UNSET: &[&str] = &["unset"];
    for (api, label, labels, rows, totals) in [
        ("report-jobs", "Total", UNSET, 60, 1),
        ("report-jobs", "Summary", &[][..], 61, 0),
        ("report-jobs", "Gesamt", &["gesamt:"][..], 60, 1),
        ("report-jobs", "Total", &["Gesamt"][..], 61, 0),
        ("data-download", "Summary", &[][..], 61, 0),
        ("data-extraction", "Summary", UNSET, 61, 0),
        ("data-extraction", "Total", &["Total"][..], 60, 1),
    ] {
        let fault = format!("total-row:label={label}");
        let setup = PipelineBuilder::of_api(api).rows(60, 20).fault(&fault);
        let setup = match labels {
            UNSET => setup,
            labels => setup.define("/pipeline/totalLabels", json!(labels)),
        };
        let pipeline = setup.start().await;
        pipeline.deliver().await;
        let commit = pipeline.log().remove(0);
        let counted = (commit.unique, commit.summary_rows);
        assert_eq!(counted, (rows, totals), "{api} {label} {labels:?}");
    }
}
