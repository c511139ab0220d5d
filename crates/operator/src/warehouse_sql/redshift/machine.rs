//! What an execution of the state machine infra/redshift/load.asl.json is started with.

use serde::Serialize;

use super::version::VersionValues;
use super::{CREATE_LOADED, RedshiftLoad};

/// The statements, with places for the values of a version. The state machine knows no SQL but this.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoadInput {
    v: u8,
    /// The schedule that keeps this input; executions that are told of a commit, or that go on for another, read it there.
    schedule: String,
    /// The report's folder, without the prefix of all keys.
    report: String,
    /// Reads the version that the table holds.
    read: String,
    /// Makes the tables.
    set_up: Vec<String>,
    /// Enters the table in the bookkeeping.
    register: Vec<String>,
    /// Begins the transaction of a load. What locks comes first: a snapshot that is older would not see what the one before did.
    stage: Vec<String>,
    copy: String,
    /// The rest of it.
    load: Vec<String>,
}

impl LoadInput {
    pub(crate) fn new(load: &RedshiftLoad<'_>, schedule: String) -> Self {
        const LOCK: &str = "lock table cxone_loaded";
        let of = VersionValues::of_places();
        let create = |table: &definition::CreateTable| end_statement(&table.create_statement());
        let rest = load.replace_window(&of).into_iter();
        let rest = rest.chain(load.write_commit(&of));
        Self {
            v: 1,
            schedule,
            report: load.report.to_owned(),
            read: end_statement(&load.read_version(&of)),
            set_up: vec![
                create(load.table),
                create(&load.table.commits_table()),
                end_statement(CREATE_LOADED),
            ],
            register: vec![LOCK.to_owned(), end_statement(&load.register(&of))],
            stage: vec![LOCK.to_owned(), end_statement(&load.make_stage())],
            copy: end_statement(&load.copy(&of)),
            load: rest.map(|it| end_statement(&it)).collect(),
        }
    }
}

/// A statement by itself, without what parts it from the next one.
fn end_statement(statement: &str) -> String {
    statement.trim_end_matches([';', '\n']).to_owned()
}
