#!/usr/bin/env python3
"""The state machine that loads Redshift, infra/redshift/load.asl.json, on the local engine: with the statements that `cxr schedules --load
redshift` writes, a bucket of moto's, and PostgreSQL behind the Data API (data_api.py says what it stands for and what it does not).

Two executions at once, killed at random, with statements that end in the middle and answers that are lost, while commits come and
readers look: each reader sees what the log says of the version that the table says it holds, and the table ends as the log does.
Then each way in which it fails, by its name, and what the deployed executables delivered.
"""

import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import uuid

import boto3
import psycopg
from bucket import AWS, Log, day
from data_api import Aws, prepare

CXR, RUN_MACHINE = sys.argv[1], os.path.join(os.path.dirname(sys.argv[1]), "examples", "run_machine")
TABLE, FOLDER = "daily_agent_performance_aggregation", "Daily_Agent_Performance_Aggregation"
SCHEDULE = "redshift-daily-agent-performance"
VERSIONS, KILLS, ROUNDS = 40, 12, 200
LOOK = f"""select (select version from cxone_loaded), (select json_agg(w) from (
    select to_char(_window_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_char(_window_end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        min(_version), count(*), sum(callshandled) from {TABLE} group by _window_start, _window_end) w (start, "end", version, rows, sum))"""


def make_schedule():
    """Deploys what `cxr schedules` writes, as far as the machine sees it, and gives the input of the schedule."""
    file = os.path.join(os.environ["PGHOST"], "loads.template.json")
    subprocess.run([CXR, "schedules", "--load", "redshift", "infra/reports", file], check=True, stdout=subprocess.DEVNULL)
    resources = json.load(open(file))["Resources"]
    (target,) = (it["Properties"]["Target"] for it in resources.values() if it["Type"] == "AWS::Scheduler::Schedule")
    text = target["Input"]["Fn::Sub"].replace("${Name}", "redshift").replace("${!", "${")
    (rule,) = (it["Properties"]["Targets"][0] for it in resources.values() if it["Type"] == "AWS::Events::Rule")
    scheduler = boto3.client("scheduler", **AWS)
    scheduler.create_schedule_group(Name="loads")
    scheduler.create_schedule(
        Name=SCHEDULE, GroupName="loads", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:states:eu-central-1:123456789012:stateMachine:load", "RoleArn": "arn:aws:iam::123456789012:role/r", "Input": text},
    )  # fmt: skip
    return json.loads(text), json.loads(rule["Input"]["Fn::Sub"].replace("${Name}", "redshift"))


class Machine:
    """Starts executions of the machine, each in a process of its own."""

    def __init__(self, aws, scheduled, rung):
        self.aws, self.inputs = aws, [scheduled, rung]

    def start(self, nth=0):
        substitutions = {
            "Partition": "aws", "Bucket": self.aws.bucket, "BucketOwner": "123456789012", "Prefix": "reports", "GroupName": "loads",
            "WarehouseParameter": "WorkgroupName", "Warehouse": "reports", "Database": "dev",
        }  # fmt: skip
        command = [RUN_MACHINE, "infra/redshift/load.asl.json", self.aws.address]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child.stdin.write(json.dumps({"name": str(uuid.uuid4()), "substitutions": substitutions, "input": self.inputs[nth % 2]}))
        child.stdin.close()
        child.stdin = None
        return child

    def run(self, nth=0):
        """The executions, the last one last."""
        child = self.start(nth)
        out, error = child.stdout.read(), child.stderr.read()
        assert child.wait() == 0, error
        return [json.loads(line) for line in out.splitlines()]

    def load(self, version):
        """Runs to the head of the log, which is this version."""
        ended = self.run()[-1]
        assert (ended["status"], ended["output"]) == ("SUCCEEDED", {"v": 1, "report": f"acme/{FOLDER}", "version": version}), ended

    def fail(self, error, *words):
        """Runs, and fails like this."""
        ended = self.run()[-1]
        assert (ended["status"], ended["error"]) == ("FAILED", error), ended
        assert all(word in ended["cause"] for word in words), ended
        return ended


def rows(count, seed):
    chance = random.Random(seed)
    return [{"agentId": f"A-{n}", "queueId": "it's; --", "callsHandled": chance.randint(0, 99), "handleTime": "1:02" if n == 0 else 1.5} for n in range(count)]


class Story:
    """Commits as the pipeline makes them, and what the table holds at each version."""

    def __init__(self, log):
        self.log, self.chance, self.states = log, random.Random(7), [{}]

    def commit(self, start, days, kept, **more):
        self.log.commit(start, days, kept, **more)
        self.states.append(dict(self.log.held))

    def go_on(self):
        chance, version = self.chance, self.log.version
        count = chance.randint(1, 30)
        if version % 13 == 12:
            self.commit(0, 7, rows(count, version), replaces=[{"start": day(n), "end": day(n + 1)} for n in range(7)])
        elif version % 7 == 6:
            self.commit(7 + chance.randint(0, 3), 1, [], withdrawn=True)
        elif version % 5 == 4:
            self.commit(7 + chance.randint(0, 3), 1, [])
        else:
            self.commit(7 + chance.randint(0, 3), 1, rows(count, version), runs=[{"runId": "1"}, {"runId": "2"}])


def held(connection):
    version, windows = connection.execute(LOOK).fetchone()
    return version, {(w["start"], w["end"]): (w["version"], w["rows"], w["sum"]) for w in windows or []}


def read_all_the_time(states, ended, wrong):
    reads = 0
    with psycopg.connect(autocommit=True) as connection:
        while not ended.is_set():
            version, seen = held(connection)
            # Who reads a version has its commit, which the story enters a moment later.
            while version >= len(states):
                time.sleep(0)
            reads += 1
            if seen != states[version]:
                wrong.append((version, seen, states[version]))
    wrong.append(reads)


def race(machine, story):
    """Two at once, the one as the schedule starts it and the other as the bell does, killed at random."""
    ended, wrong, kills, pause = threading.Event(), [], 0, 0.3
    machine.aws.trouble = 0.1
    reader = threading.Thread(target=read_all_the_time, args=[story.states, ended, wrong], daemon=True)
    reader.start()
    for _ in range(ROUNDS):
        if kills >= KILLS and story.log.version >= VERSIONS:
            break
        pair = [machine.start(0), machine.start(1)]
        for _ in range(3):
            story.go_on()
            time.sleep(story.chance.random() * pause)
        killed = sum(child.poll() is None for child in pair)
        for child in pair:
            child.kill()
            child.communicate()
        # Where the machine is so fast that they end before, less is waited for the next two.
        kills, pause = kills + killed, pause if killed else pause * 0.8
    machine.aws.trouble = 0.0
    machine.load(story.log.version)
    meet_without_trouble(machine, story)
    ended.set()
    reader.join()
    *wrong, reads = wrong
    assert not wrong, wrong[0]
    assert kills >= KILLS and reads > 100, (kills, reads)
    check(story)
    return kills, reads


def meet_without_trouble(machine, story):
    """Two that load the same versions wait for each other. A snapshot from before the wait would have the second one refused."""
    before = machine.aws.counted["ended"]
    for _ in range(6):
        for _ in range(3):
            story.go_on()
        pair = [machine.start(0), machine.start(1)]
        assert [child.wait() for child in pair] == [0, 0]
    machine.load(story.log.version)
    assert machine.aws.counted["ended"] == before, machine.aws.counted


def check(story):
    """Rows and commits are what the log says."""
    with psycopg.connect() as connection:
        assert held(connection) == (story.log.version, story.log.held), (held(connection), story.log.held)
        misfits = connection.execute(f"select count(*) from {TABLE} where _extra ->> 'handleTime' = '1:02'").fetchone()
        assert misfits == (len(story.log.held),), misfits
        counted = connection.execute("select version, row_count, is_withdrawn, run_count, verification from cxone_commits order by version").fetchall()
    assert counted == story.log.said, next(pair for pair in zip(counted, story.log.said) if pair[0] != pair[1])


def fail_in_each_way(machine, story):
    log, aws = story.log, machine.aws
    # Nothing new: no transaction, and the warehouse is asked one thing.
    before = aws.counted["batches"]
    machine.load(log.version)
    assert aws.counted["batches"] == before
    # A part that lacks rows, until it has them again.
    (part,) = log.commit(20, 1, rows(1, 1))
    story.states.append(dict(log.held))
    whole = aws.read(part["key"])
    log.put_part(part["key"], ['{"agentId":"A"}\n', '{"agentId":"B"}\n'])
    log.put_manifest(log.version, [{**part, "bytes": len(aws.read(part["key"]))}])
    failed = machine.fail("Load.RowsMissing", f"version {log.version} has 1 rows", "describe-statement")
    assert "it's" not in failed["cause"]
    with psycopg.connect() as connection:
        assert held(connection) == (log.version - 1, story.states[log.version - 1])
    log.put(part["key"], whole)
    log.put_manifest(log.version, [part])
    machine.load(log.version)
    # A table that lacks a column: tried three times.
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(f"alter table {TABLE} rename column talktime to other")
        story.commit(21, 1, rows(3, 2))
        before = aws.counted["batches"]
        machine.fail("Load.StatementFailed", f"version {log.version} could not be loaded")
        assert aws.counted["batches"] == before + 3
        connection.execute(f"alter table {TABLE} rename column other to talktime")
    machine.load(log.version)
    # A manifest that comes late, because what writes it was killed.
    (part,) = log.commit(22, 1, rows(1, 8))
    story.states.append(dict(log.held))
    manifest = f"{log.folder}/_manifest/{log.version:020}.json"
    log.s3.delete_object(Bucket=log.bucket, Key=manifest)
    machine.fail("Load.StatementFailed")
    log.put_manifest(log.version, [part])
    machine.load(log.version)
    # A gap, as where the log was copied in part.
    story.commit(22, 1, rows(2, 5))
    missing = f"{log.folder}/_log/{log.version:020}.json"
    entry = aws.read(missing)
    story.commit(22, 1, rows(2, 6))
    log.s3.delete_object(Bucket=log.bucket, Key=missing)
    machine.fail("Load.LogUnreadable", f"the next version is {log.version - 1}")
    log.put(missing, entry)
    machine.load(log.version)
    for operation, error in [
        ("ListObjectsV2", "Load.LogUnreadable"), ("GetObject", "Load.LogUnreadable"), ("ExecuteStatement", "Load.Refused"), ("BatchExecuteStatement", "Load.Refused"),
        ("DescribeStatement", "Load.Refused"), ("GetStatementResult", "Load.Refused"),
    ]:  # fmt: skip
        if operation == "GetObject":
            story.commit(22, 1, rows(3, 3))
        aws.denied = {operation}
        machine.fail(error, "is not authorized")
    aws.denied = {"GetSchedule"}
    assert machine.run(1)[-1]["error"] == "Load.ScheduleUnreadable"
    aws.denied = set()
    machine.load(log.version)


def outgrow_a_state(machine, story):
    """An entry with as many parts as a state can't hold, and a load that hands over to another execution before its history is full."""
    log, aws = story.log, machine.aws
    for _ in range(45):
        story.go_on()
    aws.looks = 14
    executions = machine.run()
    aws.looks = 0
    assert [it["status"] for it in executions] == ["SUCCEEDED"] * len(executions) and len(executions) > 1, executions
    assert max(it["events"] for it in executions) < 20_000, executions
    check(story)
    story.commit(23, 1, rows(3, 4), warnings=["x" * 262_144])
    machine.fail("Load.EntryTooLarge", f"{log.version:020}.json")
    return len(executions)


def lack_rights(aws, machine):
    """A user who may neither use the tables nor make any."""
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("create role nobody login")
    aws.user = "nobody"
    machine.fail("Load.NotSetUp", "the user may not use them")
    aws.user = "postgres"


def load_what_was_delivered(machine):
    """What the deployed executables wrote, log and manifests, as it is: two days, and one of them again."""
    folder, binaries = os.path.join(os.environ["PGHOST"], "delivered-for-redshift"), os.path.dirname(os.path.abspath(CXR))
    for args in (["--window", "2026-11-20"], ["--window", "2026-11-21"], ["--window", "2026-11-20", "--seed", "8", "--replay", "late rows"]):
        command = [f"{binaries}/local", "--out", folder, "--time-scale", "virtual", "--rows", "2000", "--fault", "none", *args]
        done = subprocess.run(command, env={**os.environ, "LOCAL_HANDLERS": binaries}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    aws, root = machine.aws, pathlib.Path(folder, "landing")
    aws.s3.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for file in root.rglob("*"):
        if file.is_file():
            aws.s3.put_object(Bucket="landing", Key=str(file.relative_to(root)), Body=file.read_bytes())
    aws.bucket, wanted = "landing", {}
    for entry in sorted(root.glob(f"reports/acme/{FOLDER}/_log/*.json")):
        commit = json.loads(entry.read_text())
        lines = [json.loads(line) for part in commit["parts"] for line in gzip.decompress((root / part["key"]).read_bytes()).splitlines()]
        handled = (line.get("callsHandled") for line in lines)
        # What has more digits is in _extra.
        total = sum(int(value) for value in handled if isinstance(value, (int, float)) and value == int(value) and abs(value) < 10**18)
        wanted[commit["window"]["start"], commit["window"]["end"]] = (commit["version"], len(lines), total)
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(f"drop table {TABLE}, cxone_commits, cxone_loaded")
        machine.load(3)
        assert held(connection) == (3, wanted), (held(connection), wanted)
    return sum(rows for _, rows, _ in wanted.values())


def main():
    prepare()
    log = Log("landing-redshift", "Daily Agent Performance Aggregation", FOLDER)
    story = Story(log)
    aws = Aws(AWS, log.bucket)
    machine = Machine(aws, *make_schedule())
    # The first two meet no tables, and both make them.
    story.go_on()
    pair = [machine.start(0), machine.start(1)]
    assert [child.wait() for child in pair] == [0, 0]
    machine.load(1)
    kills, reads = race(machine, story)
    fail_in_each_way(machine, story)
    executions = outgrow_a_state(machine, story)
    lack_rights(aws, machine)
    delivered = load_what_was_delivered(machine)
    assert not aws.wrong, aws.wrong
    print(f"redshift_load: {log.version - 1} versions, {kills} executions killed, {reads} reads, {executions} executions in a row, {delivered} rows that were delivered, and of the statements {aws.counted}")


if __name__ == "__main__":
    main()
