//! What the deployed executables cost, as lines of JSON for `tests/bench/run`. It asserts that the rows landed, and nothing about time.

#![expect(
    clippy::unwrap_used,
    reason = "what can't be measured is a failed test"
)]

use std::env;

use pipeline_tests::harness::PipelineBuilder;
use pipeline_tests::harness::memory::{APIS, FORMATS, ROW_HANDLERS, RowsForm};
use serde_json::json;

#[expect(
    clippy::disallowed_methods,
    reason = "how tests/bench/run says what is measured"
)]
fn setting(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn rows() -> u64 {
    setting("BENCH_ROWS").map_or(20_000, |rows| rows.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_page_is_measured() {
    let rows = rows();
    let compression = setting("BENCH_COMPRESSION").unwrap_or_else(|| "gzip".to_owned());
    let setup = PipelineBuilder::daily()
        .rows(rows, 10_000)
        .tenant(|tenant| tenant.gzip = false)
        .define("/pipeline/compression", json!(compression));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    assert_eq!(pipeline.log()[0].unique, rows);
    for (mark, name) in [("figures", "fetch-page"), ("finalize", "finalize")] {
        let used = pipeline.world.lambda().usage(name).unwrap();
        let figures = json!({
            "rows": rows,
            "cpu": used.cpu.as_secs_f64(),
            "wall": used.busy.as_secs_f64(),
            "mib": used.peak_memory >> 20,
        });
        println!("{mark} {figures}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_measured() {
    let rows = rows();
    let asked = setting("BENCH_APIS");
    let is_asked = |api: &&str| asked.as_ref().is_none_or(|asked| asked.contains(*api));
    for api in APIS.into_iter().filter(is_asked) {
        for format in FORMATS {
            let compression = "gzip";
            let form = RowsForm {
                api,
                format,
                compression,
            };
            let peaks = form.measure_peaks(rows).await;
            let mut figures = json!({"rows": rows, "api": api, "format": format});
            for (name, peak) in ROW_HANDLERS.iter().zip(peaks) {
                figures[*name] = json!(peak.div_ceil(1 << 20));
            }
            println!("memory {figures}");
        }
    }
}
