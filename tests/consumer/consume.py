#!/usr/bin/env python3
"""Loads what the pipeline delivered into a database: all that a consumer has to do, in the standard library.

    consume.py BUCKET REPORT DATABASE          loads every version that is new, and says how far it came
    consume.py BUCKET REPORT DATABASE --rows   the rows that are held, a line each

BUCKET is a folder that holds the bucket (`cargo run -p local -- --out out` makes out/landing), REPORT is
{prefix}/{tenant}/{report}. To read from S3, put `client.get_object(Bucket=…, Key=key)` into `Bucket.get`.

The whole of it is in `load_next`: look for the version behind the last one, and in ONE transaction delete its window,
load its parts and keep its version. So it may be started twice at once, told of a version twice, late, in any order or
never, and killed at any moment. Nobody who queries the table sees a window that is half loaded.
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import sqlite3
import sys

SCHEMA = """
create table if not exists loaded (report text primary key, version integer not null);
create table if not exists rows (report text not null, "window" text not null, row text not null);
create index if not exists rows_by_window on rows (report, "window");
"""


class Bucket:
    """Objects by their keys."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def get(self, key):
        """The object's bytes; None where nothing is stored."""
        try:
            return (self.folder / key).read_bytes()
        except FileNotFoundError:
            return None


def load_next(database, bucket, report):
    """Loads the version behind the last one. False if it is not there: then there is nothing to do but to wait.

    A later version may be there already, where objects were copied from another bucket. It has to wait too.
    """
    # Takes the lock before it reads the version, so that of two processes the second one waits.
    database.execute("begin immediate")
    with database:
        version = last_version(database, report) + 1
        entry = bucket.get(f"{report}/_log/{version:020}.json")
        if entry is None:
            return False
        commit = json.loads(entry)
        window = f"{commit['window']['start']}/{commit['window']['end']}"
        database.execute('delete from rows where report = ? and "window" = ?', (report, window))
        loaded = 0
        for part in commit["parts"]:
            rows = list(read_rows(part, checked(part, bucket.get(part["key"]))))
            database.executemany("insert into rows values (?, ?, ?)", ((report, window, row) for row in rows))
            loaded += len(rows)
        if loaded != commit["unique"]:
            raise ValueError(f"version {version} has {commit['unique']} rows, and its parts have {loaded}")
        database.execute("insert or replace into loaded values (?, ?)", (report, version))
        return True


def last_version(database, report):
    row = database.execute("select version from loaded where report = ?", (report,)).fetchone()
    return row[0] if row else 0


def checked(part, stored):
    """The bytes of a part, if they are what the commit says. Nothing is loaded otherwise."""
    if stored is None:
        raise ValueError(f"{part['key']} is not there")
    if len(stored) != part["bytes"] or hashlib.sha256(stored).hexdigest() != part["sha256"]:
        raise ValueError(f"{part['key']} is not what was committed")
    return stored


def read_rows(part, stored):
    """The rows of a part as JSON. The name tells how they are written."""
    name = part["key"]
    if name.endswith(".gz"):
        name, stored = name[: -len(".gz")], gzip.decompress(stored)
    text = stored.decode()
    if name.endswith(".ndjson"):
        # Not splitlines(): a text may hold U+2028, which is the end of a line for Python and for nobody else.
        return (line for line in text.split("\n") if line)
    if name.endswith(".csv"):
        return (json.dumps(record) for record in csv.DictReader(io.StringIO(text, newline="")))
    raise ValueError(f"{part['key']}: zstd is not in Python's standard library before 3.14")


def main(folder, report, path, *options):
    # No transaction but those that are begun here; `with database` commits them or rolls them back.
    database = sqlite3.connect(path, timeout=60, isolation_level=None)
    database.executescript(SCHEMA)
    bucket = Bucket(folder)
    if options == ("--rows",):
        held = database.execute('select row from rows where report = ? order by "window", rowid', (report,))
        for (row,) in held:
            print(row)
        return
    while load_next(database, bucket, report):
        pass
    print(f"version {last_version(database, report)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
