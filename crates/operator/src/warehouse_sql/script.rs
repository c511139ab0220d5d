//! The same statements as a file for psql, for those who load with their own tools.

use super::postgres::{MAKE_STAGE, PostgresLoad, STAGED_AS, Version};

impl PostgresLoad<'_> {
    /// The file. It sets up, or where `psql -v` names a version, it loads that.
    pub(crate) fn write_script(&self) -> String {
        let (schema, table) = (self.schema(), &self.table.table);
        let report = self.report;
        let set_up = self.set_up();
        let load = self.load(&Version::of_variables());
        format!(
            "-- PostgreSQL 13 or newer, for psql 11 or newer. Tests run these statements on PostgreSQL, with kills and races.\n\
             --\n\
             -- Set up, and again when the definition has got a column:  psql -f THIS_FILE\n\
             --\n\
             -- Load. Simplest is   cxr load postgres REPORT --table …   from cron, every hour: it reads the log and does the rest.\n\
             -- With tools of your own, take the entries of {report}/_log/ in the order of their versions. For each, write its parts one\n\
             -- after the other to psql, uncompressed, as NDJSON, or nothing if it has none:\n\
             --   aws s3 cp s3://BUCKET/KEY - | gzip -dc | psql -f THIS_FILE -v version=7 -v unique=25000 \\\n\
             --     -v window_start=2026-11-21T00:00:00Z -v window_end=2026-11-22T00:00:00Z -v committed_at=2026-11-22T05:37:06Z \\\n\
             --     -v entry=\"$(jq -c 'del(.parts, .columns, .columnReport)' ENTRY.json)\"\n\
             -- The last one may be left out. Given, it keeps what the log says of the version in cxone_commits, in the same transaction.\n\
             -- It prints the version that the table holds then, and how many rows of it have something in _extra. A version that is\n\
             -- late or early changes nothing, and one that is loaded twice is there once. What does not exit with 0 has changed nothing.\n\
             --\n\
             -- Grant. Who loads:    grant select, insert, delete on {table} to loader;\n\
             --                      grant select, update on {schema}cxone_loaded to loader;\n\
             --                      grant select, insert, delete on {schema}cxone_commits to loader;\n\
             --                      grant temporary on database … to loader;\n\
             -- Who reads:           grant select on {table} to reader;\n\
             -- In S3, who loads reads {report}/_log/* and {report}/data/*, as the stack's ConsumerPolicy allows.\n\
             \\set ON_ERROR_STOP on\n\
             \\set VERBOSITY terse\n\
             \\if :{{?version}}\n\
             {MAKE_STAGE}\
             \\copy cxone_stage from pstdin {STAGED_AS}\n\
             {load}\
             \\else\n\
             {set_up}\
             \\endif\n"
        )
    }
}
