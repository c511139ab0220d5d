"""Is every action in a policy used by the code, and every call of the code allowed?

    rights.py TEMPLATE

A handler's crate and those it depends on are searched for calls of the AWS SDKs. What each call needs stands in ACTIONS; a
call that is not there is a finding, and so is a right that no call needs.
"""

import functools
import os
import pathlib
import re
import sys
import tomllib

import iam
import template

CRATES = pathlib.Path(__file__).parents[2] / "crates"
HANDLERS = {"TriggerRole": "trigger", "PollOnceRole": "poll-once", "FetchPageRole": "fetch-page", "CancelRole": "cancel", "FinalizeRole": "finalize", "PublishRole": "publish"}

# Which action a call of an SDK needs. S3 has one action for all ways to write, and one for GET and HEAD.
ACTIONS = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "list_objects_v2": "s3:ListBucket",
    "create_secret": "secretsmanager:CreateSecret",
    "describe_secret": "secretsmanager:DescribeSecret",
    "get_secret_value": "secretsmanager:GetSecretValue",
    "list_secrets": "secretsmanager:ListSecrets",
    "put_secret_value": "secretsmanager:PutSecretValue",
    "update_secret": "secretsmanager:UpdateSecret",
    "list_executions": "states:ListExecutions",
    "list_state_machines": "states:ListStateMachines",
    "list_tags_for_resource": "states:ListTagsForResource",
    "start_execution": "states:StartExecution",
    "describe_execution": "states:DescribeExecution",
    "get_execution_history": "states:GetExecutionHistory",
    "redrive_execution": "states:RedriveExecution",
    "stop_execution": "states:StopExecution",
}
# A header of a call that needs an action of its own.
HEADERS = {r"\.set_tagging\(": "s3:PutObjectTagging"}

# What a crate could do, and this handler never does.
NEVER = {
    ("trigger", "s3:AbortMultipartUpload"): "it writes claims only, each in one request",
    ("trigger", "s3:PutObjectTagging"): "only rows are tagged, and it writes none",
    ("publish", "s3:PutObjectTagging"): "a table's files are not tagged, because they do not expire",
    **{("operator", it): "it only reads" for it in ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectTagging")},
}

# What AWS itself does in a role's name, and what of the template makes it do so.
BY_AWS = {
    "lambda:InvokeFunction": "arn:${Partition}:states:::lambda:invoke",
    "sns:Publish": "arn:${Partition}:states:::sns:publish",
    "states:StartExecution": "arn:${Partition}:states:::aws-sdk:sfn:startExecution",
    "states:DescribeExecution": "arn:${Partition}:states:::aws-sdk:sfn:describeExecution",
}
ALWAYS = {
    "Lambda writes the logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "Lambda traces": {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    "S3, Secrets Manager, SNS and SQS use the key": {"kms:Decrypt", "kms:GenerateDataKey"},
}
MACHINE_ALWAYS = {
    "Step Functions delivers logs": {
        "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    },
    "Step Functions traces": {"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    "SNS uses the key": {"kms:Decrypt", "kms:GenerateDataKey"},
}
SCHEDULER = {"states:StartExecution", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
# What Lambda does in a role's name where the functions are in a VPC.
NETWORK = {f"ec2:{it}" for it in ("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses")}
INTERFACE = "arn:aws:ec2:eu-central-1:123456789012:network-interface/eni-1"
# What the names of tenants' secrets begin with, by default.
PREFIX = "cxone/"
# Actions that know no resource.
ANYWHERE = {"Trace", "DeliverLogs", "LookAround", "ListTenants"}
# The policies of people; checks/people.py tries them against what people are told to do.
PEOPLE = ("OperatorPolicy", "MaintainerPolicy", "ConsumerPolicy")


def findings(path):
    document = template.Template(path).document()
    for role, handler in HANDLERS.items():
        needed = _needed(handler) | set().union(*ALWAYS.values())
        yield from _same(role, document, needed)
    machines = template.machines(path)
    for machine, definition in machines.items():
        text = definition.read_text()
        needed = {action for action, resource in BY_AWS.items() if resource in text} | set().union(*MACHINE_ALWAYS.values())
        yield from _same(f"{machine}Role", document, needed)
    yield from _same("SchedulerRole", document, SCHEDULER)
    allowed = set().union(*(_allowed(document, it) for it in PEOPLE))
    yield from (f"nobody is allowed {it}, which cxr calls" for it in sorted(_needed("operator") - allowed))
    owners = [name for name, it in document.items() if it["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")]
    for owner in sorted(set(owners) - {*HANDLERS, *(f"{it}Role" for it in machines), "SchedulerRole", *PEOPLE}):
        yield f"{owner}: this check does not know whose role it is"
    for owner in owners:
        yield from (f"{owner}: {it}" for it in _too_wide(document, owner))
    yield from _without_bucket(document)
    yield from _network(path, document)


def _allowed(document, owner):
    return {action for it in template.statements(document, owner) if it["Effect"] == "Allow" for action in template.listed(it["Action"])}


def _same(owner, document, needed):
    allowed = _allowed(document, owner)
    yield from (f"{owner} allows {action}, which nothing uses" for action in sorted(allowed - needed))
    yield from (f"{owner} does not allow {action}, which is used" for action in sorted(needed - allowed))


def _too_wide(document, owner):
    for statement in template.statements(document, owner):
        sid = statement.get("Sid", "?")
        for action in template.listed(statement["Action"]):
            if "*" in action:
                yield f"{sid}: {action} is a pattern"
            if re.search(r":(Delete|Remove|Terminate)", action) and action not in ("logs:DeleteLogDelivery", "sqs:DeleteMessage"):
                yield f"{sid}: {action} deletes"
        for resource in template.listed(statement["Resource"]):
            if resource == "*" and sid not in ANYWHERE:
                yield f"{sid}: any resource"
            if ":secret:" in resource and not resource.partition(":secret:")[2].startswith(PREFIX):
                yield f"{sid}: {resource} is more than the secrets below the prefix"
            if owner not in PEOPLE and _writes_secrets(statement) and not resource.endswith("/token-??????"):
                yield f"{sid}: {resource} is more than the tokens"
            if ":s3:::" in resource and resource.endswith(("/*", "*")) and not re.search(r"/\*/(win|data|_log|_manifest|table|_pace)/\*$", resource):
                yield f"{sid}: {resource} is no area of the keys"


def _writes_secrets(statement):
    return any(it.startswith("secretsmanager:Put") for it in template.listed(statement["Action"]))


def _without_bucket(document):
    """Who links no S3 client is told of no bucket, who links no secrets of none."""
    for role, handler in HANDLERS.items():
        names = set(document[role.replace("Role", "Function")]["Properties"]["Environment"]["Variables"])
        needed = _needed(handler)
        if ("LANDING_BUCKET" in names) != ("s3:GetObject" in needed):
            yield f"{handler}: LANDING_BUCKET and its calls of S3 do not go together"
        if ("CXONE_SECRET_PREFIX" in names) != ("secretsmanager:GetSecretValue" in needed):
            yield f"{handler}: CXONE_SECRET_PREFIX and its calls of Secrets Manager do not go together"


def _network(path, outside):
    """In a VPC, Lambda may keep interfaces for the functions, and they may not; outside of one, nobody may."""
    inside = template.Template(path, {"SubnetIds": "subnet-1"}).document()
    if "NetworkPolicy" in outside or any(outside[role]["Properties"]["ManagedPolicyArns"] for role in HANDLERS):
        yield "NetworkPolicy allows something outside of a VPC"
    yield from _same("NetworkPolicy", inside, NETWORK)
    itself = {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:cxone-reports-trigger"}
    for action in sorted(NETWORK):
        if iam.decide(template.statements(inside, "NetworkPolicy"), action, INTERFACE, itself) is not False:
            yield f"NetworkPolicy lets the functions themselves call {action}"


@functools.cache
def _needed(crate):
    text = "".join(_code(it) for it in _closure(crate))
    calls = {name for name in _operations() if re.search(rf"\.{name}\(\)", text)}
    unknown = calls - set(ACTIONS)
    if unknown:
        raise SystemExit(f"{crate} calls {sorted(unknown)}: say in infra/checks/rights.py which action that needs")
    needed = {ACTIONS[name] for name in calls}
    needed |= {action for pattern, action in HEADERS.items() if re.search(pattern, text)}
    return {action for action in needed if (crate, action) not in NEVER}


def _closure(crate, seen=None):
    seen = set() if seen is None else seen
    if crate not in seen:
        seen.add(crate)
        manifest = tomllib.loads((CRATES / crate / "Cargo.toml").read_text())
        for name in manifest.get("dependencies", {}):
            if (CRATES / name).is_dir():
                _closure(name, seen)
    return seen


def _code(crate):
    """What is deployed of a crate: without its unit tests."""
    files = sorted((CRATES / crate / "src").rglob("*.rs"))
    return "".join(it.read_text().split("\n#[cfg(test)]\nmod tests {")[0] for it in files if it.name != "tests.rs")


def _operations():
    """Every operation of the SDKs that the crates use, from the SDKs' own sources."""
    registry = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")) / "registry/src"
    found = set()
    for sdk in ("s3", "secretsmanager", "sfn"):
        files = list(registry.glob(f"*/aws-sdk-{sdk}-*/src/operation/*.rs"))
        if not files:
            raise SystemExit(f"the sources of aws-sdk-{sdk} are not there; run: cargo fetch --locked")
        found |= {it.stem for it in files}
    return found


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("rights and calls are the same"))
