//! How far apart calls are kept.

use std::time::Duration;

use definition::{CALL_BEGINS_WITHIN, Dialect};

/// As long as the pipeline lets pass between two calls of data extraction.
pub(crate) fn extraction_pause() -> Duration {
    let spacing = Dialect::DataExtraction.spacing().unwrap_or_default();
    spacing + CALL_BEGINS_WITHIN.unsigned_abs()
}
