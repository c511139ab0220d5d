//! The reports and entities that a tenant has by default, for the published APIs.

use crate::shape::Shape;

/// A report that is set up in the tenant; `report-jobs` and `report-jobs/datadownload` name it by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub id: u64,
    /// What `reports` says it is.
    pub report_type: String,
    /// Its name and columns.
    pub shape: Shape,
    /// The range it is set up for, in the business unit's zone: a relative range of the guide, like `previousDay`.
    pub range: String,
}

/// An entity of data extraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its version, which a request must name.
    pub version: String,
    /// Its name and columns.
    pub shape: Shape,
}

/// Names as a report's author writes them, with spaces; the key is the first and the third of them.
const AUTHORED: [&[&str]; 3] = [
    &["Agent ID", "Agent Name", "Skill ID", "Skill Name"],
    &[
        "Handle Time",
        "Talk Time",
        "Calls Handled",
        "Avg Handle Time",
    ],
    &["Agent ID", "Skill ID"],
];

/// One row a contact, in a file.
const CONTACTS: [&[&str]; 3] = [
    &["Contact ID", "Agent Name", "Skill Name", "Media Type"],
    &["Handle Time", "Hold Time", "Avg Wait Time"],
    &["Contact ID"],
];

/// One row a contact, in JSON and in extractions.
const INTERACTIONS: [&[&str]; 3] = [
    &[
        "contactId",
        "agentId",
        "agentName",
        "skillName",
        "mediaType",
        "direction",
    ],
    &["handleTime", "holdTime", "avgWaitTime"],
    &["contactId"],
];

fn new_shape(name: &str, [dimensions, metrics, grouping]: [&[&str]; 3]) -> Shape {
    let own = |names: &[&str]| names.iter().map(|name| String::from(*name)).collect();
    Shape {
        name: name.to_owned(),
        dimensions: own(dimensions),
        metrics: own(metrics),
        grouping: own(grouping),
    }
}

/// The reports of a tenant by default: 4711 is a custom report, 540 is for data download.
pub(crate) fn default_templates() -> Vec<Template> {
    let template = |id, report_type: &str, shape| Template {
        id,
        report_type: report_type.to_owned(),
        shape,
        range: "previousDay".to_owned(),
    };
    vec![
        template(4711, "Custom", new_shape("Agent Summary", AUTHORED)),
        template(540, "DataDownload", new_shape("Contact History", CONTACTS)),
    ]
}

/// The entities of a tenant by default.
pub(crate) fn default_entities() -> Vec<Entity> {
    let entity = |name: &str, version: &str| Entity {
        version: version.to_owned(),
        shape: new_shape(name, INTERACTIONS),
    };
    vec![
        entity("recording-interaction-metadata", "7"),
        entity("qm-workflows", "5"),
    ]
}

/// The columns of `contacts/completed`.
pub(crate) fn contact_columns() -> Shape {
    new_shape("contacts", INTERACTIONS)
}
