#!/usr/bin/env python3
"""The file that `cxr sql snowflake` prints, as far as fakesnow knows Snowflake: the tables, COPY of gzipped NDJSON into one column, and the transaction
with its fence: in order, again, late, early, taken back, and rolled back. Not the procedure, the task, and what is kept in _extra.

fakesnow reads `get(v, 'x')::varchar` with the quotes of JSON, so that the path is written otherwise here; Snowflake has both.
"""

import gzip
import json
import os
import re
import subprocess
import sys

import fakesnow
import snowflake.connector

DEFINITION = "infra/reports/daily-agent-performance.json"
FOLDER = os.environ["PGHOST"] + "/snowflake"


def once(pattern, new, sql):
    sql, count = re.subn(pattern, new, sql, flags=re.S)
    assert count == 1, (pattern, count)
    return sql


class Script:
    """The statements of the file, with constants in place of the procedure's variables."""

    def __init__(self):
        done = subprocess.run([sys.argv[1], "sql", "snowflake", "--prefix", "reports", DEFINITION], capture_output=True, text=True, check=True)
        head, body, _ = done.stdout.split("$$")
        self.set_up = head[head.index("create table if not exists") : head.index("create or replace procedure")]
        self.copy = re.search(r"query := '(copy into cxone_stage .*?)'; execute", body).group(1)
        load = body[body.index("update cxone_loaded") : body.index("commit;")]
        load = re.sub(r"get\((v|entry), '(\w+)'\)", r"\1:\2", load)
        self.load = once(r"iff\(array_size\(object_keys\(object_delete.*?(?=,\n\s+:window_start)", "null", load)

    def statements(self, commit):
        sql = self.load
        values = {"n": commit["version"], "window_start": commit["window"]["start"], "window_end": commit["window"]["end"], "committed_at": "2026-11-30T00:00:00Z"}
        for name, value in values.items():
            constant = str(value) if name == "n" else f"'{value}'::timestamp_tz"
            sql = re.sub(rf"(?<!:):{name}\b", constant, sql)
        return [it for it in sql.split(";\n") if it.strip()]


class Table:
    def __init__(self, cursor):
        self.run, self.script = cursor.execute, Script()
        self.run("create or replace stage cxone_landing url = 'file://%s/'" % FOLDER)
        self.run("create file format if not exists cxone_ndjson type = json compression = auto")
        for statement in self.script.set_up.split(";\n"):
            if statement.strip():
                self.run(statement)

    def stage(self, rows, version):
        self.run("create or replace temporary table cxone_stage (v variant)")
        if rows:
            name = f"v{version}.ndjson.gz"
            with gzip.open(f"{FOLDER}/{name}", "wt") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
            copy = self.script.copy.replace("''' || part || '''", f"'{name}'")
            # fakesnow wants the name of a format in quotes, which Snowflake does not.
            self.run(copy.replace("format_name = cxone_ndjson", "format_name = 'cxone_ndjson'"))
        count = self.run("select count(*) from cxone_stage").fetchone()[0]
        assert count == len(rows), (count, rows)

    def load(self, version, days, rows, end="commit"):
        window = {"start": f"2026-11-{days[0]:02}T00:00:00Z", "end": f"2026-11-{days[1]:02}T00:00:00Z"}
        commit = {"version": version, "window": window, "generation": 1, "runs": [{}], "rows": len(rows), "unique": len(rows), "duplicates": 0,
                  "replaced": 0, "verification": "total", "unchanged": False, "withdrawn": not rows}  # fmt: skip
        self.stage(rows, version)
        self.run("create or replace temporary table cxone_entry as select parse_json('%s') as entry" % json.dumps(commit))
        self.run("begin transaction")
        for statement in self.script.statements(commit):
            self.run(statement)
        self.run(end)

    def held(self):
        version = self.run("select version from cxone_loaded").fetchone()[0]
        rows = self.run("select _version, count(*), sum(callshandled), min(agentid) from daily_agent_performance_aggregation group by _version order by _version").fetchall()
        commits = self.run("select count(*), max(version), sum(row_count) from cxone_commits").fetchone()
        return version, [tuple(row) for row in rows], tuple(commits)


def rows(count):
    return [{"agentId": f"A-{n}", "queueId": "Q", "callsHandled": 2, "handleTime": "1:02" if n == 1 else 1.5} for n in range(count)]


def main():
    os.makedirs(FOLDER)
    with fakesnow.patch():
        table = Table(snowflake.connector.connect(database="CXONE", schema="PUBLIC").cursor())
        table.load(1, (1, 2), rows(3))
        table.load(2, (2, 3), rows(4))
        two = (2, [(1, 3, 6, "A-0"), (2, 4, 8, "A-0")], (2, 2, 7))
        assert table.held() == two, table.held()
        table.load(2, (2, 3), rows(4))
        table.load(1, (1, 2), rows(3))
        table.load(4, (1, 2), rows(9))
        table.load(3, (1, 3), rows(5), end="rollback")
        assert table.held() == two, "again, late, early and rolled back change nothing"
        table.load(3, (1, 3), rows(5))
        table.load(4, (2, 3), [])
        assert table.held() == (4, [(3, 5, 10, "A-0")], (4, 4, 12)), table.held()
        times = table.run("select count(*), count(handletime) from daily_agent_performance_aggregation").fetchone()
        assert tuple(times) == (5, 4), times
    print("snowflake: fakesnow copied and loaded 4 versions; again, late, early and rolled back changed nothing")


if __name__ == "__main__":
    main()
