//! One row, and many.

use std::time::Instant;

use pipeline_tests::harness::PipelineBuilder;

/// How much more memory five times the rows may take: less than one more upload buffer of 5 MiB would. Against 200,000 rows it was
/// nothing beside other builds; against 100,000 rows 0.8 MiB, and 0.4 MiB with six busy loops. Rows that were kept would take hundreds.
const MORE_MEMORY: u64 = 5 << 20;

/// So many rows land, byte for byte; gives the most memory that fetch-page and finalize held.
async fn check(rows: u64) -> (u64, u64) {
    let started = Instant::now();
    let setup = PipelineBuilder::daily()
        .rows(rows, 10_000)
        .tenant(|tenant| tenant.gzip = false);
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let delivered = started.elapsed().as_secs_f64();
    let commit = pipeline.commit();
    assert_eq!(commit.unique, rows);
    let peak = |name| pipeline.world.lambda().peak_memory(name).unwrap();
    let peaks = (peak("fetch-page"), peak("finalize"));
    println!(
        "{rows} rows: delivered in {delivered:.1} s, checked in {:.1} s, fetch-page {:.1} MiB, finalize {:.1} MiB",
        started.elapsed().as_secs_f64() - delivered,
        mebibytes(peaks.0),
        mebibytes(peaks.1),
    );
    peaks
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[tokio::test]
async fn one_row_lands() {
    check(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_rows_land_in_the_memory_of_two_hundred_thousand() {
    // So many fill both upload buffers, so that the difference is what grows with the rows.
    let few = check(200_000).await;
    let many = check(1_000_000).await;
    assert!(
        many.0 <= few.0 + MORE_MEMORY,
        "fetch-page: {} and {} bytes",
        few.0,
        many.0
    );
}
