#!/usr/bin/env python3
"""What `cxr load duckdb` makes of values: the same as the load for PostgreSQL (values.py), but for how DuckDB writes some of them out."""

import datetime
import json
import sys

from bucket import FILE, WORK, Log, duckdb, ended, start
from values import KEPT, TYPES, VALUES, definition

# Numbers and lists in columns of texts, as DuckDB writes them; a text may have the character of number zero.
OTHERWISE = {
    "1e3": {"string": "1000.0"},
    "1e251": {"string": "1e251"},
    "[1,2]": {"string": "[1,2]"},
    '{"a":1}': {"string": '{"a":1}'},
    '"99999999999999999999"': {"double": "1e+20"},
    '"nul\\u0000\\u0000 no\\\\u0000"': {"string": "nul\0\0 no\\u0000"},
}
FIELDS = "nth, long, double, string, epoch_us(timestamp), boolean, _extra, _window_start = '2026-11-22T00:00:00Z', _version"


def as_epoch(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1e6)


def wanted_of(value, columns):
    """The values of a row as Python has them."""
    wanted = dict(zip(TYPES, columns))
    wanted.update({name: it for name, it in OTHERWISE.get(value, {}).items()})
    kept = {name for name, it in wanted.items() if it == KEPT}
    wanted = {name: None if name in kept else it for name, it in wanted.items()}
    for name, read in (("long", int), ("double", float), ("timestamp", as_epoch), ("boolean", lambda it: it == "t")):
        if wanted[name] is not None:
            wanted[name] = read(wanted[name])
    return wanted, kept


def check(row, value, columns):
    nth, *found, extra, is_in_window, version = row
    wanted, kept = wanted_of(value, columns)
    assert dict(zip(TYPES, found)) == wanted, (value, found, wanted)
    held = {name: json.loads(value) for name in kept}
    if nth == "0":
        held["other"] = {"x": None}
    assert (extra or {}) == held, (value, extra, held)
    assert is_in_window and version == 1
    return extra is not None


def main():
    log = Log("values", "values", "values", summed="nth")
    lines = [
        "{" + ",".join(f'"{name}":{value}' for name in TYPES) + f', "nth":"{nth}"' + (',"other":{"x":null}' if nth == 0 else "") + "}\n"
        for nth, (value, *_) in enumerate(VALUES)
    ]
    log.commit(21, 1, lines)
    written = f"{WORK}/values.json"
    with open(written, "w") as file:
        json.dump(definition(), file)
    command = [*log.command("duckdb", "values", written, "held"), "--database", FILE]
    code, out, error = ended(start(command))
    assert code == 0, error
    rows = json.loads(duckdb(f"select to_json(list(json_array({FIELDS}) order by nth::int)) from held"))
    with_extra = sum(check(row, value, columns) for row, (value, *columns) in zip(rows, VALUES, strict=True))
    assert f"{with_extra} with something in _extra" in out, out

    # A column that the definition has since, and the rows that are there keep what they have.
    more = definition()
    more["report"]["columns"].append({"name": "other", "type": "string"})
    with open(written, "w") as file:
        json.dump(more, file)
    log.commit(22, 1, lines[:1])
    code, out, error = ended(start(command))
    assert code == 0, error
    assert duckdb("select string_agg(coalesce(other, '-'), ' ' order by _version) from held where nth = '0'") == '- {"x":null}'

    # Half of a surrogate pair is no Unicode, and DuckDB's error would quote the row.
    log.commit(23, 1, ['{"nth":"secret \\ud83d"}\n'])
    code, out, error = ended(start(command))
    assert code == 4 and error.startswith("CXO154") and "secret" not in error, (code, error)
    print(f"loaded_values: {len(VALUES)} values in {len(TYPES)} types of columns, a column added, no row in an error")


if __name__ == "__main__":
    sys.exit(main())
