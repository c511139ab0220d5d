//! How much memory the deployed executables hold for a report.

use serde_json::{Value, json};

use super::PipelineBuilder;

/// The APIs, by the names that definitions have for them.
pub const APIS: [&str; 5] = [
    "analytics",
    "contacts",
    "data-extraction",
    "data-download",
    "report-jobs",
];

/// How rows are stored.
pub const FORMATS: [&str; 2] = ["ndjson", "csv"];

/// The handlers through which rows go.
pub const ROW_HANDLERS: [&str; 3] = ["fetch-page", "finalize", "publish"];

/// How rows are asked for and how they are stored.
#[derive(Clone, Copy, Debug)]
pub struct RowsForm {
    pub api: &'static str,
    pub format: &'static str,
    pub compression: &'static str,
}

impl RowsForm {
    /// Delivers so many rows and publishes them in a table; gives the most bytes that a process of each of [`ROW_HANDLERS`] held.
    pub async fn measure_peaks(self, rows: u64) -> [u64; 3] {
        let pipeline = self.setup(rows).start().await;
        pipeline.deliver().await;
        let log = pipeline.log();
        assert_eq!((log.len(), log[0].unique), (1, rows), "{self:?}");
        let lambda = pipeline.world.lambda();
        ROW_HANDLERS.map(|name| lambda.peak_memory(name).expect("the system tells"))
    }

    fn setup(self, rows: u64) -> PipelineBuilder {
        let setup = match self.api {
            "analytics" => PipelineBuilder::daily(),
            other => PipelineBuilder::of_api(other),
        };
        let setup = setup
            .rows(rows, 10_000)
            .tenant(|tenant| tenant.gzip = false)
            .define("/pipeline/format", json!(self.format))
            .define("/pipeline/compression", json!(self.compression))
            .define("/pipeline/table", json!({"format": "delta"}));
        match self.columns() {
            Value::Null => setup,
            columns => setup.define("/report/columns", columns),
        }
    }

    /// The columns, which CSV needs, where the example of the API leaves them to CXone.
    fn columns(self) -> Value {
        let options = cxone_sim::Options::default();
        let shape = match (self.format, self.api) {
            ("csv", "contacts") => options.contacts,
            ("csv", "data-extraction") => options.entities[0].shape.clone(),
            _ => return Value::Null,
        };
        [shape.dimensions, shape.metrics].concat().into()
    }
}
