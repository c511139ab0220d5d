#!/usr/bin/env python3
"""The source that `cxr dbt` writes, taken by dbt over a database that `cxr load duckdb` filled: dbt reads it without a warning, its freshness and
its tests pass, and each of them fails where it should."""

import datetime
import json
import os
import subprocess
import sys

from bucket import FILE, WORK, Log, day, duckdb, ended, start

DEFINITION = "crates/local/definitions/contacts.json"
PROJECT = f"{WORK}/project"
NOW = datetime.datetime.now(datetime.timezone.utc)


def write(name, text):
    os.makedirs(os.path.dirname(f"{PROJECT}/{name}"), exist_ok=True)
    with open(f"{PROJECT}/{name}", "w") as file:
        file.write(text)


def sources(*args):
    done = subprocess.run([sys.argv[1], "dbt", "--for", "duckdb", *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dbt(*args):
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    command = ["dbt", "--no-use-colors", "--warn-error-options", '{"error": ["Deprecations"]}', *args, "--project-dir", PROJECT, "--profiles-dir", PROJECT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=PROJECT)
    return done.returncode, done.stdout + done.stderr


def passes(*args):
    code, said = dbt(*args)
    assert code == 0, said
    return said


def rows(count):
    return [{"contactId": str(n), "agentId": n % 7, "totalDurationSeconds": 1.5} for n in range(count)]


def make_project():
    write("dbt_project.yml", "name: reports\nversion: '1.0'\nprofile: reports\nmodel-paths: [models]\n")
    write("profiles.yml", f"reports:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: '{FILE}', schema: main}}\n")
    write("models/contacts_a_day.sql", "select _window_start, count(*) as contacts from {{ source('cxone', '%s') }} group by 1\n" % TABLE)


def load(log):
    code, out, error = ended(start([*log.command("duckdb", log.name, DEFINITION, TABLE), "--database", FILE]))
    assert code == 0, error


with open(DEFINITION) as file:
    NAME = json.load(file)["name"]
TABLE = NAME.lower().replace(" ", "_")


def main():
    log = Log("dbt", NAME, NAME.replace(" ", "_"), summed="agentId")
    late = (NOW - datetime.timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for number in range(3):
        log.commit(number, 1, rows(50), committedAt=late)
    load(log)
    make_project()
    # All definitions that there are, as one source.
    write("models/sources.yml", sources("--schema", "main", "crates/local/definitions", "infra/reports"))
    passes("parse")
    write("models/sources.yml", sources(DEFINITION))
    passes("parse")

    code, said = dbt("source", "freshness")
    assert code == 1 and "ERROR STALE" in said, said
    log.commit(3, 1, rows(60), committedAt=NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    load(log)
    passes("source", "freshness")
    said = passes("build")
    assert "WARN=0 ERROR=0" in said, said
    assert duckdb("select string_agg(contacts, ' ' order by _window_start) from contacts_a_day") == "50 50 50 60"

    log.commit(4, 1, rows(10), verification="none", committedAt=NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    load(log)
    code, said = dbt("test")
    assert code == 0 and "WARN=1 ERROR=0" in said, said
    duckdb(f"insert into {TABLE} from {TABLE} where contactId = '3' and _window_start = '{day(1)}'")
    code, said = dbt("test")
    assert code == 1 and "WARN=1 ERROR=1" in said, said
    print("dbt: the source is read without a warning; freshness and tests pass, and fail for an old version, a doubled key and an unverified version")


if __name__ == "__main__":
    main()
