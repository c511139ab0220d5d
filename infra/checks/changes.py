"""What does each parameter change when the stack is updated, and does it reach what runs?

    changes.py TEMPLATE

Compares what CloudFormation makes of the template before and after, and reads from its resource types which properties
can't change without another resource. infra/README.md says the same to people.
"""

import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from template import Template, load

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
CALLERS = {"TriggerFunction", "PollOnceFunction", "FetchPageFunction", "CancelFunction"}
FUNCTIONS = CALLERS | {"FinalizeFunction", "PublishFunction"}
READERS = {"TriggerRole", "FetchPageRole", "FinalizeRole", "PublishRole", "ConsumerPolicy", "OperatorPolicy"}
HANDLER_ROLES = {it.replace("Function", "Role") for it in FUNCTIONS}
# The machine has tags that tell cxr where reports land.
STORES = {"TriggerFunction", "FetchPageFunction", "FinalizeFunction", "PublishFunction", "ReportPipeline"}
LOG_GROUPS = {it.replace("Function", "LogGroup") for it in FUNCTIONS} | {"ReportPipelineLogGroup", "ReportBackfillLogGroup"}
ALARMS = {f"{it}Alarm" for it in ("NotDelivered", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "DeadLetters", "ExecutionThrottled", "LambdaThrottles", "LambdaErrors", "CxoneThrottles", "TokensNotStored", "OrphanedRuns", "ValuesNulled")}
MACHINES = {"ReportPipeline", "ReportBackfill"}
MACHINE_ROLES = {f"{it}Role" for it in MACHINES}
NAMED = FUNCTIONS | LOG_GROUPS | ALARMS | MACHINES | {"ScheduleGroup", "Dashboard"}
IN_VPC = FUNCTIONS | HANDLER_ROLES | {"NetworkPolicy"}
NEW_BUCKET, NEW_KEY = {"LandingBucket", "LandingBucketPolicy"}, {"DataKey"}

# Another value, what it changes, and which of that is made anew.
CHANGES = {
    "Name": ("other", NAMED | HANDLER_ROLES | NEW_KEY | {"AlertTopicPolicy", "NoticeTopicPolicy", "SchedulerRole", "OperatorPolicy", "Reports"} | MACHINE_ROLES, NAMED),
    "Schedules": ("DISABLED", {"Reports"}, set()),
    "BucketName": ("theirs", STORES | READERS | NEW_BUCKET | {"Dashboard"}, set()),
    "BucketOwner": ("444455556666", STORES - {"ReportPipeline"}, set()),
    "DataKmsKeyArn": (KEY, READERS | {"LandingBucket"}, set()),
    "Prefix": ("a/b", STORES | READERS | {"LandingBucketPolicy"}, set()),
    "ReaderAccounts": ("111122223333,444455556666", NEW_KEY | {"LandingBucketPolicy"}, set()),
    "SecretPrefix": ("theirs/", CALLERS | HANDLER_ROLES - {"FinalizeRole", "PublishRole"} | {"MaintainerPolicy"}, set()),
    "Architecture": ("x86_64", FUNCTIONS, set()),
    "MemorySize": (1024, {"FetchPageFunction", "FinalizeFunction", "PublishFunction"}, set()),
    "ReservedConcurrency": (5, CALLERS, set()),
    "AlertTopicArn": ("arn:aws:sns:eu-central-1:123456789012:pager", {"AlertTopic", "AlertTopicPolicy", "NotDeliveredAlarm", "ReportPipeline", "ReportPipelineRole"}, set()),
    "AlarmEmail": ("a@example.com", {"AlertEmail"}, set()),
    "NoticeEmail": ("a@example.com", {"NoticeMail"}, set()),
    "RunbookUrl": ("https://wiki.example.com", ALARMS, set()),
    "DataRetentionDays": ("30", {"LandingBucket", "ReportPipeline"}, set()),
    "LogRetentionDays": (90, LOG_GROUPS, set()),
    "KmsKeyArn": (KEY, HANDLER_ROLES | MACHINE_ROLES | LOG_GROUPS | NEW_KEY | {"LandingBucket", "AlertTopic", "NoticeTopic", "DeadLetterQueue", "SchedulerRole", "OperatorPolicy", "MaintainerPolicy", "ConsumerPolicy"}, set()),
    "EncryptExecutions": ("true", NEW_KEY | MACHINES | MACHINE_ROLES, set()),
    "PermissionsBoundaryArn": ("arn:aws:iam::123456789012:policy/boundary", HANDLER_ROLES | MACHINE_ROLES | {"SchedulerRole"}, set()),
    "SubnetIds": ("subnet-1,subnet-2", IN_VPC, set()),
    "SecurityGroupIds": ("sg-1", IN_VPC, set()),
}


def findings(path):
    before = Template(path).document()
    types = {it["Type"] for it in before.values()}
    yield from (f"{it} keeps what it was made with: a changed parameter would not reach it" for it in sorted(types) if it.endswith(("::Version", "::Alias", "StateMachineVersion", "StateMachineAlias")))
    parameters = set(load(path)["Parameters"])
    yield from (f"{it}: infra/checks/changes.py does not say what it changes" for it in sorted(parameters - set(CHANGES)))
    yield from (f"there is no parameter {it}" for it in sorted(set(CHANGES) - parameters))
    for parameter, (value, changed, replaced) in CHANGES.items():
        after = Template(path, {parameter: value}).document()
        found = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        yield from (f"{parameter} does not reach {it}" for it in sorted(changed - found))
        yield from (f"{parameter} changes {it} too" for it in sorted(found - changed))
        anew = {name for name in found if name in before and name in after and _is_replaced(before[name], after[name])}
        yield from (f"{parameter} replaces {it}" for it in sorted(anew - replaced))
        yield from (f"{parameter} does not replace {it}" for it in sorted(replaced - anew))


def _is_replaced(before, after):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", before["Type"]).schema
    fixed = [it.removeprefix("/properties/") for it in schema.get("createOnlyProperties") or []]
    return any(before["Properties"].get(it) != after["Properties"].get(it) for it in fixed)


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print(f"each of {len(CHANGES)} parameters changes what it should, and replaces nothing that keeps data"))
