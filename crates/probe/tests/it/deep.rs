//! What `--deep` adds, with the definitions of the examples.

use cxone_sim::{Api, Options, Tenant};
use definition::Definition;
use probe::Ruling::{AsAssumed, Differs, Refused};

use crate::world::{Clock, bare_options, client, ids, probe_with};

fn definition(api: &str) -> Definition {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let path = match api {
        "analytics" => format!("{root}/infra/reports/daily-agent-performance.json"),
        other => format!("{root}/crates/local/definitions/{other}.json"),
    };
    Definition::parse(std::fs::read(path).unwrap())
        .unwrap()
        .definition
}

#[tokio::test]
async fn deep_settles_the_rows_that_need_something_started() {
    let clock = Clock::new();
    let tenant = Tenant::start(bare_options(&clock)).await.unwrap();
    let deep = Api::ALL.iter().map(|api| definition(api.name()));
    let (report, spoken) = probe_with(&client(&tenant), deep.collect(), &clock).await;
    assert_eq!(
        ids(&report, Differs) + &ids(&report, Refused),
        "",
        "{report} {spoken:?}"
    );
    let assumed = ids(&report, AsAssumed);
    for row in [
        "P-13", "P-14", "P-15", "P-24", "P-25", "P-31", "P-41", "P-45", "P-46", "P-55",
    ] {
        assert!(assumed.contains(row), "{row}: {report} {spoken:?}");
    }
    assert_eq!(tenant.spacing_violations(), 0);
}

#[tokio::test]
async fn a_run_that_takes_long_is_cancelled() {
    let clock = Clock::new();
    let faults = vec!["processing-forever".parse().unwrap()];
    let tenant = Tenant::start(Options {
        faults,
        ..bare_options(&clock)
    })
    .await
    .unwrap();
    let (report, _) = probe_with(&client(&tenant), vec![definition("analytics")], &clock).await;
    assert!(
        ids(&report, AsAssumed).contains("P-13 P-14 P-16"),
        "{report}"
    );
    let runs = tenant.runs();
    let run = runs.iter().find(|run| run.api == Api::Analytics);
    assert_eq!(run.unwrap().state, "cancelled");
}

#[tokio::test]
async fn what_deep_finds_is_told_by_its_row() {
    for (fault, api, ruling, row) in [
        ("definition-refused", "analytics", Differs, "P-13"),
        ("forbidden:on=start-run", "report-jobs", Refused, "P-24"),
        ("state-unknown:looks=0", "data-extraction", Differs, "P-41"),
        ("bare-id:as=null", "data-extraction", Differs, "P-45"),
        ("base64:as=truncated", "data-download", Differs, "P-31"),
    ] {
        let clock = Clock::new();
        let faults = vec![fault.parse().unwrap()];
        let tenant = Tenant::start(Options {
            faults,
            ..bare_options(&clock)
        })
        .await
        .unwrap();
        let (report, spoken) = probe_with(&client(&tenant), vec![definition(api)], &clock).await;
        assert!(
            ids(&report, ruling).contains(row),
            "{fault}: {report} {spoken:?}"
        );
        assert!(!spoken.lines().is_empty(), "{fault}");
    }
}
