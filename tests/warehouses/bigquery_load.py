#!/usr/bin/env python3
"""The file that `cxr sql bigquery` prints, as far as bqemulator knows BigQuery: the tables, and the loop over the log with its transaction: in order,
again, with a gap, taken back, and with rows missing. Not LOAD DATA, in whose place rows are inserted, and not what is kept in _extra.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

DEFINITION = "infra/reports/daily-agent-performance.json"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Emulator:
    def __init__(self):
        self.port = free_port()
        command = [os.environ["BQEMULATOR"], "start", "--rest-port", str(self.port), "--grpc-port", str(free_port()), "--log-level", "error"]
        self.log = open(os.environ["PGHOST"] + "/bqemulator.log", "w")
        self.child = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        until = time.monotonic() + 60
        while self.call("/datasets", {"datasetReference": {"projectId": "p", "datasetId": "reports"}}) is None:
            assert self.child.poll() is None and time.monotonic() < until, "bqemulator does not start"

    def call(self, path, body):
        address = f"http://127.0.0.1:{self.port}/bigquery/v2/projects/p{path}"
        request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            return json.load(urllib.request.urlopen(request, timeout=60))
        except urllib.error.HTTPError as refused:
            raise RuntimeError(refused.read().decode())
        except urllib.error.URLError:
            time.sleep(0.2)
            return None

    def run(self, sql):
        done = self.call("/queries", {"query": sql, "useLegacySql": False, "defaultDataset": {"projectId": "p", "datasetId": "reports"}})
        if done.get("errors"):
            raise RuntimeError(done["errors"][0]["message"])
        return [tuple(cell["v"] for cell in row["f"]) for row in done.get("rows", [])]


def once(pattern, new, sql):
    sql, count = re.subn(pattern, lambda _: new, sql, flags=re.S)
    assert count == 1, (pattern, count)
    return sql


class Script:
    def __init__(self):
        command = [sys.argv[1], "sql", "bigquery", "--prefix", "reports", "--table", "reports.daily", DEFINITION]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self.set_up, procedure = done.stdout.split("create or replace procedure")
        loop = procedure[procedure.index("for entry in") : procedure.index("end for;") + len("end for;")]
        loop = once(r", parts,", ",", loop)
        loop = once(r"if array_length\(entry\.parts\) > 0 then.*?end if;", "insert into cxone_stage select line from cxone_rows where version = entry.version;", loop)
        # It takes the text of a value for JSON once more where another value follows.
        loop = re.sub(r"coalesce\((json_value\(line, '[^']*'\)), nullif\(json_query\(line, '[^']*'\), 'null'\)\)", r"\1", loop)
        self.loop = once(r"if\(to_json_string\(json_strip_nulls.*?(?=,\n\s+entry\.window_start, entry)", "null", loop)


class Log:
    """The log and the rows, as LOAD DATA would have them."""

    def __init__(self, emulator):
        self.run = emulator.run
        self.run("create table cxone_log (version int64, `window` struct<`start` timestamp, `end` timestamp>, generation int64, runs array<struct<runId string>>, "
                 "`rows` int64, `unique` int64, duplicates int64, replaced int64, verification string, unchanged bool, withdrawn bool, committedAt timestamp)")  # fmt: skip
        self.run("create table cxone_rows (version int64, line string)")

    def commit(self, version, start, end, rows, missing=0):
        for row in rows[missing:]:
            line = json.dumps(row).replace("\\", "\\\\").replace("'", "\\'")
            self.run(f"insert into cxone_rows values ({version}, '{line}')")
        self.run(
            f"insert into cxone_log select {version}, struct(timestamp '2026-11-{start:02} 00:00:00+00', timestamp '2026-11-{end:02} 00:00:00+00'), 1, [struct('run-1')], "
            f"{len(rows)}, {len(rows)}, 0, 0, 'total', false, {str(not rows).lower()}, timestamp '2026-11-30 00:00:00+00'"
        )


def rows(count):
    return [{"agentId": f"it's {n}", "callsHandled": 2, "handleTime": "1:02" if n == 1 else 1.5} for n in range(count)]


def held(run):
    version = run("select version from reports.cxone_loaded")[0][0]
    found = run("select _version, count(*), sum(callsHandled), count(handleTime), min(agentId) from reports.daily group by 1 order by 1")
    commits = run("select count(*), max(version), sum(row_count), sum(run_count) from reports.cxone_commits")[0]
    return version, found, commits


def check(emulator):
    run, script, log = emulator.run, Script(), Log(emulator)
    run(script.set_up)
    run(script.set_up)
    log.commit(1, 1, 2, rows(3))
    log.commit(2, 2, 3, rows(4))
    log.commit(4, 5, 6, rows(9))
    two = ("2", [("1", "3", "6", "2", "it's 0"), ("2", "4", "8", "3", "it's 0")], ("2", "2", "7", "2"))
    for _ in range(2):
        run(script.loop)
        assert held(run) == two, held(run)
    log.commit(3, 1, 3, rows(5), missing=1)
    try:
        run(script.loop)
    except RuntimeError:
        # bqemulator ends at a RAISE, without its words.
        pass
    else:
        raise AssertionError("rows are missing, and were loaded")
    assert held(run) == two, held(run)
    run("insert into cxone_rows select version, line from cxone_rows where version = 3 limit 1")
    log.commit(5, 5, 6, [])
    run(script.loop)
    assert held(run)[0] == "5" and [row[:2] for row in held(run)[1]] == [("3", "5")], held(run)
    assert held(run)[2] == ("5", "5", "21", "5"), held(run)


def main():
    emulator = Emulator()
    try:
        check(emulator)
    finally:
        emulator.child.terminate()
        emulator.child.wait()
    print("bigquery: bqemulator looped over 5 versions; again, with a gap and with rows missing changed nothing")


if __name__ == "__main__":
    main()
