//! The file for psql.

use super::version::VersionValues;
use super::{CREATE_LOADED, RedshiftLoad};

impl RedshiftLoad<'_> {
    fn load(&self, of: &VersionValues) -> String {
        let (stage, copy) = (self.make_stage(), self.copy(of));
        let replace_window = self.replace_window(of).concat();
        let write_commit = self.write_commit(of).concat();
        let read_version = self.read_version(of);
        format!(
            "{stage}\
             select :unique > 0 as has_rows \\gset\n\
             \\if :has_rows\n\
             {copy}\
             \\endif\n\
             begin;\n\
             lock table cxone_loaded;\n\
             {replace_window}\
             \\if :{{?entry}}\n\
             {write_commit}\
             \\endif\n\
             commit;\n\
             {read_version}"
        )
    }

    /// The file.
    pub(crate) fn write_script(&self) -> String {
        let (report, table) = (self.report, &self.table.table);
        let of = VersionValues::of_variables(self.quote(report));
        let load = self.load(&of);
        let set_up = format!("{}{}", self.table, self.table.commits_table());
        let register = self.register(&of);
        format!(
            "-- NOT RUN ON REDSHIFT. The transaction and the reading of values run in tests on PostgreSQL, COPY nowhere. For psql.\n\
             --\n\
             -- Without psql and cron: the state machine of infra/redshift does all of this by itself (docs/warehouses.md).\n\
             --\n\
             -- Set up:  psql -f THIS_FILE\n\
             --\n\
             -- Load, for each entry of {report}/_log/ in the order of their versions, with its figures and its manifest:\n\
             --   psql -f THIS_FILE -v version=7 -v unique=25000 -v manifest=s3://BUCKET/{report}/_manifest/00000000000000000007.json \\\n\
             --     -v window_start=2026-11-21T00:00:00Z -v window_end=2026-11-22T00:00:00Z -v committed_at=2026-11-22T05:37:06Z \\\n\
             --     -v entry=\"$(jq -c 'del(.parts, .columns, .columnReport)' ENTRY.json)\"\n\
             -- The last one may be left out. Given, it keeps what the log says of the version in cxone_commits, in the same transaction.\n\
             -- It prints the version that the table holds then. A version that is late or early changes nothing, and one that is loaded\n\
             -- twice is there once. A version without rows has a manifest without entries, which COPY refuses; it is not asked then.\n\
             -- Values that do not fit their column's type are in _extra. Fields without a column are not loaded: COPY leaves them out.\n\
             --\n\
             -- Grant. Who loads:  grant select, insert, delete on {table} to loader; grant select, update on cxone_loaded to loader;\n\
             --   grant select, insert, delete on cxone_commits to loader;\n\
             -- The namespace's default IAM role: s3:GetObject on {report}/_manifest/* and {report}/data/*, and kms:Decrypt on the bucket's key.\n\
             --\n\
             -- Schedule: hourly from cron or a task of yours, from the version that it printed last on, until the next entry is not there.\n\
             \\set ON_ERROR_STOP on\n\
             \\if :{{?version}}\n\
             {load}\
             \\else\n\
             {set_up}\
             {CREATE_LOADED}\
             {register}\
             \\endif\n"
        )
    }
}
