#!/usr/bin/env python3
"""What the load for PostgreSQL makes of values: of every kind, in every type of column, to the byte."""

import json
import os
import subprocess
import sys

TYPES = ["long", "double", "string", "timestamp", "boolean"]
# A field as it is stored, and what the columns of these types hold then. `-` is null and kept in _extra, `None` is null and kept nowhere.
KEPT = "-"
VALUES = [
    ('null', None, None, None, None, None),
    ('""', None, None, "", None, None),
    ('0', "0", "0", "0", KEPT, KEPT),
    ('-17', "-17", "-17", "-17", KEPT, KEPT),
    ('12.0', "12", "12", "12.0", KEPT, KEPT),
    ('12.5', KEPT, "12.5", "12.5", KEPT, KEPT),
    ('1e3', "1000", "1000", "1000", KEPT, KEPT),
    ('9223372036854775806', "9223372036854775806", "9.223372036854776e+18", "9223372036854775806", KEPT, KEPT),
    ('9223372036854775808', KEPT, "9.223372036854776e+18", "9223372036854775808", KEPT, KEPT),
    ('1e251', KEPT, KEPT, "1" + "0" * 251, KEPT, KEPT),
    ('"42"', "42", "42", "42", KEPT, KEPT),
    ('"42.00"', "42", "42", "42.00", KEPT, KEPT),
    ('"1e400"', KEPT, KEPT, "1e400", KEPT, KEPT),
    ('"NaN"', KEPT, KEPT, "NaN", KEPT, KEPT),
    ('"1,234"', KEPT, KEPT, "1,234", KEPT, KEPT),
    ('"00:05:12"', KEPT, KEPT, "00:05:12", KEPT, KEPT),
    ('"99999999999999999999"', KEPT, "1e+20", "99999999999999999999", KEPT, KEPT),
    ('true', KEPT, KEPT, "true", KEPT, "t"),
    ('"False"', KEPT, KEPT, "False", KEPT, "f"),
    ('"yes"', KEPT, KEPT, "yes", KEPT, KEPT),
    ('"2026-11-21T05:30:00Z"', KEPT, KEPT, "2026-11-21T05:30:00Z", "2026-11-21 05:30:00+00", KEPT),
    ('"2026-11-21T05:30:00.123+02:00"', KEPT, KEPT, "2026-11-21T05:30:00.123+02:00", "2026-11-21 03:30:00.123+00", KEPT),
    ('"2026-11-21 05:30"', KEPT, KEPT, "2026-11-21 05:30", "2026-11-21 05:30:00+00", KEPT),
    ('"2026-11-21"', KEPT, KEPT, "2026-11-21", "2026-11-21 00:00:00+00", KEPT),
    ('"2024-02-29"', KEPT, KEPT, "2024-02-29", "2024-02-29 00:00:00+00", KEPT),
    ('"2026-02-29"', KEPT, KEPT, "2026-02-29", KEPT, KEPT),
    ('"2026-13-01"', KEPT, KEPT, "2026-13-01", KEPT, KEPT),
    ('"11/21/2026"', KEPT, KEPT, "11/21/2026", KEPT, KEPT),
    ('"now"', KEPT, KEPT, "now", KEPT, KEPT),
    ('[1,2]', KEPT, KEPT, "[1, 2]", KEPT, KEPT),
    ('{"a":1}', KEPT, KEPT, '{"a": 1}', KEPT, KEPT),
    ('"\\\\N"', KEPT, KEPT, "\\N", KEPT, KEPT),
    ('"a\\tb\\nc\\"d\\\\e"', KEPT, KEPT, 'a\tb\nc"d\\e', KEPT, KEPT),
    ('"nul\\u0000\\u0000 no\\\\u0000"', KEPT, KEPT, "nul\ufffd\ufffd no\\u0000", KEPT, KEPT),
    ('"日本 😀 \\ud83d\\ude00"', KEPT, KEPT, "日本 😀 😀", KEPT, KEPT),
]  # fmt: skip


def definition():
    return {
        "name": "values",
        "schedule": {"type": "daily", "time": "05:30", "timezone": "UTC"},
        "report": {
            "reportId": "540",
            "apiVersion": 34,
            "utcOffset": "+00:00",
            "columns": [{"name": name, "type": name} for name in TYPES] + ["nth"],
            "dateRange": {"type": "relative", "value": "previousDay"},
        },
        "delivery": {"type": "api"},
        "pipeline": {"tenant": "acme", "api": "data-download", "key": ["nth"]},
    }


def psql(*args, rows=""):
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", *args]
    done = subprocess.run(command, input=rows, capture_output=True, text=True, env={**os.environ, "PGTZ": "UTC"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def widen(extra):
    """The same with all numbers as fractions, which Python would tell from whole ones."""
    return json.loads(json.dumps(extra), parse_int=float)


def main():
    folder = os.environ["PGHOST"]
    with open(f"{folder}/values.json", "w") as file:
        json.dump(definition(), file)
    made = subprocess.run([sys.argv[1], "sql", "postgres", "--table", "public.held", file.name], capture_output=True, text=True, check=True)
    with open(f"{folder}/values.sql", "w") as script:
        script.write(made.stdout)
    for _ in range(2):
        psql("-f", script.name)
    lines = [
        "{" + ",".join(f'"{name}":{value}' for name in TYPES) + f', "nth":"{nth}"' + (',"other":{"x":null}' if nth == 0 else "") + "}\n"
        for nth, (value, *_) in enumerate(VALUES)
    ]
    variables = {
        "version": 1, "unique": len(lines), "window_start": "2026-11-21T00:00:00Z", "window_end": "2026-11-22T00:00:00Z",
        "committed_at": "2026-11-22T05:37:06Z",
    }  # fmt: skip
    arguments = [f"--set={name}={value}" for name, value in variables.items()]
    for missing in (lines[:-1], [*lines, lines[0]], []):
        refused = subprocess.run(["psql", "--no-psqlrc", *arguments, "-f", script.name], input="".join(missing), capture_output=True, text=True)
        assert refused.returncode != 0 and "division by zero" in refused.stderr, refused.stderr
    said = psql(*arguments, "-f", script.name, rows="".join(lines))
    held = json.loads(psql("-c", "select json_agg(json_build_array(nth, long::text, double::text, string, timestamp::text, boolean::text, _extra) order by nth::int) from held"))
    with_extra = 0
    for (value, *wanted), (nth, *found, extra) in zip(VALUES, held, strict=True):
        expected = [None if it == KEPT else {"t": "true", "f": "false"}.get(it, it) for it in wanted]
        assert found == expected, (value, found, expected)
        stored = json.loads(value)
        kept = {name: it for name, it in zip(TYPES, wanted) if it == KEPT}
        if "nul" not in value:
            kept = {name: stored for name in kept}
            if nth == "0":
                kept["other"] = {"x": None}
            assert widen(extra or {}) == widen(kept), (value, extra, kept)
        with_extra += extra is not None
    assert said.strip() == f"1|{with_extra}", said
    # A column that the definition has since, and the rows that are there keep what they have.
    more = definition()
    more["report"]["columns"].append({"name": "other", "type": "string"})
    with open(file.name, "w") as again:
        json.dump(more, again)
    made = subprocess.run([sys.argv[1], "sql", "postgres", "--table", "public.held", file.name], capture_output=True, text=True, check=True)
    with open(script.name, "w") as again:
        again.write(made.stdout)
    psql("-f", script.name)
    psql(*arguments, "-f", script.name, rows="".join(lines))
    assert psql("-c", "select other from held where nth = '0'").strip() == '{"x": null}'
    print(f"values: {len(VALUES)} values in {len(TYPES)} types of columns, missing and surplus rows refused, a column added")


if __name__ == "__main__":
    main()
