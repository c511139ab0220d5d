//! What the statements have to know of a version, as variables of psql or as places that the state machine fills in.

/// Each as the statements spell it.
pub(super) struct VersionValues {
    /// The report's folder.
    pub(super) report: String,
    pub(super) manifest: String,
    pub(super) number: String,
    /// How many rows its parts have.
    pub(super) unique: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) committed_at: String,
    pub(super) generation: String,
    pub(super) run_count: String,
    pub(super) rows: String,
    pub(super) duplicates: String,
    pub(super) replaced: String,
    pub(super) verification: String,
    pub(super) unchanged: String,
    pub(super) withdrawn: String,
}

/// What stands before and behind the name of a place: no name and no constant of SQL has it, because it is a control character.
pub(super) const PLACE: char = '\u{1f}';

impl VersionValues {
    /// That which `psql -v` names, of the report in this folder, which is quoted.
    pub(super) fn of_variables(report: String) -> Self {
        let variable = |name: &str| format!(":'{name}'");
        let field = |name: &str| format!("json_extract_path_text(:'entry', '{name}')");
        let number = |name: &str| format!("{}::bigint", field(name));
        let flag = |name: &str| {
            format!(
                "case when {} = 'true' then true else false end",
                field(name)
            )
        };
        Self {
            report,
            manifest: variable("manifest"),
            number: ":version".to_owned(),
            unique: ":unique".to_owned(),
            start: variable("window_start"),
            end: variable("window_end"),
            committed_at: variable("committed_at"),
            generation: number("generation"),
            // Redshift and PostgreSQL have no function in common that counts the elements of a text.
            run_count: format!("regexp_count({}, '\"runId\"')", field("runs")),
            rows: number("rows"),
            duplicates: number("duplicates"),
            replaced: number("replaced"),
            verification: field("verification"),
            unchanged: flag("unchanged"),
            withdrawn: flag("withdrawn"),
        }
    }

    /// The places by the names that the state machine gives them.
    pub(super) fn of_places() -> Self {
        let place = |name: &str| format!("{PLACE}{name}{PLACE}");
        Self {
            report: place("report"),
            manifest: place("manifest"),
            number: place("version"),
            unique: place("unique"),
            start: place("start"),
            end: place("end"),
            committed_at: place("committedAt"),
            generation: place("generation"),
            run_count: place("runs"),
            rows: place("rows"),
            duplicates: place("duplicates"),
            replaced: place("replaced"),
            verification: place("verification"),
            unchanged: place("unchanged"),
            withdrawn: place("withdrawn"),
        }
    }
}
