"""The stack that loads Redshift: has its machine the rights that its calls need and no others, and is it deployed as a machine that
works, tells somebody when it does not, and reaches nothing of another deployment?

    redshift.py TEMPLATE, with load.asl.json and loads.template.json beside it
"""

import json
import pathlib
import re
import sys

import definition
import deployments
import iam
import policies
import rights
import template

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
WORKGROUP = "arn:aws:redshift-serverless:eu-central-1:123456789012:workgroup/11111111-2222-3333-4444-555555555555"
CLUSTER = "arn:aws:redshift:eu-central-1:123456789012:cluster:reports"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
GIVEN = {"Bucket": "landing", "KmsKeyArn": KEY, "Database": "dev", "AlertTopicArn": TOPIC}
WAREHOUSES = {"WorkgroupArn": (WORKGROUP, "redshift-serverless:GetCredentials"), "ClusterIdentifier": ("reports", "redshift:GetClusterCredentialsWithIAM")}
STACK = "cxone-reports-redshift"
ROLES = {"RedshiftLoadRole", "LoadStarterRole"}

# Which action each call of the machine needs.
ACTIONS = {
    "redshiftdata:batchExecuteStatement": "redshift-data:BatchExecuteStatement",
    "redshiftdata:executeStatement": "redshift-data:ExecuteStatement",
    "redshiftdata:describeStatement": "redshift-data:DescribeStatement",
    "redshiftdata:getStatementResult": "redshift-data:GetStatementResult",
    "s3:listObjectsV2": "s3:ListBucket",
    "s3:getObject": "s3:GetObject",
    "scheduler:getSchedule": "scheduler:GetSchedule",
    "sfn:startExecution": "states:StartExecution",
}
LOGS_AND_TRACES = set().union(*(it for name, it in rights.MACHINE_ALWAYS.items() if name != "SNS uses the key"))
OBJECTS = "arn:aws:s3:::landing/cxone/acme/Daily/"
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
OWN = {"redshift-data:statement-owner-iam-userid": "AROARedshiftLoadRole:session"}
# What the machine may and may not do: action, resource, the request's context.
TRIES = [
    (True, "s3:GetObject", OBJECTS + "_log/00000000000000000001.json", {}),
    (False, "s3:GetObject", OBJECTS + "data/a.ndjson.gz", {}),
    (False, "s3:GetObject", OBJECTS + "win/a/open.json", {}),
    (True, "s3:ListBucket", "arn:aws:s3:::landing", {"s3:prefix": "cxone/acme/Daily/_log/"}),
    (False, "s3:ListBucket", "arn:aws:s3:::landing", {"s3:prefix": "cxone/acme/Daily/data/"}),
    (False, "s3:ListBucket", "arn:aws:s3:::landing", {}),
    (True, "kms:Decrypt", KEY, VIA_S3),
    (False, "kms:Decrypt", KEY, {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}),
    (True, "redshift-data:DescribeStatement", "*", OWN),
    (False, "redshift-data:DescribeStatement", "*", {"redshift-data:statement-owner-iam-userid": "AROASomebodyElse:session"}),
    (True, "redshift-data:GetStatementResult", "*", OWN),
    (True, "states:StartExecution", f"arn:aws:states:eu-central-1:123456789012:stateMachine:{STACK}-load", {}),
    (False, "states:StartExecution", "arn:aws:states:eu-central-1:123456789012:stateMachine:cxone-reports-pipeline", {}),
    (True, "scheduler:GetSchedule", f"arn:aws:scheduler:eu-central-1:123456789012:schedule/{STACK}/{STACK}-daily", {}),
    (False, "scheduler:GetSchedule", "arn:aws:scheduler:eu-central-1:123456789012:schedule/cxone-reports/cxone-reports-daily", {}),
]


def findings(path):
    machine = pathlib.Path(path).parent / "load.asl.json"
    yield from definition.findings(machine, path)
    for parameter, (value, sign_in) in WAREHOUSES.items():
        document = fill(path, {parameter: value})
        yield from (f"{parameter}: {it}" for it in _rights(document, machine, sign_in))
    yield from _substitutions(document, machine)
    yield from _schedules(path, document)
    yield from _alarm(document)
    for partition in template.PARTITIONS:
        text = json.dumps(fill(path, partition=partition)) + machine.read_text().replace("${Partition}", partition)
        yield from (f"{partition}: {it} is of another partition" for it in sorted(set(re.findall(r"arn:(aws[a-z-]*):", text)) - {partition}))


def fill(path, parameters=None, **given):
    # What is given belongs to the commercial regions; another partition's stack is given what belongs there.
    ours = json.loads(json.dumps(GIVEN).replace("arn:aws:", f"arn:{given.get('partition', 'aws')}:"))
    return template.Template(path, {**ours, **(parameters or {})}, stack=STACK, **given).document()


def _statements(document, role):
    attached = [it["Properties"] for it in document.values() if it["Type"] == "AWS::IAM::Policy" and role in it["Properties"]["Roles"]]
    return template.statements(document, role) + [statement for it in attached for statement in it["PolicyDocument"]["Statement"]]


def _rights(document, machine, sign_in):
    calls = {it["Resource"].removeprefix("arn:${Partition}:states:::aws-sdk:") for it in json.loads(machine.read_text())["States"].values() if it["Type"] == "Task"}
    yield from (f"{it}: say in infra/checks/redshift.py which action that needs" for it in sorted(calls - set(ACTIONS)))
    needed = {"RedshiftLoadRole": {ACTIONS[it] for it in calls & set(ACTIONS)} | LOGS_AND_TRACES | {"kms:Decrypt", sign_in}, "LoadStarterRole": {"states:StartExecution"}}
    owners = {name for name, it in document.items() if it["Type"] == "AWS::IAM::Role"}
    yield from (f"{it}: this check does not know whose role it is" for it in sorted(owners ^ ROLES))
    for role in sorted(ROLES & owners):
        statements = _statements(document, role)
        allowed = {action for it in statements if it["Effect"] == "Allow" for action in template.listed(it["Action"])}
        yield from (f"{role} allows {it}, which nothing uses" for it in sorted(allowed - needed[role]))
        yield from (f"{role} does not allow {it}, which is used" for it in sorted(needed[role] - allowed))
        stars = {it["Sid"] for it in statements if "*" in template.listed(it["Resource"])} - {"DeliverLogs", "Trace", "ReadHowStatementsEnd"}
        yield from (f"{role}: {it} is about any resource" for it in sorted(stars))
        yield from (f"{role}: {it}" for it in policies.of({"Version": "2012-10-17", "Statement": statements}))
    statements = _statements(document, "RedshiftLoadRole")
    warehouse = WORKGROUP if "serverless" in sign_in else CLUSTER
    other = warehouse[:-1] + "x"
    runs = [(is_ours, f"redshift-data:{it}", to, {}) for it in ("ExecuteStatement", "BatchExecuteStatement") for is_ours, to in ((True, warehouse), (False, other))]
    for expected, action, resource, context in TRIES + runs:
        if (iam.decide(statements, action, resource, context) is True) != expected:
            yield f"the machine may {'not ' if expected else ''}{action} {resource} with {context}"


def _substitutions(document, machine):
    values = document["RedshiftLoad"]["Properties"]["DefinitionSubstitutions"]
    placeholders = set(re.findall(r"\$\{([^}]*)\}", machine.read_text()))
    yield from (f"nothing stands for ${{{it}}}" for it in sorted(placeholders - set(values)))
    yield from (f"${{{it}}} does not occur in the definition" for it in sorted(set(values) - placeholders))
    # CloudFormation may refuse an empty one, and the machine would name no warehouse.
    yield from (f"${{{name}}} is empty" for name, it in values.items() if not it)


def _schedules(path, document):
    nested = pathlib.Path(path).parent / "loads.template.json"
    handed = document["Loads"]["Properties"]["Parameters"]
    expected = set(template.load(nested)["Parameters"])
    yield from (f"loads.template.json is not handed {it}" for it in sorted(expected - set(handed)))
    yield from (f"loads.template.json knows no {it}" for it in sorted(set(handed) - expected))
    resources = template.Template(nested, handed, stack=STACK).document()
    names = {it["Properties"]["Name"]: json.loads(it["Properties"]["Target"]["Input"]) for it in resources.values() if it["Type"] == "AWS::Scheduler::Schedule"}
    # A rule has no room for the statements; it names the schedule that has them.
    rules = [it["Properties"] for it in resources.values() if it["Type"] == "AWS::Events::Rule"]
    rung = [json.loads(it["Targets"][0]["Input"])["schedule"] for it in rules]
    yield from (f"the schedule {name} calls itself {given['schedule']}" for name, given in names.items() if given["schedule"] != name)
    yield from (f"no bell is rung for {it}, or twice" for it in sorted(set(names) ^ set(rung)))
    for rule in rules:
        schedule = json.loads(rule["Targets"][0]["Input"])["schedule"]
        prefix = rule["EventPattern"]["detail"]["object"]["key"][0]["prefix"]
        if schedule in names and prefix != f"{handed['Prefix']}/{names[schedule]['report']}/_manifest/":
            yield f"the bell of {schedule} hears of {prefix}"
    for name in [*names, *(it["Properties"].get("AlarmName", STACK) for it in document.values())]:
        if not name.startswith(STACK) or len(name) > deployments.LIMITS["AWS::Scheduler::Schedule"]:
            yield f"{name} is another deployment's, or too long"


def _alarm(document):
    alarm = document["LoadFailedAlarm"]["Properties"]
    watched = {it["MetricStat"]["Metric"]["MetricName"] for it in alarm["Metrics"] if "MetricStat" in it}
    machines = {it["Value"] for metric in alarm["Metrics"] if "MetricStat" in metric for it in metric["MetricStat"]["Metric"]["Dimensions"]}
    if watched != {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}:
        yield f"the alarm watches {sorted(watched)}"
    if machines != {f"arn:aws:states:eu-central-1:123456789012:stateMachine:{STACK}-load"}:
        yield f"the alarm watches {sorted(machines)}"
    if alarm.get("AlarmActions") != [TOPIC] or alarm["TreatMissingData"] != "notBreaching":
        yield "the alarm tells nobody, or is red while nothing happens"
    if "docs/warehouses.md" not in alarm["AlarmDescription"] or len(alarm["AlarmDescription"]) > 1024:
        yield "the alarm does not say where to look"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("the load of Redshift has the rights of its calls, for a workgroup and for a cluster, and its alarm tells of it"))
