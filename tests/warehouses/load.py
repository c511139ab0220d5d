#!/usr/bin/env python3
"""`cxr load postgres` over a bucket that is served by moto: killed at random, run twice at once, and again and again, it ends with what the
log says; rows that are gone are skipped where a later version brings others, and stop it where none does."""

import datetime
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import time

import boto3

DEFINITION = "infra/reports/daily-agent-performance.json"
REPORT = "reports/acme/Daily_Agent_Performance_Aggregation"
NAME = "Daily Agent Performance Aggregation"
CXR = [sys.argv[1], "load", "postgres", "daily", "--bucket", "landing", "--prefix", "reports", "--definition", DEFINITION, "--table", "loaded.daily"]
ENVIRONMENT = {
    **os.environ, "AWS_ENDPOINT_URL": os.environ["MOTO_ENDPOINT"], "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1", "XDG_CACHE_HOME": os.environ["PGHOST"] + "/cache",
}  # fmt: skip
ROWS, DAYS = 4_000, 12


def day(number):
    return (datetime.date(2026, 11, 1) + datetime.timedelta(days=number)).isoformat() + "T00:00:00Z"


class Log:
    """A report's folder, as finalize writes it."""

    def __init__(self):
        self.s3 = boto3.client("s3", endpoint_url=os.environ["MOTO_ENDPOINT"], aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
        self.s3.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.version, self.held = 0, {}

    def put(self, key, body):
        self.s3.put_object(Bucket="landing", Key=key, Body=body)

    def commit(self, start, days, rows, **more):
        self.version += 1
        window = {"start": day(start), "end": day(start + days)}
        parts = []
        for nth, half in enumerate([rows[: len(rows) // 2], rows[len(rows) // 2 :]]):
            if not half:
                continue
            body = gzip.compress("".join(json.dumps(row) + "\n" for row in half).encode())
            key = f"{REPORT}/data/v{self.version}-{nth}.ndjson.gz"
            self.put(key, body)
            parts.append({"key": key, "rows": len(half), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()})
        commit = {
            "v": 1, "version": self.version, "report": NAME, "tenant": "acme", "window": window, "generation": self.version,
            "definitionHash": "0" * 64, "runs": [], "rows": len(rows), "unique": len(rows), "duplicates": 0, "replaced": 0,
            "empty": not rows, "verification": "total", "columns": [], "parts": parts, "content": "", "supersedes": None,
            "unchanged": False, "committedAt": "2026-11-30T00:00:00Z", **more,
        }  # fmt: skip
        self.put(f"{REPORT}/_log/{self.version:020}.json", json.dumps(commit).encode())
        self.held = {key: it for key, it in self.held.items() if not (window["start"] <= key[0] and key[1] <= window["end"])}
        if rows:
            self.held[window["start"], window["end"]] = (self.version, len(rows), sum(row["callsHandled"] for row in rows))
        return parts


def rows(count, seed):
    chance = random.Random(seed)
    return [{"agentId": f"A-{n}", "queueId": "Q", "callsHandled": chance.randint(0, 99), "handleTime": "1:02" if n == 7 else 1.5} for n in range(count)]


def psql(sql):
    done = subprocess.run(["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-c", sql], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def held():
    query = """select coalesce(json_agg(w), '[]') from (select to_char(_window_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        to_char(_window_end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), min(_version), count(*), sum(callshandled)
        from loaded.daily group by _window_start, _window_end) w (start, "end", version, rows, sum)"""
    return {(w["start"], w["end"]): (w["version"], w["rows"], w["sum"]) for w in json.loads(psql(query))}


def start():
    return subprocess.Popen(CXR, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(child):
    out, error = child.communicate(timeout=120)
    return child.returncode, out, error


def main():
    psql("create schema loaded")
    log, chance = Log(), random.Random(5)
    for number in range(DAYS):
        log.commit(number, 1, rows(ROWS, number))
    log.commit(3, 1, rows(ROWS + 1, 99))
    log.commit(4, 1, [], withdrawn=True)
    log.commit(5, 7, rows(ROWS, 100), replaces=[{"start": day(n), "end": day(n + 1)} for n in range(5, 12)])
    kills = 0
    for _ in range(12):
        pair = [start(), start()]
        time.sleep(chance.random() * 1.5)
        for child in pair:
            # psql reads to its end what it has got, and keeps nothing of a version that it has not got whole.
            kills += child.poll() is None
            child.kill()
            child.communicate()
    code, out, error = ended(start())
    assert code == 0, error
    assert out.rstrip().endswith(f"up to version {log.version}"), out
    assert held() == log.held, (held(), log.held)
    again = ended(start())
    assert (again[0], again[1].count("\n")) == (0, 1), again
    assert psql("select count(*) from loaded.daily where _extra = '{\"handleTime\": \"1:02\"}'") == str(len(log.held)), out

    gone = log.commit(20, 1, rows(10, 1))
    for part in gone:
        log.s3.delete_object(Bucket="landing", Key=part["key"])
    code, out, error = ended(start())
    assert code == 3 and error.startswith("CXO038"), (code, error)
    assert held() | {(day(20), day(21)): log.held[day(20), day(21)]} == log.held
    log.commit(20, 1, rows(11, 2))
    code, out, error = ended(start())
    assert code == 0 and "a later version replaces it" in out, (out, error)
    assert held() == log.held
    damaged = log.commit(21, 1, rows(10, 3))[0]
    body = bytearray(log.s3.get_object(Bucket="landing", Key=damaged["key"])["Body"].read())
    body[-6] ^= 1
    log.put(damaged["key"], bytes(body))
    code, out, error = ended(start())
    assert code == 3 and error.startswith("CXO0"), (code, error)
    assert (day(21), day(22)) not in held()
    psql("update loaded.cxone_loaded set version = 99")
    assert ended(start())[2].startswith("CXO155")
    CXR.append("--database=host=/nowhere")
    code, out, error = ended(start())
    assert (code, error[:6]) == (4, "CXO154"), error
    print(f"load: {log.version} versions, {kills} loaders killed, and the table is what the log says")


if __name__ == "__main__":
    main()
