"""A report's folder in the bucket that moto serves, written as finalize writes it, and `cxr load` over it."""

import datetime
import gzip
import hashlib
import json
import os
import subprocess
import sys

import boto3

WORK = os.environ["PGHOST"]
FILE = f"{WORK}/database.duckdb"
AWS = {"endpoint_url": os.environ["MOTO_ENDPOINT"], "aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-central-1"}
ENVIRONMENT = {
    **os.environ, "AWS_ENDPOINT_URL": os.environ["MOTO_ENDPOINT"], "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
}  # fmt: skip


def day(number):
    return (datetime.date(2026, 11, 1) + datetime.timedelta(days=number)).isoformat() + "T00:00:00Z"


class Log:
    """The log of a report, and which rows each window has by it: version, count, and the sum of a column."""

    def __init__(self, bucket, name, folder, summed="callsHandled"):
        self.s3 = boto3.client("s3", **AWS)
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.bucket, self.name, self.folder, self.summed = bucket, name, f"reports/acme/{folder}", summed
        # And what each commit says, as the table of commits has it.
        self.version, self.held, self.said = 0, {}, []

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_part(self, key, lines):
        body = gzip.compress("".join(lines).encode())
        self.put(key, body)
        return {"key": key, "rows": len(lines), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    def put_manifest(self, version, parts):
        entries = [{"url": f"s3://{self.bucket}/{part['key']}", "mandatory": True, "meta": {"content_length": part["bytes"]}} for part in parts]
        self.put(f"{self.folder}/_manifest/{version:020}.json", json.dumps({"entries": entries}).encode())

    def commit(self, start, days, rows, **more):
        """Rows as objects, or as lines of JSON."""
        self.version += 1
        window = {"start": day(start), "end": day(start + days)}
        lines = [row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows]
        halves = [lines[: len(lines) // 2], lines[len(lines) // 2 :]]
        names = (f"{self.folder}/data/v{self.version}-{nth}.ndjson.gz" for nth in range(2))
        parts = [self.put_part(name, half) for name, half in zip(names, halves) if half]
        commit = {
            "v": 1, "version": self.version, "report": self.name, "tenant": "acme", "window": window, "generation": self.version,
            "definitionHash": "0" * 64, "runs": [], "rows": len(rows), "unique": len(rows), "duplicates": 0, "replaced": 0,
            "empty": not rows, "verification": "total", "columns": [], "parts": parts, "content": "", "supersedes": None,
            "unchanged": False, "committedAt": "2026-11-30T00:00:00Z", **more,
        }  # fmt: skip
        self.put_manifest(self.version, parts)
        self.put(f"{self.folder}/_log/{self.version:020}.json", json.dumps(commit).encode())
        self.said.append((self.version, len(rows), commit.get("withdrawn", False), len(commit["runs"]), commit["verification"]))
        self.held = {key: it for key, it in self.held.items() if not (window["start"] <= key[0] and key[1] <= window["end"])}
        if rows:
            total = sum(row.get(self.summed, 0) for row in rows if not isinstance(row, str))
            self.held[window["start"], window["end"]] = (self.version, len(rows), total)
        return parts

    def command(self, warehouse, report, definition, table):
        folder = ["--bucket", self.bucket, "--prefix", "reports"]
        return [sys.argv[1], "load", warehouse, report, *folder, "--definition", definition, "--table", table]


def start(command):
    environment = {**ENVIRONMENT, "XDG_CACHE_HOME": f"{WORK}/cache"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(child):
    out, error = child.communicate(timeout=120)
    return child.returncode, out, error


def psql(sql):
    """The one value of a query."""
    done = subprocess.run(["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-c", sql], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def duckdb(sql):
    """The one value of a query."""
    done = subprocess.run(["duckdb", "-no-init", "-batch", "-bail", "-noheader", "-list", FILE, sql], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
