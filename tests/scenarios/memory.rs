//! Memory does not grow with the rows, whatever the API and the format are. How rows are read depends on the API, and how they are
//! written on the format and the compression: each is there once.

use pipeline_tests::harness::memory::{ROW_HANDLERS, RowsForm};

/// Rows of the smaller report: as many as fill the keys of a part, an upload buffer and a row group of the table.
const FEW: u64 = 250_000;
const MANY: u64 = 500_000;

/// How much more the larger report may take: a second upload buffer of 5 MiB, and what the allocator makes of it. Finalize reads the
/// sidecars of up to sixteen parts at once, each through a connection with a buffer of up to 400 KiB, and the larger report has
/// three parts more. Rows that were kept would take 60 MiB.
const MORE_MEMORY: u64 = 12 << 20;

/// What `publish` may hold. A release build holds up to 57 MiB for six million rows; a development build, which this runs, has more code in memory.
const PUBLISH_MAX: u64 = 80 << 20;

async fn check(api: &'static str, format: &'static str, compression: &'static str) {
    let form = RowsForm {
        api,
        format,
        compression,
    };
    let few = form.measure_peaks(FEW).await;
    let many = form.measure_peaks(MANY).await;
    for (nth, name) in ROW_HANDLERS.iter().enumerate() {
        let (few, many) = (few[nth], many[nth]);
        println!("{form:?}, {name}: {} and {} MiB", few >> 20, many >> 20);
        assert!(
            many <= few + MORE_MEMORY,
            "{name}, {form:?}: {few} bytes for {FEW} rows, {many} for {MANY}"
        );
    }
    let [.., publish] = many;
    assert!(publish <= PUBLISH_MAX, "publish, {form:?}: {publish} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_the_rows_of_analytics_take_the_same_memory() {
    check("analytics", "csv", "none").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_the_contacts_take_the_same_memory() {
    check("contacts", "ndjson", "zstd").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_the_rows_of_an_extraction_take_the_same_memory() {
    check("data-extraction", "ndjson", "none").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_the_rows_of_a_data_download_take_the_same_memory() {
    check("data-download", "csv", "gzip").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twice_the_rows_of_a_report_job_take_the_same_memory() {
    check("report-jobs", "ndjson", "gzip").await;
}
