//! A definition as it was written.
use serde::Deserialize;
#[derive(Deserialize)]
pub(super) struct Draft {}
impl TryFrom<Draft> for super::Definition {
    type Error = super::Findings;
    fn try_from(_: Draft) -> Result<Self, super::Findings> {
        unimplemented!()
    }
}
/// The JSON Schema of a definition.
#[must_use]
pub fn schema() -> String {
    unimplemented!()
}
