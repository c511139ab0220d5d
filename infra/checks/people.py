"""May people do what the texts of the alarms and infra/README.md send them to, and no more?

    people.py TEMPLATE README
"""

import pathlib
import re
import sys

import iam
import template

STATES = "arn:aws:states:eu-central-1:123456789012"
MACHINE, EXECUTION = f"{STATES}:stateMachine:cxone-reports-pipeline", f"{STATES}:execution:cxone-reports-pipeline:daily"
BACKFILL, OF_BACKFILL = f"{STATES}:stateMachine:cxone-reports-backfill", f"{STATES}:execution:cxone-reports-backfill:bf-20261128-225103"
LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/cxone-reports-trigger:*"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:DeadLetterQueue"
SCHEDULE = "arn:aws:scheduler:eu-central-1:123456789012:schedule/cxone-reports/cxone-reports-daily"
SECRETS = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
TENANT = f"{SECRETS}cxone/acme-AbCdEf"
KEY, BUCKET = "arn:aws:kms:eu-central-1:123456789012:key/DataKey", "arn:aws:s3:::LandingBucket"
via = lambda service: {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}
rows = lambda area: f"{BUCKET}/cxone/acme/Daily/{area}/x"

# Who asks, for what, of what, in which context, and whether it is theirs to do.
REQUESTS = [
    *[("OperatorPolicy", f"states:{it}", MACHINE, {}, True) for it in ("ListExecutions", "ListTagsForResource", "StartExecution")],
    *[("OperatorPolicy", f"states:{it}", EXECUTION, {}, True) for it in ("DescribeExecution", "GetExecutionHistory", "RedriveExecution", "StopExecution")],
    *[("OperatorPolicy", f"states:{it}", BACKFILL, {}, True) for it in ("ListExecutions", "StartExecution")],
    *[("OperatorPolicy", f"states:{it}", OF_BACKFILL, {}, True) for it in ("DescribeExecution", "StopExecution")],
    *[("OperatorPolicy", f"logs:{it}", LOGS, {}, True) for it in ("FilterLogEvents", "StartQuery")],
    ("OperatorPolicy", "logs:FilterLogEvents", LOGS.replace("cxone-reports-trigger", "other-trigger"), {}, False),
    *[("OperatorPolicy", f"sqs:{it}", QUEUE, {}, True) for it in ("ReceiveMessage", "DeleteMessage")],
    ("OperatorPolicy", "kms:Decrypt", KEY, via("sqs"), True),
    ("OperatorPolicy", "kms:Decrypt", KEY, via("s3"), True),
    ("OperatorPolicy", "kms:Decrypt", KEY, via("secretsmanager"), False),
    ("OperatorPolicy", "scheduler:GetSchedule", SCHEDULE, {}, True),
    ("OperatorPolicy", "scheduler:ListSchedules", "*", {}, True),
    ("OperatorPolicy", "scheduler:UpdateSchedule", SCHEDULE, {}, False),
    ("OperatorPolicy", "cloudtrail:LookupEvents", "*", {}, True),
    # cxr --stack finds the state machine among them.
    ("OperatorPolicy", "states:ListStateMachines", "*", {}, True),
    ("OperatorPolicy", "states:UpdateStateMachine", MACHINE, {}, False),
    ("OperatorPolicy", "secretsmanager:GetSecretValue", TENANT, {}, False),
    *[("OperatorPolicy", "s3:GetObject", rows(it), {}, True) for it in ("_log", "_manifest", "win")],
    *[("OperatorPolicy", "s3:GetObject", rows(it), {}, False) for it in ("data", "table", "_pace")],
    *[("OperatorPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": f"cxone/acme/Daily/{it}/"}, it != "table") for it in ("_log", "_manifest", "win", "data", "table")],
    # The names of tenants and reports, and nothing that lies deeper.
    *[("OperatorPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": it, "s3:delimiter": "/"}, True) for it in ("cxone/", "cxone/acme/")],
    ("OperatorPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": "cxone/"}, False),
    ("OperatorPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": "", "s3:delimiter": "/"}, False),
    ("OperatorPolicy", "s3:PutObject", rows("win"), {}, False),
    *[("MaintainerPolicy", f"secretsmanager:{it}", TENANT, {}, True) for it in ("CreateSecret", "PutSecretValue", "GetSecretValue", "DescribeSecret")],
    ("MaintainerPolicy", "kms:GenerateDataKey", KEY, via("secretsmanager"), True),
    ("MaintainerPolicy", "kms:Decrypt", KEY, via("s3"), False),
    ("MaintainerPolicy", "secretsmanager:GetSecretValue", f"{SECRETS}other-AbCdEf", {}, False),
    ("MaintainerPolicy", "secretsmanager:DeleteSecret", TENANT, {}, False),
    ("MaintainerPolicy", "states:StartExecution", MACHINE, {}, False),
    *[("ConsumerPolicy", "s3:GetObject", rows(it), {}, True) for it in ("_log", "_manifest", "data", "table")],
    *[("ConsumerPolicy", "s3:GetObject", rows(it), {}, False) for it in ("win", "_pace")],
    *[("ConsumerPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": f"cxone/acme/Daily/{it}/"}, it != "win") for it in ("_log", "data", "table", "win")],
    # cxr rows and cxr verify look for a part that they are denied.
    ("ConsumerPolicy", "s3:ListBucket", BUCKET, {"s3:prefix": "cxone/acme/Daily/data/x.ndjson.gz"}, True),
    ("ConsumerPolicy", "s3:PutObject", rows("data"), {}, False),
    ("ConsumerPolicy", "kms:Decrypt", KEY, via("s3"), True),
    # The key is that of the tenants' secrets too.
    ("ConsumerPolicy", "kms:Decrypt", KEY, via("secretsmanager"), False),
    ("ConsumerPolicy", "kms:Decrypt", KEY, {}, False),
]

# What the texts tell people to type, and which action it needs. None: whoever owns the account or deploys the stack does it.
COMMANDS = {
    "secretsmanager create-secret": "secretsmanager:CreateSecret",
    "secretsmanager put-secret-value": "secretsmanager:PutSecretValue",
    "secretsmanager list-secrets": "secretsmanager:ListSecrets",
    "sqs receive-message": "sqs:ReceiveMessage",
    "sqs delete-message": "sqs:DeleteMessage",
    "logs tail": "logs:FilterLogEvents",
    "scheduler get-schedule": "scheduler:GetSchedule",
    "cloudtrail lookup-events": "cloudtrail:LookupEvents",
    "s3 cp": None,
    "s3api delete-object": None,
    "s3api list-object-versions": None,
    # Said not to work.
    "s3 sync": None,
    "iam detach-role-policy": None,
    "cloudformation package": None,
    "cloudformation deploy": None,
    "cloudwatch put-alarm-mute-rule": None,
}


def findings(path, readme):
    document = template.Template(path).document()
    for owner, action, resource, context, expected in REQUESTS:
        decided = iam.decide(template.statements(document, owner), action, resource, context)
        if (decided is True) != expected:
            yield f"{owner}: {action} on {resource} with {context}: {'not allowed' if expected else 'allowed'}"
    tried = {action for _, action, _, _, expected in REQUESTS if expected}
    allowed = {action for owner in ("OperatorPolicy", "MaintainerPolicy") for it in template.statements(document, owner) for action in template.listed(it["Action"])}
    texts = [pathlib.Path(readme).read_text()]
    texts += [it["Properties"]["AlarmDescription"] for it in document.values() if "AlarmDescription" in it["Properties"]]
    for command in sorted(set(re.findall(r"\baws ([a-z0-9]+ [a-z-]+)", "\n".join(texts)))):
        if command not in COMMANDS:
            yield f"the texts say aws {command}: say in infra/checks/people.py which action that needs"
        elif COMMANDS[command] and COMMANDS[command] not in allowed | tried:
            yield f"the texts say aws {command}, and nobody may"


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:]))
    sys.exit("\n".join(wrong) if wrong else print(f"{len(REQUESTS)} requests of people are decided as they should be"))
