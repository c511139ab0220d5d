#!/usr/bin/env python3
"""The loads that `cxr sql` prints, by four loaders at once that are killed at random, under readers that look all the time.

What a reader sees in one statement has to be what the log says of the version that the bookkeeping names, in every window, to the
row. The same test then runs with the fence that seems right and is wrong: an update that finds no row takes no lock. It has to fail.

That of PostgreSQL is run as it is printed. Of Redshift's, COPY reads from the client instead, and PostgreSQL is told of two types and a function.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psycopg

DEFINITION = "infra/reports/daily-agent-performance.json"
READS, LOADERS, READERS, VERSIONS = 5_000, 4, 3, 60
# Longer than it ever takes on a busy machine, so that a hang ends.
LIMIT = 240

RIGHT = "set version = case when version = :version - 1 then :version else version end where "
WRONG = "set version = :version where version = :version - 1 and "


# What Redshift has and PostgreSQL has not.
LIKE_REDSHIFT = """do $$ begin create domain super as jsonb; exception when duplicate_object then null; end $$;
create or replace function json_parse(text text) returns jsonb language sql as $$ select text::jsonb $$;
"""


def swap(sql, old, new):
    assert sql.count(old) == 1, (old, sql.count(old))
    return sql.replace(old, new)


def script(warehouse, fence):
    done = subprocess.run([sys.argv[1], "sql", warehouse, "--prefix", "reports", DEFINITION], capture_output=True, text=True, check=True)
    sql = swap(done.stdout, RIGHT, fence)
    if warehouse == "redshift":
        copy = "copy cxone_stage from :'manifest' iam_role default manifest format json 'auto ignorecase' gzip;"
        sql = swap(sql, copy, "\\copy cxone_stage (agentid, callshandled, handletime) from pstdin csv")
        sql = swap(sql, ' sortkey ("_window_start")', "")
        sql = swap(sql, ' sortkey ("window_start")', "")
        sql = swap(sql, "create table if not exists \"daily", LIKE_REDSHIFT + "create table if not exists \"daily")
        if fence == WRONG:
            sql = swap(sql, "lock table cxone_loaded;\n", "")
    # Between the statements is where a loader is overtaken or killed.
    for statement in ('delete from "daily', 'insert into "daily', "commit;\nselect version"):
        assert sql.count("\n" + statement) == 1, statement
        sql = sql.replace("\n" + statement, "\nselect pg_sleep(random() * 0.02) \\g /dev/null\n" + statement)
    path = os.path.join(os.environ["PGHOST"], f"{warehouse}.sql")
    with open(path, "w") as file:
        file.write(sql)
    return path


def day(number):
    return f"2026-11-{number:02}T00:00:00Z"


def log(seed):
    """Commits as the pipeline makes them: days, replays of days, weeks that cover their days, and days that are taken back."""
    chance, commits = random.Random(seed), []
    held, states = {}, [{}]
    for version in range(1, VERSIONS + 1):
        start = chance.randint(1, 8)
        days = 1
        covered = [w for w in held if w[1] - w[0] > 1 and w[0] <= start < w[1]]
        if covered:
            # Inside of a week that is held only the same week comes again.
            start, days = covered[0][0], covered[0][1] - covered[0][0]
        elif chance.random() < 0.1 and not any(w[1] - w[0] > 1 for w in held):
            start, days = 1, 7
        window = (start, start + days)
        withdrawn = chance.random() < 0.15
        rows = [] if withdrawn else [chance.randint(0, 10**6) for _ in range(chance.randint(1, 40))]
        commits.append({"version": version, "window": window, "rows": rows})
        held = {w: it for w, it in held.items() if not (window[0] <= w[0] and w[1] <= window[1])}
        held[window] = (version, len(rows), sum(rows))
        states.append({f"{day(w[0])}/{day(w[1])}": it for w, it in held.items() if it[1]})
    return commits, states


def entry(commit):
    """What the log says of a commit, without its lists of parts and columns."""
    start, end = (day(number) for number in commit["window"])
    count = len(commit["rows"])
    said = {
        "version": commit["version"], "window": {"start": start, "end": end}, "generation": 1, "runs": [{"runId": "it's-1"}, {"runId": "2"}],
        "rows": count, "unique": count, "duplicates": 0, "replaced": 0, "verification": "total", "unchanged": False,
        "committedAt": "2026-11-30T00:00:00Z",
    }  # fmt: skip
    return json.dumps(said | ({} if count else {"withdrawn": True}))


def load(path, commit):
    rows = commit["rows"]
    lines = "".join(f"A-{n},{row},1:02\n" for n, row in enumerate(rows)) if "redshift" in path else "".join(json.dumps({"agentId": f"A-{n}", "callsHandled": row, "note": "x\\y\t\"é"}) + "\n" for n, row in enumerate(rows))
    values = {
        "version": commit["version"], "unique": len(commit["rows"]), "committed_at": "2026-11-30T00:00:00Z",
        "window_start": day(commit["window"][0]), "window_end": day(commit["window"][1]), "entry": entry(commit),
    }  # fmt: skip
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-f", path]
    command += [f"--set={name}={value}" for name, value in values.items()]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    return child, lines


def feed(child, lines):
    try:
        child.stdin.write(lines)
        child.stdin.close()
    except BrokenPipeError:
        pass
    child.wait()


LOOK = """select (select version from cxone_loaded), (select json_agg(w) from (
    select to_char(_window_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '/' || to_char(_window_end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        min(_version), count(*), sum(callshandled), max(_version) from daily_agent_performance_aggregation group by _window_start, _window_end) w (key, version, rows, sum, newest))"""


class Round:
    """One log, loaded to its end."""

    def __init__(self, path, seed):
        self.path, self.chance = path, random.Random(seed)
        self.commits, self.states = log(seed)
        self.reads = self.wrong = self.kills = self.loads = 0
        self.killers = []
        self.ended, self.lock, self.until = threading.Event(), threading.Lock(), time.monotonic() + LIMIT

    def version(self, connection):
        return connection.execute("select version from cxone_loaded").fetchone()[0]

    def work(self, seed):
        chance = random.Random(seed)
        with psycopg.connect(autocommit=True) as connection:
            while time.monotonic() < self.until:
                held = self.version(connection)
                if held == VERSIONS:
                    return
                # Mostly the next one; also the last one again, an old one that was held up, and one that is too early.
                version = min(max(held + chance.choice([1, 1, 1, 1, 0, -1, 2]), 1), VERSIONS)
                child, lines = load(self.path, self.commits[version - 1])
                if chance.random() < 0.25:
                    killer = threading.Timer(chance.random() * 0.15, self.kill, [child])
                    self.killers.append(killer)
                    killer.start()
                feed(child, lines)
                with self.lock:
                    self.loads += 1

    def kill(self, child):
        with self.lock:
            self.kills += 1
        if child.pid % 2:
            try:
                child.send_signal(signal.SIGKILL)
            except ProcessLookupError:
                pass
            return
        with psycopg.connect(autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'psql' order by random() limit 1"
            )

    def read(self):
        with psycopg.connect(autocommit=True) as connection:
            while True:
                last = self.ended.is_set()
                version, windows = connection.execute(LOOK).fetchone()
                seen = {w["key"]: (w["version"], w["rows"], w["sum"]) for w in windows or []}
                is_wrong = seen != self.states[version] or any(w["version"] != w["newest"] for w in windows or [])
                with self.lock:
                    self.reads += 1
                    self.wrong += is_wrong
                if last:
                    return

    def run(self):
        with psycopg.connect(autocommit=True) as connection:
            connection.execute("drop table if exists cxone_loaded, cxone_commits, daily_agent_performance_aggregation")
        subprocess.run(["psql", "--no-psqlrc", "--quiet", "-f", self.path], check=True, stdout=subprocess.DEVNULL)
        readers = [threading.Thread(target=self.read) for _ in range(READERS)]
        loaders = [threading.Thread(target=self.work, args=[self.chance.random()]) for _ in range(LOADERS)]
        for thread in readers + loaders:
            thread.start()
        for thread in loaders:
            thread.join()
        # One that is late would kill what sets the next round up.
        for killer in self.killers:
            killer.cancel()
            killer.join()
        self.ended.set()
        for thread in readers:
            thread.join()
        assert time.monotonic() < self.until, "the loaders did not come to an end"
        return self

    def check_commits(self):
        """The table of commits has each version once, with the figures of the log."""
        rows = [len(commit["rows"]) for commit in self.commits]
        wanted = (VERSIONS, 1, VERSIONS, sum(rows), rows.count(0), 2 * VERSIONS)
        query = "select count(*), min(version), max(version), sum(row_count)::int, count(*) filter (where is_withdrawn), sum(run_count)::int from cxone_commits"
        with psycopg.connect(autocommit=True) as connection:
            found = connection.execute(query).fetchone()
        assert found == wanted, (found, wanted)


def check(warehouse, fence, enough):
    """Rounds until there are enough reads, or until one was wrong where that is looked for."""
    path, totals = script(warehouse, fence), {"reads": 0, "wrong": 0, "kills": 0, "loads": 0, "rounds": 0}
    while not enough(totals):
        done = Round(path, 1000 + totals["rounds"]).run()
        if fence == RIGHT:
            done.check_commits()
        for name in ("reads", "wrong", "kills", "loads"):
            totals[name] += getattr(done, name)
        totals["rounds"] += 1
    return totals


def main():
    for warehouse in ("postgres", "redshift"):
        right = check(warehouse, RIGHT, lambda it: (it["reads"] >= READS and it["rounds"] >= 2) or it["wrong"])
        print(f"fence, {warehouse}:", right, flush=True)
        assert right["wrong"] == 0, "a reader saw what no version is"
        assert right["kills"] >= 20
        wrong = check(warehouse, WRONG, lambda it: it["wrong"] or it["rounds"] == 10)
        print(f"the wrong fence, {warehouse}:", wrong, flush=True)
        assert wrong["wrong"], "the wrong fence was not noticed"


if __name__ == "__main__":
    main()
