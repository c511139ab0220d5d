"""After a day was delivered under the template's rights: was each right used, and is everything else refused?

    rights.py TEMPLATE FOLDER

FOLDER is that of enforced.py.
"""

import json
import pathlib
import sys

import boto3
from botocore.exceptions import ClientError

TEMPLATE, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(pathlib.Path(TEMPLATE).parent / "checks"))

import template  # noqa: E402

ROLES = json.loads((FOLDER / "roles.json").read_text())
AREAS = ("win", "data", "_log", "_manifest", "table", "_pace")
KEY = "cxone/acme/asked/{}/x.json"

# What each function may do, by area: g get, p put if absent, l list, a abort, t put with a tag.
MAY = {
    "trigger": {"win": "gpl", "_log": "gl", "data": "l", "_pace": "gpl"},
    "poll-once": {},
    "fetch-page": {"win": "gpl", "data": "gplat", "_pace": "gpl"},
    "cancel": {},
    "finalize": {"win": "gl", "data": "gplat", "_log": "gpl", "_manifest": "gpl"},
    # Of win/ it reads open.json alone.
    "publish": {"data": "gl", "_log": "gl", "table": "gpla"},
}
SECRETS = {"trigger", "poll-once", "fetch-page", "cancel"}

# Rights that a good day needs not, and what needs them.
ON_BAD_DAYS = {
    ("FetchPageRole", "s3:AbortMultipartUpload"): "a page that breaks off",
    ("PublishRole", "s3:AbortMultipartUpload"): "a part that can't be read to its end",
    ("FinalizeRole", "s3:AbortMultipartUpload"): "a part that can't be written anew",
    ("FinalizeRole", "s3:PutObject", "data"): "duplicates",
    ("FinalizeRole", "s3:PutObjectTagging"): "duplicates",
    ("FinalizeRole", "s3:GetObject", "_manifest"): "a manifest that is there already",
    ("FetchPageRole", "s3:GetObject", "data"): "an answer to a write that was lost",
    ("PollOnceRole", "secretsmanager:PutSecretValue"): "a token that runs out while it waits",
    ("CancelRole", "secretsmanager:PutSecretValue"): "a token that runs out before a run is cut off",
    ("FetchPageRole", "secretsmanager:PutSecretValue"): "a token that runs out during a download",
    **{
        (role, action, "_pace"): "an API that is asked with a pause"
        for role in ("TriggerRole", "FetchPageRole")
        for action in ("s3:GetObject", "s3:PutObject")
    },
}


def decisions():
    return [json.loads(line) for line in (FOLDER / "decisions.jsonl").read_text().splitlines()]


def area_of(resource):
    return next((it for it in AREAS if f"/{it}/" in resource), "")


def check_day():
    """Nothing was refused, and each statement of each role was used or has its reason."""
    seen = decisions()
    refused = [it for it in seen if not it["allowed"]]
    expect(not refused, f"refused on a good day: {refused[:3]}")
    used = {(it["who"], it["action"], area_of(it["resource"])) for it in seen}
    document, unused = template.Template(TEMPLATE).document(), []
    for role in (name for name in document if name.endswith("Role") and name.replace("Role", "Function") in document):
        for statement in template.statements(document, role):
            for action in template.listed(statement["Action"]):
                if action.split(":")[0] not in ("s3", "secretsmanager"):
                    continue
                areas = {area_of(it) for it in template.listed(statement["Resource"])}
                unused += [(role, action, it) for it in sorted(areas) if (role, action, it) not in used]
    without_reason = [it for it in unused if it not in ON_BAD_DAYS and it[:2] not in ON_BAD_DAYS]
    expect(not without_reason, f"rights that nothing used: {without_reason}")
    print(f"a good day: {len(seen)} requests, none refused; {len(used)} rights used, {len(unused)} kept for worse days")


def client(function, service):
    it = ROLES["functions"][function]
    return boto3.client(
        service,
        endpoint_url=it["AWS_ENDPOINT_URL"],
        region_name=it["AWS_REGION"],
        aws_access_key_id=it["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=it["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=it["AWS_SESSION_TOKEN"],
    )


def requests(function):
    """Every kind of request in every area: what it is, whether it may succeed, and the request."""
    s3, secrets = client(function, "s3"), client(function, "secretsmanager")
    bucket, may = ROLES["bucket"], MAY[function]
    for area in AREAS:
        key, allowed = KEY.format(area), may.get(area, "")
        yield f"get {area}", "g" in allowed, lambda: s3.get_object(Bucket=bucket, Key=key)
        yield f"put {area}", "p" in allowed, lambda: s3.put_object(Bucket=bucket, Key=key + function, Body=b"x", IfNoneMatch="*")
        yield f"tag {area}", "t" in allowed, lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"x", IfNoneMatch="*", Tagging="a=b")
        yield f"list {area}", "l" in allowed, lambda: s3.list_objects_v2(Bucket=bucket, Prefix=f"cxone/acme/asked/{area}/")
        yield f"abort {area}", "a" in allowed, lambda: s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId="none")
        yield f"delete {area}", False, lambda: s3.delete_object(Bucket=bucket, Key=key)
        # Only rows and the pace may be written without the header: rows in pieces, the pace with If-Match.
        plain = "p" in allowed and area not in ("win", "_log")
        yield f"replace {area}", plain, lambda: s3.put_object(Bucket=bucket, Key=key + function + "2", Body=b"x")
        yield f"begin an upload in {area}", plain, lambda: s3.create_multipart_upload(Bucket=bucket, Key=key + "3")
    yield "list everything", False, lambda: s3.list_objects_v2(Bucket=bucket)
    yield "put beside the prefix", False, lambda: s3.put_object(Bucket=bucket, Key="other/acme/x/data/x", Body=b"x", IfNoneMatch="*")
    yield "put beside the areas", False, lambda: s3.put_object(Bucket=bucket, Key="cxone/acme/x/other/x", Body=b"x", IfNoneMatch="*")
    own, (tenant, token) = function in SECRETS, ROLES["secrets"]
    yield "read the tenant", own, lambda: secrets.get_secret_value(SecretId=tenant)
    yield "keep a token", own, lambda: secrets.put_secret_value(SecretId=token, SecretString="{}")
    yield "read the token", own, lambda: secrets.get_secret_value(SecretId=token)
    yield "replace the tenant", False, lambda: secrets.put_secret_value(SecretId=tenant, SecretString="{}")
    yield "make a tenant", False, lambda: secrets.create_secret(Name=f"cxone/{function}", SecretString="{}")
    yield "read another secret", False, lambda: secrets.get_secret_value(SecretId=ROLES["otherSecret"])
    yield "delete the token", False, lambda: secrets.delete_secret(SecretId=token)


def is_refused(request):
    try:
        request()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return False


def check_every_request():
    count = {True: 0, False: 0}
    for function in MAY:
        for what, allowed, request in requests(function):
            expect(is_refused(request) != allowed, f"{function}: {what}: {'refused' if allowed else 'not refused'}")
            count[allowed] += 1
    print(f"every request by every role: {count[True]} allowed, {count[False]} refused, as the template says")


def expect(holds, otherwise):
    if not holds:
        sys.exit(otherwise)


if __name__ == "__main__":
    check_day()
    check_every_request()
