"""What AWS does for the tasks of infra/redshift/load.asl.json: S3 and EventBridge Scheduler by moto, and the Redshift Data API by
PostgreSQL, which runs a batch in one transaction, as Redshift does, and reads what COPY names from the bucket.

It is told of a task by HTTP and answers with its result or its error. The arguments have to be what the SDK's model of the API takes.
"""

import gzip
import http.server
import json
import os
import random
import re
import threading
import uuid

import boto3
import botocore.exceptions
import botocore.session
import botocore.validate
import psycopg
from fence import LIKE_REDSHIFT

CLIENTS = {"s3": "s3", "scheduler": "scheduler", "redshiftdata": "redshift-data"}
COPY = re.compile(r"copy cxone_stage from 's3://([^/']+)/([^']+)' iam_role default manifest format json 'auto ignorecase' gzip")
LEVELS = (psycopg.IsolationLevel.SERIALIZABLE, psycopg.IsolationLevel.REPEATABLE_READ)


class Refused(Exception):
    """A task's error: its name and its cause."""


class Statement:
    """A statement or a batch of the Data API."""

    def __init__(self, sqls, is_batch):
        self.id, self.sqls, self.is_batch = str(uuid.uuid4()), sqls, is_batch
        self.status, self.statuses, self.records = "SUBMITTED", ["SUBMITTED"] * len(sqls), {}
        self.ended, self.unanswered = threading.Event(), 0

    def describe(self):
        answer = {"Id": self.id, "Status": self.status}
        if self.is_batch:
            pairs = enumerate(zip(self.sqls, self.statuses), 1)
            answer["SubStatements"] = [{"Id": f"{self.id}:{nth}", "QueryString": sql, "Status": status} for nth, (sql, status) in pairs]
        return answer


class Aws:
    """Carries out tasks. `trouble` is how often a statement ends in the middle or an answer is lost; `looks` how often a statement
    that has ended is said to run still."""

    def __init__(self, endpoint, bucket):
        self.s3 = boto3.client("s3", **endpoint)
        self.clients = {"s3": self.s3, "scheduler": boto3.client("scheduler", **endpoint)}
        self.bucket, self.chance, self.trouble, self.looks = bucket, random.Random(3), 0.0, 0
        self.user, self.refuses, self.denied = "postgres", None, set()
        self.statements, self.tokens, self.lock, self.wrong = {}, {}, threading.Lock(), []
        self.counted = {"batches": 0, "repeated": 0, "ended": 0, "copies": 0}
        loader = botocore.session.get_session().get_service_model
        self.models = {name: loader(service) for name, service in CLIENTS.items()}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.make_handler())
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def make_handler(aws):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                task = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    answer = {"result": aws.carry_out(task["resource"], task["arguments"])}
                except Refused as refused:
                    answer = dict(zip(("error", "cause"), refused.args))
                body = json.dumps(answer, default=str).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    # The machine was killed.
                    pass

            def log_message(self, *_):
                pass

        return Handler

    def carry_out(self, resource, arguments):
        service, action = resource.removeprefix("arn:aws:states:::aws-sdk:").split(":")
        operation = action[0].upper() + action[1:]
        self.validate(service, operation, arguments)
        if operation in self.denied:
            raise Refused(f"{service.title()}.{service.title()}Exception", "is not authorized to perform this (Status Code: 403)")
        if service == "redshiftdata":
            return getattr(self, "do_" + botocore.xform_name(operation))(arguments)
        try:
            result = getattr(self.clients[service], botocore.xform_name(operation))(**arguments)
        except botocore.exceptions.ClientError as error:
            raise Refused(f"{service.title()}.{error.response['Error']['Code']}Exception", str(error)) from error
        result.pop("ResponseMetadata")
        if "Body" in result:
            result["Body"] = result["Body"].read().decode()
        return result

    def validate(self, service, operation, arguments):
        """Tasks spell arguments with a capital letter, whatever the API does."""
        shape = self.models[service].operation_model(operation).input_shape
        report = botocore.validate.ParamValidator().validate(arguments, shape)
        assert not report.has_errors(), report.generate_report()
        for name, value in arguments.items():
            limits = shape.members[name].metadata
            size = len(value) if isinstance(value, (str, list)) else 0
            assert size <= limits.get("max", size), f"{operation}: {name} has {size}"

    # The Data API

    def do_execute_statement(self, arguments):
        return self.accept(arguments, [arguments["Sql"]], False)

    def do_batch_execute_statement(self, arguments):
        return self.accept(arguments, arguments["Sqls"], True)

    def do_describe_statement(self, arguments):
        statement = self.statements[arguments["Id"]]
        statement.ended.wait(0.05)
        statement.unanswered += 1
        if statement.unanswered <= self.looks:
            return {"Id": statement.id, "Status": "STARTED"}
        return statement.describe()

    def do_get_statement_result(self, arguments):
        name, _, nth = arguments["Id"].partition(":")
        return {"Records": self.statements[name].records[int(nth or 1)]}

    def accept(self, arguments, sqls, is_batch):
        assert arguments["WorkgroupName"] == "reports" and arguments["Database"] == "dev", arguments
        assert all(len(sql.encode()) <= 100_000 for sql in sqls)
        with self.lock:
            statement = self.tokens.get(arguments["ClientToken"])
            self.counted["repeated"] += statement is not None
            if statement is None:
                statement = self.tokens[arguments["ClientToken"]] = Statement(sqls, is_batch)
                self.statements[statement.id] = statement
                self.counted["batches"] += is_batch
                threading.Thread(target=self.run, args=[statement], daemon=True).start()
            is_lost = self.chance.random() < self.trouble
        if is_lost:
            raise Refused("RedshiftData.InternalServerException", "the answer was lost")
        return {"Id": statement.id}

    def run(self, statement):
        statement.status = "STARTED"
        try:
            with psycopg.connect(user=self.user) as connection:
                connection.isolation_level = self.chance.choice(LEVELS)
                for nth, sql in enumerate(statement.sqls):
                    statement.statuses[nth] = "STARTED"
                    self.run_one(connection, statement, nth, sql)
                    statement.statuses[nth] = "FINISHED"
            statement.status = "FINISHED"
        except Exception as error:
            # Not found is what COPY may meet; anything else is something that the stand-in can't do.
            if not isinstance(error, (psycopg.Error, Refused, botocore.exceptions.ClientError)):
                self.wrong.append(repr(error))
            failed = statement.statuses.index("STARTED") if "STARTED" in statement.statuses else len(statement.sqls) - 1
            statement.statuses[failed:] = ["FAILED"] + ["ABORTED"] * (len(statement.sqls) - failed - 1)
            statement.status = "FAILED"
            self.counted["ended"] += 1
        finally:
            statement.ended.set()

    def run_one(self, connection, statement, nth, sql):
        if self.chance.random() < self.trouble / len(statement.sqls):
            with psycopg.connect(autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        copy = COPY.fullmatch(sql)
        if copy:
            return self.copy(connection, *copy.groups())
        assert not sql.startswith("copy"), sql
        cursor = connection.execute(re.sub(r' sortkey \("\w+"\)$', "", sql))
        if cursor.description:
            kinds = {int: "LongValue", str: "StringValue"}
            statement.records[nth + 1] = [[{kinds[type(it)]: it} for it in row] for row in cursor.fetchall()]

    def copy(self, connection, bucket, key):
        """As `COPY … MANIFEST` does: all of its files or none, and none is an error."""
        assert bucket == self.bucket, bucket
        self.counted["copies"] += 1
        entries = json.loads(self.read(key))["entries"]
        if not entries:
            raise Refused("COPY fails where a manifest names no files")
        named = connection.execute("select column_name from information_schema.columns where table_name = 'cxone_stage' order by ordinal_position")
        columns = [name for (name,) in named]
        listed = ", ".join(f'"{name}"' for name in columns)
        with connection.cursor() as cursor, cursor.copy(f"copy cxone_stage ({listed}) from stdin") as rows:
            for entry in entries:
                body = self.read(entry["url"].removeprefix(f"s3://{bucket}/"))
                assert entry["mandatory"] is True and entry["meta"]["content_length"] == len(body), entry
                for line in gzip.decompress(body).splitlines():
                    row = {name.lower(): value for name, value in json.loads(line).items()}
                    as_text = lambda it: it if it is None or isinstance(it, str) else json.dumps(it)
                    rows.write_row([as_text(row.get(name)) for name in columns])

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


def prepare():
    """A database like Redshift's, which is empty."""
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("create database dev")
    os.environ["PGDATABASE"] = "dev"
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(LIKE_REDSHIFT)
