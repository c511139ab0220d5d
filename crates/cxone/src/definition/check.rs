//! Everything that can be wrong with a definition.
use super::{Catalogue, Checked, Definition, Finding, Findings};
/// Everything that is worth saying about a definition.
#[must_use]
pub fn check(_definition: &Definition, _catalogue: &Catalogue) -> Vec<Finding> {
    unimplemented!()
}
pub(super) fn parse(_json: &[u8], _catalogue: &Catalogue) -> Result<Checked, Findings> {
    unimplemented!()
}
pub(super) fn simplified(_definition: &Definition) -> Option<Definition> {
    unimplemented!()
}
