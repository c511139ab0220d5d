#!/usr/bin/env python3
"""`cxr ddl` in each dialect: DuckDB and PostgreSQL make the tables, twice, and say what they have; sqlglot parses the others."""

import glob
import json
import subprocess
import sys

import duckdb
import sqlglot
from sqlglot import exp

WAREHOUSES = ["snowflake", "redshift", "bigquery", "athena", "postgres", "duckdb", "spark"]
DEFINITIONS = [*sorted(glob.glob("crates/local/definitions/*.json")), *sorted(glob.glob("infra/reports/*.json"))]

# Words of the languages, quotes of all kinds, characters that some refuse, and names that are too long somewhere.
NAMES = [
    "select", "Order", "group", "user", "timestamp", "date", "table", "end", "offset", "window", "xmin", "oid", "_PARTITIONTIME",
    "Contact ID", 'say "hi"', "it's", "back`tick", "semi;colon", "a.b", "tab?", "(paren)", "50 %", "Größe", "日本語", "2nd",
    "-- comment", "/* no */", "back\\slash", "a" * 70, "a" * 69 + "b" * 140, "é" * 120, "x=y", "{brace}", "[bracket]", "$dollar", "@at", "#hash",
]  # fmt: skip


def cxr(*args):
    return subprocess.run([sys.argv[1], *args], capture_output=True, text=True)


def hostile():
    """A definition with all these names, each with a description that would like to be SQL."""
    column = lambda name: {"name": name, "type": "double", "unit": "s'", "description": "ends'); drop table x; -- \\"}
    return {
        "name": "It's a \"report\"; --",
        "schedule": {"type": "daily", "time": "05:30", "timezone": "UTC"},
        "report": {
            "reportId": "540",
            "apiVersion": 34,
            "utcOffset": "+00:00",
            "columns": [column(name) for name in NAMES],
            "dateRange": {"type": "relative", "value": "previousDay"},
        },
        "delivery": {"type": "api"},
        "pipeline": {"tenant": "acme", "api": "data-download", "key": ["select"]},
    }


def parsed(sql, warehouse):
    """The statements, if sqlglot understands every one of them."""
    dialect = {"spark": "databricks"}.get(warehouse, warehouse)
    statements = [it for it in sqlglot.parse(sql, dialect=dialect) if it is not None]
    assert statements and not any(isinstance(it, exp.Command) for it in statements), sql
    return statements


def names_in(statement):
    return [it.name for it in statement.this.expressions if isinstance(it, exp.ColumnDef)]


def psql(sql):
    done = subprocess.run(
        ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--file=-"],
        input=sql, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


COLUMNS = "select column_name from information_schema.columns where table_name = '{}' order by ordinal_position"


def check(definition, warehouse, file):
    done = cxr("ddl", "--for", warehouse, "--json", file)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    names = [column["name"] for column in made["columns"]]
    statements = parsed(made["sql"], warehouse)
    assert names_in(statements[0]) == names, (warehouse, names_in(statements[0]), names)
    table = statements[0].this.this.name
    if warehouse == "duckdb":
        with duckdb.connect() as database:
            for _ in range(2):
                database.execute(made["sql"])
            held = [name for (name,) in database.execute(COLUMNS.format(table.replace("'", "''"))).fetchall()]
        assert held == names, (held, names)
    if warehouse == "postgres":
        psql(made["sql"] * 2)
        assert psql(COLUMNS.format(table.replace("'", "''"))) == names
    return len(names)


def check_load(file):
    """The transaction of Snowflake's load, which is inside of a procedure. Of the rest sqlglot knows the tables alone."""
    done = cxr("sql", "snowflake", "--prefix", "reports", file)
    assert done.returncode == 0, done.stderr
    _, body, _ = done.stdout.split("$$")
    load = body[body.index("update cxone_loaded") : body.index("commit;")]
    statements = [it for it in sqlglot.parse(load, dialect="snowflake") if it is not None]
    assert [type(it) for it in statements] == [exp.Update, exp.Delete, exp.Insert, exp.Delete, exp.Insert], statements


def check_bigquery(file):
    """The tables that the file for BigQuery makes, and the transaction of its procedure."""
    done = cxr("sql", "bigquery", "--prefix", "reports", "--table", "reports.daily", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("-- NOT RUN ON BIGQUERY."), done.stdout
    set_up, procedure = done.stdout.split("create or replace procedure")
    kinds = [type(it) for it in parsed(set_up, "bigquery")]
    assert kinds == [exp.Create, exp.Create, exp.Create, exp.Insert], kinds
    transaction = procedure[procedure.index("update `reports`") : procedure.index("commit transaction;")]
    kinds = [type(it) for it in parsed(transaction, "bigquery")]
    assert kinds == [exp.Update, exp.Delete, exp.Insert, exp.Delete, exp.Insert], kinds


def main():
    files = [(json.load(open(file)), file) for file in DEFINITIONS]
    with open("target/warehouses/hostile.json", "w") as file:
        json.dump(hostile(), file)
    files.append((hostile(), file.name))
    assert cxr("check", file.name).returncode == 0, cxr("check", file.name).stdout
    for _, name in files:
        check_load(name)
        check_bigquery(name)
    columns = sum(check(definition, warehouse, name) for definition, name in files for warehouse in WAREHOUSES)
    print(f"ddl: {len(files)} definitions for {len(WAREHOUSES)} warehouses, {columns} columns: PostgreSQL and DuckDB ran them, sqlglot parsed them")


if __name__ == "__main__":
    main()
