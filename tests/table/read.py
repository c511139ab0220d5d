"""Reads the table with engines that are not ours, at every version, and compares with the rows that were committed.

    read.py FOLDER    what `write_table` wrote: the commit log, the parts, the table, and the columns of each version

What the table should hold is worked out here anew, from the commit log and the parts, by the rule for consumers: delete what
lies within the commit's window, load its parts.
"""

import csv
import datetime
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

import daft
import deltalake
import duckdb
import duckdb_extension_delta
import polars

OWN = ["_extra", "_window_start", "_window_end", "_version", "_loaded_at"]
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
UTC = datetime.timezone.utc


def main(folder):
    folder = pathlib.Path(folder)
    columns = json.loads((folder / "columns.json").read_text())
    held, table, expected = {}, [], []
    for version, defined in enumerate(columns, 1):
        commit = json.loads((folder / f"_log/{version:020}.json").read_text())
        table = consume(folder, held, table, commit, defined)
        names = [name for name, _, _ in table] + OWN
        rows = [dict.fromkeys(names) | row for rows in held.values() for row in rows]
        expected.append((names, sorted(map(key, rows))))
    for name, read in ENGINES.items():
        begun = time.monotonic()
        rows = 0
        for version, (names, wanted) in enumerate(expected, 1):
            found = sorted(key(row) for row in read(folder / "table", version, names))
            if found != wanted:
                sys.exit(f"{name}, version {version}: {difference(found, wanted)}")
            rows += len(found)
        # Readers skip files by the log's statistics. A day of the newest version has its rows all the same.
        for start, _ in held:
            wanted = [row for row in map(json.loads, expected[-1][1]) if row["_window_start"] == plain(time_of(start))]
            found = read(folder / "table", len(expected), expected[-1][0], time_of(start))
            if sorted(map(key, found)) != sorted(map(key, wanted)):
                sys.exit(f"{name}, the day {start}: {difference(found, wanted)}")
        print(f"{name}: {len(expected)} versions, {rows} rows, all as committed ({time.monotonic() - begun:.0f} s)")


# What the table should hold.


def consume(folder, held, table, commit, defined):
    """Applies a commit to what is held, by window; gives the table's columns: (name there, name in the rows, type)."""
    if commit["unchanged"]:
        return table
    for name, kind in defined:
        there = re.sub(r"[ ,;{}()\n\t=]", "_", name)
        taken = [column.lower() for column, _, _ in table] + OWN
        if name not in [source for _, source, _ in table] and there.lower() not in taken:
            table = [*table, (there, name, kind)]
    window = commit["window"]
    for start, end in list(held):
        if window["start"] <= start and end <= window["end"]:
            del held[start, end]
    stamp = [time_of(window["start"]), time_of(window["end"]), commit["version"], time_of(commit["committedAt"])]
    rows = [place(row, table, stamp) for part in commit["parts"] for row in read_part(folder / part["key"])]
    if len(rows) != commit["unique"]:
        sys.exit(f"version {commit['version']} has {len(rows)} rows")
    held[window["start"], window["end"]] = rows
    return table


def read_part(path):
    text = gzip.decompress(path.read_bytes()).decode()
    if path.name.endswith(".csv.gz"):
        records = csv.DictReader(io.StringIO(text, newline=""))
        return [{name: cell for name, cell in record.items() if cell != ""} for record in records]
    return [json.loads(line) for line in text.split("\n") if line]


def place(row, table, stamp):
    """A row as the table has it."""
    placed, extra = {}, {name: value for name, value in row.items() if name not in [source for _, source, _ in table]}
    for there, source, kind in table:
        value = row.get(source)
        placed[there] = None if value is None else fit(value, kind)
        if value is not None and placed[there] is None:
            extra[source] = value
    return {**placed, "_extra": extra or None, **dict(zip(OWN[1:], stamp))}


def fit(value, kind):
    text = value if isinstance(value, str) else json.dumps(value)
    if kind == "string":
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if kind == "timestamp":
        return time_of(text) if isinstance(value, str) and text[:1].isdigit() else None
    if not NUMBER.match(text):
        return None
    if kind == "double":
        return float(text)
    return int(float(text)) if float(text).is_integer() else None


def time_of(text):
    return datetime.datetime.fromisoformat(text).astimezone(UTC)


def key(row):
    """A row that can be compared and sorted: times in one zone, `_extra` as what its JSON says."""
    extra = row["_extra"]
    row = {**row, "_extra": json.loads(extra) if isinstance(extra, str) else extra}
    return json.dumps({name: plain(value) for name, value in row.items()}, sort_keys=True, ensure_ascii=False)


def plain(value):
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return value


def difference(found, wanted):
    return f"\n  not wanted: {[row for row in found if row not in wanted][:3]}\n  missing: {[row for row in wanted if row not in found][:3]}"


# The engines. Each gives the rows of a version, and has to know exactly these columns.


def check_names(found, names):
    if sorted(found) != sorted(names):
        sys.exit(f"the columns are {found} and should be {names}")


def read_delta_rs(table, version, names, start=None):
    only = [("_window_start", "=", start)] if start else None
    found = deltalake.DeltaTable(table, version=version).to_pyarrow_table(filters=only)
    check_names(found.column_names, names)
    return found.to_pylist()


def read_polars(table, version, names, start=None):
    found = polars.scan_delta(str(table), version=version)
    found = (found.filter(polars.col("_window_start") == start) if start else found).collect()
    check_names(found.columns, names)
    return found.to_dicts()


def read_daft(table, version, names, start=None):
    found = daft.read_deltalake(str(table), version=version)
    found = found.where(found["_window_start"] == start) if start else found
    check_names(found.column_names, names)
    return found.to_pylist()


def read_duckdb(table, version, names, start=None):
    """Has no versions to ask for: it reads a log that ends there, as a reader at that time did."""
    log = pathlib.Path(GROWING.name, "_delta_log")
    log.mkdir(exist_ok=True)
    for path in (table / "_delta_log").iterdir():
        if int(path.name[:20]) <= version and not (log / path.name).exists():
            shutil.copy(path, log)
    for path in table.iterdir():
        link = pathlib.Path(GROWING.name, path.name)
        if not link.exists():
            os.symlink(path.absolute(), link)
    only = f"where _window_start = '{start}'" if start else ""
    found = DUCKDB.execute(f"select * from delta_scan('{GROWING.name}') {only}").to_arrow_table()
    check_names(found.column_names, names)
    return found.to_pylist()


def connect_duckdb():
    folder = pathlib.Path(duckdb_extension_delta.__file__).parent
    (extension,) = folder.rglob("delta.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"load '{extension}'")
    connection.execute("set timezone = 'UTC'")
    return connection


GROWING = tempfile.TemporaryDirectory()
DUCKDB = connect_duckdb()
ENGINES = {"delta-rs": read_delta_rs, "Polars": read_polars, "DuckDB": read_duckdb, "Daft": read_daft}

if __name__ == "__main__":
    main(*sys.argv[1:])
    GROWING.cleanup()
    # Threads of pyarrow that are still there when Python takes itself apart abort the process (apache/arrow issue 34314).
    sys.stdout.flush()
    os._exit(0)
