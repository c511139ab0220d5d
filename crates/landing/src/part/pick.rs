//! Reading a few rows of a part.

use delivery::documents::Part;
use delivery::effects::Answered;

use super::format::{self, Cells};
use super::reader::PartReader;
use super::spec::PartSpec;
use crate::store::Store;

/// Reads the rows of these numbers, which ascend. The part is read up to the last of them.
pub(crate) async fn pick_rows(
    store: &Store,
    spec: &PartSpec,
    part: &Part,
    numbers: &[u32],
) -> Answered<Vec<Cells>> {
    let mut stored = PartReader::new(store, &part.key, part.bytes, spec.compression)?;
    format::pick_rows(spec.format, &mut stored, numbers).await
}
