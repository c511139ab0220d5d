//! The columns of a report.

/// The columns of a report and its key; these decide its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub name: String,
    /// The text columns, in order.
    pub dimensions: Vec<String>,
    /// The number columns, which follow the dimensions.
    pub metrics: Vec<String>,
    /// The columns whose values together are unique in a window; empty means all dimensions.
    pub grouping: Vec<String>,
}

impl Shape {
    /// All columns in the order of a row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.dimensions
            .iter()
            .chain(&self.metrics)
            .map(String::as_str)
    }
}
