#!/usr/bin/env python3
"""Loads what the pipeline delivered into a database: all that a consumer has to do, in the standard library.

    consume.py BUCKET REPORT DATABASE            loads every version that is new, and says how far it came
    consume.py BUCKET REPORT DATABASE --from 9   the same, but goes on with version 9: the rows before it have expired
    consume.py BUCKET REPORT DATABASE --rows     the rows that are held, a line each

BUCKET is a folder that holds the bucket (`cargo run -p local -- --out out` makes out/landing), REPORT is
{prefix}/{tenant}/{report}. To read from S3, put `client.get_object(Bucket=…, Key=key)` into `Bucket.get`, and into
`Bucket.reports` what stands before `/_log/` in the keys.

The whole of it is in `load_next`: look for the version behind the last one, and in ONE transaction delete what lies
within its window, load its parts and keep its version. So it may be started twice at once, told of a version twice,
late, in any order or never, and killed at any moment. Nobody who queries the table sees a window that is half loaded.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import sqlite3
import sys

SCHEMA = """
create table if not exists loaded (report text primary key, version integer not null);
create table if not exists windows
    (report text not null, "window" text not null, version integer not null, primary key (report, "window"));
create table if not exists rows (report text not null, "window" text not null, row text not null);
create index if not exists rows_by_window on rows (report, "window");
"""

# A window is kept as START/END, each of 20 characters, so that texts compare as their times do.
WITHIN = """report = ? and "window" >= ? and "window" < ? and substr("window", 22) <= ?"""

# Python's csv refuses cells of more than 131,072 characters by itself, and a note may be longer.
csv.field_size_limit(2**31 - 1)


class Problem(Exception):
    """Why nothing more can be loaded, and what to do."""


class MissingPart(Problem):
    """A part is not there, or is not what was committed."""


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

    def reports(self):
        """The reports that were delivered, each spelled as its keys begin."""
        for folder, names, _ in os.walk(self.folder):
            if "_log" in names:
                names.clear()
                yield pathlib.Path(folder).relative_to(self.folder).as_posix()


def load_next(database, bucket, report):
    """Loads the version behind the last one. False if it is not there: then there is nothing to do but to wait.

    A later version may be there already, where objects were copied from another bucket. It has to wait too.
    """
    # Takes the lock before it reads the version, so that of two processes the second one waits.
    database.execute("begin immediate")
    with database:
        version = last_version(database, report) + 1
        commit = read_commit(bucket, report, version)
        if commit is None:
            return False
        database.execute("savepoint untouched")
        try:
            load(database, bucket, report, commit)
        except MissingPart:
            # Its rows may be gone if a later version brings others. What is held stays until that one is loaded.
            if not is_replaced_later(bucket, report, commit):
                raise
            database.execute("rollback to untouched")
        database.execute("insert or replace into loaded values (?, ?)", (report, version))
        return True


def load(database, bucket, report, commit):
    """Replaces what lies within the commit's window by the rows of its parts; of a withdrawn window there are none."""
    window, version = window_of(commit), commit["version"]
    # Rows that are the same need not be loaded again, but only if they are held: the version before may have been
    # skipped, or a window that covered this one may have removed its rows since.
    if not (commit["unchanged"] and held_version(database, report, window) == commit["supersedes"]):
        start, end = window.split("/")
        for table in ("rows", "windows"):
            database.execute(f"delete from {table} where {WITHIN}", (report, start, end, end))
        loaded = sum(load_part(database, bucket, report, window, part) for part in commit["parts"])
        if loaded != commit["unique"]:
            raise Problem(f"version {version} has {commit['unique']} rows, and its parts have {loaded}")
    database.execute("insert or replace into windows values (?, ?, ?)", (report, window, version))


def load_part(database, bucket, report, window, part):
    """Loads a part; gives the number of its rows."""
    if not part["key"].startswith(f"{report}/"):
        raise Problem(f"{part['key']} is not below {report}: BUCKET has to be the folder in which the keys begin")
    rows = read_rows(part, checked(part, bucket.get(part["key"])))
    return database.executemany("insert into rows values (?, ?, ?)", ((report, window, row) for row in rows)).rowcount


def is_replaced_later(bucket, report, commit):
    """Whether a later version of the log replaces all that this one brought."""
    start, end = window_of(commit).split("/")
    version = commit["version"] + 1
    while (later := read_commit(bucket, report, version)) is not None:
        if later["window"]["start"] <= start and end <= later["window"]["end"]:
            return True
        version += 1
    return False


def read_commit(bucket, report, version):
    entry = bucket.get(f"{report}/_log/{version:020}.json")
    return None if entry is None else json.loads(entry)


def window_of(commit):
    return f"{commit['window']['start']}/{commit['window']['end']}"


def last_version(database, report):
    row = database.execute("select version from loaded where report = ?", (report,)).fetchone()
    return row[0] if row else 0


def held_version(database, report, window):
    """The version that the rows of a window were loaded from, or are the same as; None if the window is not held."""
    query = 'select version from windows where report = ? and "window" = ?'
    row = database.execute(query, (report, window)).fetchone()
    return row[0] if row else None


def checked(part, stored):
    """The bytes of a part, if they are what the commit says. Nothing is loaded otherwise."""
    remedy = "and no later version replaces its window; restore it, replay the window, or go on behind it with --from"
    if stored is None:
        raise MissingPart(f"{part['key']} is not there, {remedy}")
    if len(stored) != part["bytes"] or hashlib.sha256(stored).hexdigest() != part["sha256"]:
        raise MissingPart(f"{part['key']} is not what was committed, {remedy}")
    return stored


def read_rows(part, stored):
    """The rows of a part as JSON. The name tells how they are written."""
    name, stored = part["key"], io.BytesIO(stored)
    if name.endswith(".gz"):
        name, stored = name[: -len(".gz")], gzip.open(stored)
    if name.endswith(".ndjson"):
        # A text may hold U+2028, which is the end of a line for splitlines() and for nobody else.
        return (line.rstrip("\n") for line in io.TextIOWrapper(stored, encoding="utf-8", newline="\n"))
    if name.endswith(".csv"):
        return (json.dumps(record) for record in csv.DictReader(io.TextIOWrapper(stored, encoding="utf-8", newline="")))
    raise Problem(f"{part['key']}: zstd is not in Python's standard library before 3.14")


def main(folder, report, path, *options):
    if not os.path.isdir(folder):
        raise Problem(f"there is no folder {folder!r}; write the one that holds the bucket's objects")
    bucket = Bucket(folder)
    if report not in (reports := sorted(bucket.reports())):
        # Another spelling would be another report, and its rows would be loaded a second time.
        found = f"write one of: {', '.join(reports)}" if reports else "nothing was delivered there yet"
        raise Problem(f"{folder} holds no report {report!r}; {found}")
    # No transaction but those that are begun here; `with database` commits them or rolls them back.
    database = sqlite3.connect(path, timeout=60, isolation_level=None)
    database.executescript(SCHEMA)
    if options == ("--rows",):
        held = database.execute('select row from rows where report = ? order by "window", rowid', (report,))
        for (row,) in held:
            print(row)
        return
    if options[:1] == ("--from",):
        skip = "insert into loaded values (?, ?) on conflict do update set version = max(version, excluded.version)"
        database.execute(skip, (report, int(options[1]) - 1))
    while load_next(database, bucket, report):
        pass
    print(f"version {last_version(database, report)}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Problem as problem:
        sys.exit(str(problem))
