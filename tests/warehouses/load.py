#!/usr/bin/env python3
"""`cxr load` over a bucket that is served by moto, into PostgreSQL and DuckDB: killed at random, run twice at once, and again and again, it ends
with what the log says; rows that are gone are skipped where a later version brings others, and stop it where none does."""

import json
import random
import sys
import time

from bucket import FILE, Log, day, duckdb, ended, psql, start

DEFINITION = "infra/reports/daily-agent-performance.json"
ROWS, DAYS = 4_000, 12
QUERY = {"postgres": psql, "duckdb": duckdb}
DATABASE = {"postgres": [], "duckdb": ["--database", FILE]}
NOWHERE = {"postgres": "host=/nowhere", "duckdb": "/nowhere/file.duckdb"}

HELD = {
    "postgres": """select coalesce(json_agg(w), '[]') from (select to_char(_window_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        to_char(_window_end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), min(_version), count(*), sum(callshandled)
        from loaded.daily group by _window_start, _window_end) w (start, "end", version, rows, sum)""",
    "duckdb": """select coalesce(to_json(list({start: strftime(start at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ'), "end": strftime("end" at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ'),
        version: version, rows: rows, sum: sum::bigint})), '[]') from (select _window_start, _window_end, min(_version), count(*), sum(callsHandled)
        from loaded.daily group by _window_start, _window_end) w (start, "end", version, rows, sum)""",
}


def rows(count, seed):
    chance = random.Random(seed)
    return [{"agentId": f"A-{n}", "queueId": "it's; --", "callsHandled": chance.randint(0, 99), "handleTime": "1:02" if n == 7 else 1.5} for n in range(count)]


class Load:
    """A table in a warehouse, and the log that it is loaded from."""

    def __init__(self, warehouse):
        self.log = Log(f"landing-{warehouse}", "Daily Agent Performance Aggregation", "Daily_Agent_Performance_Aggregation")
        self.command = self.log.command(warehouse, "daily", DEFINITION, "loaded.daily")
        self.warehouse, self.query, self.database = warehouse, QUERY[warehouse], DATABASE[warehouse]

    def start(self):
        return start(self.command + self.database)

    def run(self):
        return ended(self.start())

    def held(self):
        found = json.loads(self.query(HELD[self.warehouse]))
        return {(w["start"], w["end"]): (w["version"], w["rows"], w["sum"]) for w in found}

    def commits(self):
        """What the table of commits says, which is written with the rows."""
        columns = "count(*), min(version), max(version), sum(row_count), count(case when is_withdrawn then 1 end), max(verification)"
        return self.query(f"select {columns} from loaded.cxone_commits")

    def load_whole_log(self):
        log, chance = self.log, random.Random(5)
        for number in range(DAYS):
            log.commit(number, 1, rows(ROWS, number))
        log.commit(3, 1, rows(ROWS + 1, 99))
        log.commit(4, 1, [], withdrawn=True)
        log.commit(5, 7, rows(ROWS, 100), replaces=[{"start": day(n), "end": day(n + 1)} for n in range(5, 12)])
        kills = 0
        for _ in range(12):
            pair = [self.start(), self.start()]
            time.sleep(chance.random() * 1.5)
            for child in pair:
                # What the child of cxr has got it reads to its end, and keeps nothing of a version that it has not got whole.
                kills += child.poll() is None
                child.kill()
                child.communicate()
        code, out, error = self.run_alone()
        assert code == 0, error
        assert out.rstrip().endswith(f"up to version {log.version}"), out
        assert self.held() == log.held, (self.held(), log.held)
        again = self.run()
        assert (again[0], again[1].count("\n")) == (0, 1), again
        total = self.query("select count(*) from loaded.daily where _extra ->> 'handleTime' = '1:02'")
        assert total == str(len(log.held)), total
        counted = sum([ROWS] * DAYS + [ROWS + 1, 0, ROWS])
        assert self.commits() == f"{log.version}|1|{log.version}|{counted}|1|total", self.commits()
        return kills

    def run_alone(self):
        """DuckDB opens a file for one process, and one that was killed may leave a child that still has it for a moment."""
        until = time.monotonic() + 60
        while True:
            code, out, error = self.run()
            if code != 4 or "lock" not in error or time.monotonic() > until:
                return code, out, error

    def meet_what_is_gone(self):
        log = self.log
        gone = log.commit(20, 1, rows(10, 1))
        for part in gone:
            log.s3.delete_object(Bucket=log.bucket, Key=part["key"])
        code, out, error = self.run()
        assert code == 3 and error.startswith("CXO038"), (code, error)
        assert self.held() | {(day(20), day(21)): log.held[day(20), day(21)]} == log.held
        log.commit(20, 1, rows(11, 2))
        code, out, error = self.run()
        assert code == 0 and "a later version replaces it" in out, (out, error)
        assert self.held() == log.held
        assert self.commits().startswith(f"{log.version}|1|{log.version}|"), self.commits()
        damaged = log.commit(21, 1, rows(10, 3))[0]
        body = bytearray(log.s3.get_object(Bucket=log.bucket, Key=damaged["key"])["Body"].read())
        body[-6] ^= 1
        log.put(damaged["key"], bytes(body))
        code, out, error = self.run()
        assert code == 3 and error.startswith("CXO0"), (code, error)
        assert (day(21), day(22)) not in self.held()

    def meet_wrong_databases(self):
        self.query("update loaded.cxone_loaded set version = 99")
        assert self.run()[2].startswith("CXO155")
        self.database = ["--database", NOWHERE[self.warehouse]]
        code, out, error = self.run()
        assert (code, error[:6]) == (4, "CXO154"), error


def main():
    psql("create schema loaded")
    for warehouse in QUERY:
        load = Load(warehouse)
        kills = load.load_whole_log()
        load.meet_what_is_gone()
        load.meet_wrong_databases()
        print(f"load {warehouse}: {load.log.version} versions, {kills} loaders killed, and the table is what the log says", flush=True)


if __name__ == "__main__":
    main()
