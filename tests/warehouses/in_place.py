#!/usr/bin/env python3
"""The lines of docs/warehouses.md that read the bucket without a table, over what `cargo run -p local` delivered: two days, one of them fetched twice,
and a file that no commit names. DuckDB and Polars find what the log says, and nothing else."""

import glob
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys

import duckdb

OUT = os.environ["PGHOST"] + "/delivered"
REPORT = "reports/acme/Daily_Agent_Performance_Aggregation"
DOCUMENT = pathlib.Path("docs/warehouses.md").read_text()


def deliver(*args):
    binaries = os.path.dirname(os.path.abspath(sys.argv[1]))
    command = [f"{binaries}/local", "--out", OUT, "--time-scale", "virtual", "--rows", "3000", "--fault", "none", *args]
    done = subprocess.run(command, env={**os.environ, "LOCAL_HANDLERS": binaries}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def example(heading):
    """The first block of code below a heading of the document, over the folder in place of the bucket."""
    section = DOCUMENT.split(f"\n### {heading}\n", 1)[1]
    block = re.search(r"```\w+\n(.*?)```", section, re.S).group(1)
    assert "s3://BUCKET/" in block and "PREFIX/acme/REPORT" in block, block
    return block.replace("s3://BUCKET/", f"{OUT}/landing/").replace("PREFIX/acme/REPORT", REPORT)


def truth():
    """Of each version that holds a window, how many rows it has."""
    commits = [json.load(open(file)) for file in sorted(glob.glob(f"{OUT}/landing/{REPORT}/_log/*.json"))]
    last = {(it["window"]["start"], it["window"]["end"]): (it["version"], it["unique"]) for it in commits}
    assert len(commits) == 3 and len(last) == 2, commits
    return sorted(last.values())


def main():
    deliver("--window", "2026-11-20")
    deliver("--window", "2026-11-21")
    deliver("--window", "2026-11-20", "--replay", "late rows")
    part = glob.glob(f"{OUT}/landing/{REPORT}/data/*/*/*.ndjson.gz")[0]
    with gzip.open(part.replace(".ndjson.gz", "-orphan.ndjson.gz"), "wt") as orphan:
        orphan.write('{"agentId": "of nobody"}\n')
    wanted = truth()

    database = duckdb.connect()
    database.execute(example("DuckDB"))
    for view in ("daily", "daily_by_list"):
        found = database.execute(f"select _version, count(*) from {view} group by all order by all").fetchall()
        assert found == wanted, (view, found, wanted)
    assert database.execute("select count(*), count(distinct version) from commits").fetchone() == (3, 3)

    names = {}
    exec(example("Polars"), names)  # noqa: S102
    found = names["daily"].group_by("_version").len().sort("_version").collect().rows()
    assert found == wanted, (found, wanted)
    print(f"in_place: of {wanted[-1][0]} versions DuckDB and Polars read {len(wanted)}, {sum(rows for _, rows in wanted)} rows, and no file that no commit names")


if __name__ == "__main__":
    main()
