"""Reads the table that the deployed executables published, with engines that are not ours, and compares with the rows that the commit
log names.

    published.py FOLDER URI    FOLDER is the report's in the bucket, URI where engines find its table: a path, or s3://…

What is at an S3 of this machine is found by AWS_ENDPOINT_URL. Each engine is told of it in its own words; on AWS it finds the rest itself.
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
import duckdb_extension_httpfs
import polars

OWN = ["_extra", "_window_start", "_window_end", "_version", "_loaded_at"]


def main(folder, uri):
    expected, versions = consume(pathlib.Path(folder))
    for name, read in ENGINES.items():
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
    for package in (duckdb_extension_httpfs, duckdb_extension_delta):
        (extension,) = pathlib.Path(package.__file__).parent.rglob("*.duckdb_extension")
        duck.execute(f"load '{extension}'")
    if uri.startswith("s3://"):
        host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
        key, secret, region = (os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"))
        duck.execute(
            f"create secret (type s3, key_id '{key}', secret '{secret}', region '{region}', endpoint '{host}', url_style 'path', use_ssl false)"
        )
    return duck.execute(f"select * from delta_scan('{uri}')").to_arrow_table().to_pylist()


def read_daft(uri):
    if not uri.startswith("s3://"):
        return daft.read_deltalake(uri).to_pylist()
    s3 = daft.io.S3Config(
        endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"], key_id=os.environ["AWS_ACCESS_KEY_ID"],
        access_key=os.environ["AWS_SECRET_ACCESS_KEY"], use_ssl=False,
    )  # fmt: skip
    return daft.read_deltalake(uri, io_config=daft.io.IOConfig(s3=s3)).to_pylist()


ENGINES = {"delta-rs": read_delta_rs, "polars": read_polars, "duckdb": read_duckdb, "daft": read_daft}

if __name__ == "__main__":
    main(*sys.argv[1:])
    # Threads of pyarrow that are still there when Python takes itself apart abort the process (apache/arrow issue 34314).
    sys.stdout.flush()
    os._exit(0)
