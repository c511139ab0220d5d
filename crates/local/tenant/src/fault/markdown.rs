//! The catalogue of faults as a table for people.

use super::all_entries;
use super::catalogue::{Entry, Parameter};
use crate::apis::Api;

/// The catalogue as a Markdown table: the README holds it, and `--list-faults` prints it.
#[must_use]
pub fn fault_table() -> String {
    let mut table = String::from(
        "| fault | failures | APIs | what happens | parameters |\n| --- | --- | --- | --- | --- |\n",
    );
    for entry in all_entries() {
        let page = entry.page.map(|page| format!("`page={page}`"));
        let forever = entry.forever.then(|| "`times=forever`".to_owned());
        let parameters: Vec<String> = entry
            .parameters
            .iter()
            .map(Parameter::shown)
            .chain(page)
            .chain(forever)
            .collect();
        table.extend([format!(
            "| `{}` | {} | {} | {} | {} |\n",
            entry.name,
            entry.failures,
            entry.describe_apis(),
            entry.about,
            parameters.join(" ")
        )]);
    }
    table
}

impl Entry {
    fn describe_apis(&self) -> String {
        if self.apis.len() == Api::ALL.len() {
            return "all".to_owned();
        }
        let names: Vec<&str> = self.apis.iter().map(|api| api.name()).collect();
        names.join(", ")
    }
}

impl Parameter {
    /// Its name with its default or its choices.
    fn shown(&self) -> String {
        let values = if self.choices.is_empty() {
            self.default.to_owned()
        } else {
            self.choices.join("\\|")
        };
        format!("`{}={values}`", self.name)
    }
}
