//! What fetch-page costs for a day, as one line of JSON; `tests/bench/run` compares it with others. It asserts that the rows landed, and
//! nothing about time.

use std::env;

use pipeline_tests::harness::PipelineBuilder;
use serde_json::json;

#[expect(
    clippy::disallowed_methods,
    reason = "how tests/bench/run says what is measured"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_page_is_measured() {
    let rows = env::var("BENCH_ROWS").map_or(20_000, |rows| rows.parse().unwrap());
    let compression = env::var("BENCH_COMPRESSION").unwrap_or_else(|_| "gzip".to_owned());
    let setup = PipelineBuilder::daily()
        .rows(rows, 10_000)
        .tenant(|tenant| tenant.gzip = false)
        .define("/pipeline/compression", json!(compression));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    assert_eq!(pipeline.commit().unique, rows);
    let lambda = pipeline.world.lambda();
    let used = lambda.usage("fetch-page").unwrap();
    let figures = json!({
        "rows": rows,
        "cpu": used.cpu.as_secs_f64(),
        "wall": used.busy.as_secs_f64(),
        "mib": used.peak_memory >> 20,
    });
    println!("figures {figures}");
}
