"""What nobody may do to the bucket, and what its lifecycle and the stack leave alone.

    storage.py TEMPLATE
"""

import sys

import iam
from template import ACCOUNT, Template

KEPT = ("LandingBucket", "LandingBucketPolicy", "DataKey")
KEY = "cxone/acme/Daily_Agent_Performance_Aggregation/{}/x.json"
# Action, area, context beside TLS, whether the bucket's policy refuses it.
REQUESTS = [
    ("s3:PutObject", "win", {"s3:if-none-match": "*"}, False),
    ("s3:PutObject", "_log", {"s3:if-none-match": "*"}, False),
    ("s3:PutObject", "win", {}, True),
    ("s3:PutObject", "_log", {}, True),
    ("s3:PutObject", "table/_delta_log", {"s3:if-none-match": "*"}, False),
    ("s3:PutObject", "table/_delta_log", {}, True),
    # One claim can't be another's replacement, whichever header it has.
    ("s3:PutObject", "win", {"s3:if-match": '"etag"'}, True),
    # The pieces of an upload carry no header; only rows and a table's files are uploaded in pieces.
    ("s3:PutObject", "data", {}, False),
    ("s3:PutObject", "table/20261121T000000Z-20261122T000000Z", {}, False),
    ("s3:PutObject", "_pace", {"s3:if-match": '"etag"'}, False),
    ("s3:GetObject", "win", {}, False),
    # The log is what says that a window was delivered; nobody takes from it by chance.
    ("s3:DeleteObject", "_log", {}, True),
    ("s3:DeleteObjectVersion", "_log", {}, True),
    ("s3:DeleteObjectVersion", "data", {}, False),
]


def findings(path):
    document = Template(path, {"DataRetentionDays": "30"}).document()
    for name in KEPT:
        policies = {document[name]["DeletionPolicy"], document[name]["UpdateReplacePolicy"]}
        if policies != {"Retain"}:
            yield f"{name} goes with the stack"
    yield from _lifecycle(document["LandingBucket"]["Properties"]["LifecycleConfiguration"]["Rules"])
    policy = document["LandingBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    for action, area, context, refused in REQUESTS:
        resource = "arn:aws:s3:::LandingBucket/" + KEY.format(area)
        decided = iam.decide(policy, action, resource, {"aws:SecureTransport": "true", **context})
        if (decided is False) != refused:
            yield f"{action} on {area}/ with {context}: {'not refused' if refused else 'refused'}"
        if iam.decide(policy, action, resource, {"aws:SecureTransport": "false", **context}) is not False:
            yield f"{action} on {area}/ without TLS: not refused"
    # A commit is an event that whoever loads can wait for.
    if not document["LandingBucket"]["Properties"]["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"]:
        yield "the bucket tells nobody of commits"
    if document["ReportPipeline"]["Properties"]["LoggingConfiguration"]["IncludeExecutionData"]:
        yield "the logs of the state machine hold the definitions"
    for given, owner in (({}, ACCOUNT), ({"BucketName": "theirs"}, ACCOUNT), ({"BucketName": "theirs", "BucketOwner": "444455556666"}, "444455556666")):
        yield from _owner(Template(path, given).document(), owner)
    # A given bucket stays the team's own.
    given = Template(path, {"BucketName": "theirs"}).document()
    yield from (f"{name} is made although a bucket is given" for name in ("LandingBucket", "LandingBucketPolicy") if name in given)


def _owner(document, owner):
    """A bucket of the same name that somebody else makes gets nothing."""
    for name, it in document.items():
        variables = it["Properties"].get("Environment", {}).get("Variables", {})
        if "LANDING_BUCKET" in variables and variables.get("LANDING_BUCKET_OWNER") != owner:
            yield f"{name} does not expect the bucket in account {owner}"


def _lifecycle(rules):
    if not any(it.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation") == 1 for it in rules):
        yield "half uploads stay for ever"
    for rule in rules:
        of_rows = rule.get("TagFilters") == [{"Key": "cxone-reports", "Value": "data"}]
        if ("ExpirationInDays" in rule or "Transitions" in rule) and not of_rows:
            yield f"{rule['Id']}: claims expire or move"
        noncurrent = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 90)
        if noncurrent < 90 and not of_rows:
            yield f"{rule['Id']}: a deleted claim can be restored for {noncurrent} days only"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("the bucket refuses what it should, and keeps what it should"))
