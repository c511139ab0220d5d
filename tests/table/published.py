"""Reads the table that the deployed executables published, with engines that are not ours, and compares with the rows that the commit
log names.

    published.py FOLDER URI    FOLDER is the report's in the bucket, URI where engines find its table: a path, or s3://…

What is at an S3 of this machine is found by AWS_ENDPOINT_URL, as engines find it by themselves.
"""

import gzip
import json
import os
import pathlib
import sys

import daft
import deltalake
import duckdb
import duckdb_extension_delta
import polars

OWN = ["_extra", "_window_start", "_window_end", "_version", "_loaded_at"]


def main(folder, uri):
    expected, versions = consume(pathlib.Path(folder))
    for name, read in ENGINES.items():
        if uri.startswith("s3://") and name not in OF_S3:
            continue
        found = sorted(map(normalise, read(uri)))
        if found != expected:
            wrong = next(((a, b) for a, b in zip(found, expected) if a != b), (len(found), len(expected)))
            sys.exit(f"{name}, {uri}: {wrong}")
        print(f"{name}, {uri.split('://')[0] if '://' in uri else 'folder'}: {len(found)} rows of {versions} versions, as committed")


def consume(folder):
    """The rows that consumers hold: delete what lies within the commit's window, load its parts."""
    held, versions = {}, 0
    for versions, path in enumerate(sorted((folder / "_log").iterdir()), 1):
        commit = json.loads(path.read_text())
        window = (commit["window"]["start"], commit["window"]["end"])
        held = {it: rows for it, rows in held.items() if not (window[0] <= it[0] and it[1] <= window[1])}
        held[window] = [row for part in commit["parts"] for row in part_rows(folder, part["key"])]
    return sorted(normalise(row) for rows in held.values() for row in rows), versions


def part_rows(folder, key):
    path = folder / key[key.index("/data/") + 1 :]
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def normalise(row):
    """The report's columns as one text: what stands in _extra is there, and a whole number is one however it is held."""
    extra = row.get("_extra")
    cells = {name: value for name, value in row.items() if name not in OWN}
    cells |= json.loads(extra) if extra else {}
    whole = lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    return json.dumps({name: whole(value) for name, value in sorted(cells.items()) if value is not None}, ensure_ascii=False)


def options():
    if "AWS_ENDPOINT_URL" not in os.environ:
        return None
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    return {name: os.environ[name] for name in names} | {"AWS_ALLOW_HTTP": "true"}


def read_delta_rs(uri):
    table = deltalake.DeltaTable(uri, storage_options=options())
    return table.to_pyarrow_table().to_pylist()


def read_polars(uri):
    return polars.read_delta(uri, storage_options=options()).to_dicts()


def read_duckdb(uri):
    duck = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    extension = next(pathlib.Path(duckdb_extension_delta.__file__).parent.rglob("delta.duckdb_extension"))
    duck.execute(f"load '{extension}'")
    return duck.execute(f"select * from delta_scan('{uri}')").to_arrow_table().to_pylist()


def read_daft(uri):
    return daft.read_deltalake(uri).to_pylist()


ENGINES = {"delta-rs": read_delta_rs, "polars": read_polars, "duckdb": read_duckdb, "daft": read_daft}

# Those that read the endpoint on this machine by what is installed here.
OF_S3 = ["delta-rs", "polars"]

if __name__ == "__main__":
    main(*sys.argv[1:])
    # Threads of pyarrow that are still there when Python takes itself apart abort the process (apache/arrow issue 34314).
    sys.stdout.flush()
    os._exit(0)
