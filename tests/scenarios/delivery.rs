//! Results that are downloaded as CSV.

use cxone_sim::Kind;
use serde_json::json;
use serde_json::value::RawValue;

use crate::canaries::Canaries;
use crate::good_day::record;
use pipeline_tests::harness::{Pipeline, PipelineBuilder};

/// A definition whose result is a file.
fn setup() -> PipelineBuilder {
    PipelineBuilder::daily().define("/delivery/format", json!("csv"))
}

/// A row as it comes out of a file: the same values, texts without needless escapes.
fn row(row: &[u8], columns: &[String]) -> Vec<u8> {
    let row: std::collections::BTreeMap<String, &RawValue> = serde_json::from_slice(row).unwrap();
    let cell = |column: &String| {
        let value = row[column].get();
        if !value.starts_with('"') {
            return format!("\"{column}\":{value}");
        }
        let text: String = serde_json::from_str(value).unwrap();
        format!("\"{column}\":{}", json!(text))
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    format!("{{{}}}", cells.join(",")).into_bytes()
}

/// The file's rows land as JSON.
async fn check(setup: PipelineBuilder) -> Pipeline {
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let log = pipeline.log();
    let [commit] = &log[..] else {
        panic!("{log:#?}");
    };
    let truth = pipeline
        .tenant()
        .truth(commit.runs[0].run_id.as_str())
        .unwrap();
    pipeline.check_lines(commit, truth.map(|truth| row(&truth, &commit.columns)));
    pipeline
}

#[tokio::test]
async fn a_downloaded_file_lands_as_json() {
    let pipeline = check(setup().rows(2_000, 500)).await;
    assert_eq!(pipeline.requests(Kind::Page), []);
    let downloads = pipeline.requests(Kind::Download);
    assert!(downloads.iter().all(|download| !download.authorized));
    Canaries::of(&pipeline)
        .and("sig=")
        .and("/download/")
        .check(&pipeline);
}

#[tokio::test]
async fn a_downloaded_file_lands_as_csv() {
    let setup = setup()
        .rows(2_000, 500)
        .define("/pipeline/format", json!("csv"));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = &pipeline.log()[0];
    pipeline.check_parts(commit);
    let part = pipeline.world.part(&commit.parts[0]).unwrap();
    let truth = pipeline
        .tenant()
        .truth(commit.runs[0].run_id.as_str())
        .unwrap();
    let header = format!("{}\n", commit.columns.join(",")).into_bytes();
    let truth = truth.map(|row| record(&row, &commit.columns));
    let expected: Vec<u8> = std::iter::once(header).chain(truth).flatten().collect();
    assert!(part == expected, "the file is not the tenant's");
}

#[tokio::test]
async fn an_empty_file_is_an_empty_day() {
    let pipeline = check(setup().rows(0, 100)).await;
    assert!(pipeline.log()[0].empty);
}

#[tokio::test]
async fn a_file_may_be_written_in_another_way() {
    for fault in [
        "csv-lf",
        "csv-bom",
        "csv-repeated-header",
        "gzip-members:on=download",
    ] {
        check(setup().fault(fault)).await;
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_made_again() {
    for fault in [
        "reset-mid-body:on=download,bytes=9000",
        "short-body:on=download",
        "unavailable:on=download,times=2",
    ] {
        check(setup().fault(fault)).await;
    }
}

#[tokio::test]
async fn nobody_follows_a_link_to_elsewhere() {
    for (to, error) in [
        ("other-host", "Cxone.Config"),
        ("metadata", "Cxone.Contract"),
        ("relative", "Cxone.Contract"),
        ("decoy", "Cxone.Contract"),
    ] {
        let pipeline = setup()
            .fault(&format!("download-url:to={to},times=forever"))
            .start()
            .await;
        pipeline.fail(error).await;
        assert_eq!(pipeline.tenant().decoy_hits(), 0, "{to}");
        assert!(pipeline.log().is_empty());
    }
}
