//! Which metrics and dimensions a type of report has. Data, not code: a tenant can extend it.
/// What each type of report has.
#[derive(Debug, Clone)]
pub struct Catalogue {}
/// A catalogue's text is not usable.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue is not usable: {0}")]
pub struct CatalogueError(pub(crate) String);
impl Catalogue {
    /// What comes with this crate.
    #[must_use]
    pub fn builtin() -> &'static Self {
        unimplemented!()
    }
    /// This catalogue with a tenant's own additions, in the same form.
    pub fn extended_with(&self, _json: &str) -> Result<Self, CatalogueError> {
        unimplemented!()
    }
}
