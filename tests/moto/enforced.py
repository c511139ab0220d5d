"""moto with the rights of the template enforced.

    enforced.py TEMPLATE FOLDER

moto knows who asks (by the signature's access key) and which policies the role has, and keeps the data. What it decides by
them is not enough here: it looks at no condition and at no resource of Secrets Manager. So the decision is that of
infra/checks/iam.py, over the role's policies as moto keeps them and the bucket's. Two things are as in S3: an absent object
is a 403 to whoever may not list it, and a tag needs a right of its own. Loopback stands for TLS.

Writes FOLDER/roles.json (what the environment of each function and of each person has) and FOLDER/decisions.jsonl (who asked for what, and whether it was
allowed), and says on its standard output where it listens.
"""

import json
import os
import pathlib
import sys
import threading
from urllib.parse import parse_qs, unquote, urlsplit

TEMPLATE, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(pathlib.Path(TEMPLATE).parent / "checks"))
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"

import boto3  # noqa: E402
import iam  # noqa: E402
import template  # noqa: E402
from moto import settings  # noqa: E402
from moto.iam import access_control  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402
from moto.secretsmanager.models import secretsmanager_backends  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

BUCKET, REGION, ACCOUNT = "landing", template.PARTITIONS["aws"][0], template.ACCOUNT
FUNCTIONS = {"trigger": "TriggerRole", "poll-once": "PollOnceRole", "fetch-page": "FetchPageRole", "cancel": "CancelRole", "finalize": "FinalizeRole", "publish": "PublishRole"}
# Who types, and which of the template's policies they have.
PEOPLE = {"operator": ["OperatorPolicy"], "reader": ["OperatorPolicy", "ConsumerPolicy"], "maintainer": ["OperatorPolicy", "MaintainerPolicy"]}
os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
# Not in moto, which would take a refusal under a condition for a refusal of everything.
BUCKET_POLICY = []


def s3_actions(request):
    """What S3 asks IAM for; moto has other names for some."""
    method, url = request._method, urlsplit(request._path)
    query = parse_qs(url.query, keep_blank_values=True)
    tagged = ["s3:PutObjectTagging"] if "x-amz-tagging" in {it.lower() for it in request._headers.keys()} else []
    if method == "DELETE":
        return ["s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"]
    if method in ("PUT", "POST"):
        return ["s3:PutObject", *tagged]
    return ["s3:GetObject"]


def context_of(request):
    headers = {name.lower(): value for name, value in request._headers.items()}
    query = parse_qs(urlsplit(request._path).query)
    found = {"aws:SecureTransport": "true"}
    for header, key in (("if-none-match", "s3:if-none-match"), ("if-match", "s3:if-match")):
        if header in headers:
            found[key] = headers[header]
    for name in ("prefix", "delimiter"):
        if name in query:
            found[f"s3:{name}"] = query[name][0]
    return found


def check_action_permitted(self, resource):
    """In place of moto's own decision."""
    statements = [it for policy in self._access_key.collect_policies() for it in as_document(policy)["Statement"]]
    context, who = context_of(self), self._access_key.arn.split("/")[-2]
    if self._service == "s3":
        wanted = on_bucket(self, statements, resource, context)
    elif self._action == "sts:GetCallerIdentity":
        return
    else:
        wanted = [(self._action, resource_of(self), context)]
    for action, on, about in wanted:
        allowed = iam.decide(statements, action, on, about) is True
        with open(FOLDER / "decisions.jsonl", "a") as log:
            log.write(json.dumps({"who": who, "action": action, "resource": on, "allowed": allowed}) + "\n")
        if not allowed:
            self._raise_access_denied()


def on_bucket(request, statements, resource, context):
    bucket, _, key = resource.split(":::", 1)[1].partition("/")
    if not key:
        return [("s3:ListBucket" if request._method == "GET" else "s3:PutBucket", resource, context)]
    key = unquote(key)
    resource = f"arn:aws:s3:::{bucket}/{key}"
    stored = s3_backends[ACCOUNT]["aws"].buckets[bucket]
    statements += BUCKET_POLICY
    wanted = [(action, resource, context) for action in s3_actions(request)]
    if request._method in ("GET", "HEAD") and key not in stored.keys:
        wanted.append(("s3:ListBucket", f"arn:aws:s3:::{bucket}", {**context, "s3:prefix": key}))
    return wanted


def resource_of(request):
    """The ARN that a request is about; * where IAM knows none."""
    if request._service == "secretsmanager":
        return secret_of(request)
    if request._service == "scheduler":
        name = urlsplit(request._path)
        group = parse_qs(name.query).get("groupName", ["default"])[0]
        name = name.path.removeprefix("/schedules").strip("/")
        return f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}" if name else "*"
    body = json.loads(request._body or b"{}") if request._headers.get("X-Amz-Target") else {}
    if "logGroupName" in body:
        return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{body['logGroupName']}:*"
    return next((body[it] for it in ("stateMachineArn", "executionArn", "resourceArn", "logGroupIdentifier") if it in body), "*")


def secret_of(request):
    asked = json.loads(request._body or b"{}")
    # One that is made has no ARN yet; what is appended to its name does not matter.
    if "SecretId" not in asked:
        return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{asked['Name']}-AbCdEf" if "Name" in asked else "*"
    asked = asked["SecretId"]
    secrets = secretsmanager_backends[ACCOUNT][REGION].secrets
    known = [it.arn for it in secrets.values() if asked in (it.arn, it.name)]
    return known[0] if known else asked


def as_document(policy):
    document = getattr(policy, "document", None) or (policy["PolicyDocument"] if isinstance(policy, dict) else policy)
    return json.loads(document) if isinstance(document, str) else document


def prepare(endpoint):
    """The bucket with its policy, secrets, a role for each function with what the template gives it, and its credentials."""
    root = dict(endpoint_url=endpoint, region_name=REGION, aws_access_key_id="root", aws_secret_access_key="root")
    s3, secrets, roles, sts = (boto3.client(it, **root) for it in ("s3", "secretsmanager", "iam", "sts"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    tenant = secrets.create_secret(Name="cxone/asked", SecretString="{}")["ARN"]
    token = secrets.create_secret(Name="cxone/asked/token")["ARN"]
    other = secrets.create_secret(Name="other", SecretString="not yours")["ARN"]
    document = template.Template(TEMPLATE, names={"LandingBucket": BUCKET}).document()
    BUCKET_POLICY.extend(document["LandingBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"])
    found = {"bucket": BUCKET, "region": REGION, "endpoint": endpoint, "otherSecret": other, "secrets": [tenant, token], "functions": {}}
    for function, role in FUNCTIONS.items():
        properties = document[role]["Properties"]
        made = roles.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]))
        for policy in properties["Policies"]:
            roles.put_role_policy(RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))
        found["functions"][function] = {
            **document[role.replace("Role", "Function")]["Properties"]["Environment"]["Variables"],
            **signing_as(sts, made, endpoint),
        }
    found["people"] = prepare_people(root, document)
    found["stateMachine"] = prepare_machines(root, document)
    # Who makes the secrets of tenants is no part of the stack.
    owner = roles.create_role(RoleName="TenantOwner", AssumeRolePolicyDocument="{}")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:CreateSecret", "Resource": "*"}]}
    roles.put_role_policy(RoleName="TenantOwner", PolicyName="create", PolicyDocument=json.dumps(policy))
    found["owner"] = signing_as(sts, owner, endpoint)
    (FOLDER / "roles.json").write_text(json.dumps(found, indent=1))


def prepare_people(root, document):
    """A role for each person, with the policies that the template gives them, and its credentials."""
    roles, sts = (boto3.client(it, **root) for it in ("iam", "sts"))
    found = {}
    for person, policies in PEOPLE.items():
        made = roles.create_role(RoleName=person, AssumeRolePolicyDocument="{}")
        for policy in policies:
            written = json.dumps(document[policy]["Properties"]["PolicyDocument"])
            roles.put_role_policy(RoleName=person, PolicyName=policy, PolicyDocument=written)
        found[person] = signing_as(sts, made, root["endpoint_url"])
    return found


def prepare_machines(root, document):
    """The two state machines with their tags, and the groups of their logs. Gives the pipeline's ARN."""
    states, logs = boto3.client("stepfunctions", **root), boto3.client("logs", **root)
    found = {}
    for logical, it in document.items():
        properties = it["Properties"]
        if it["Type"] == "AWS::StepFunctions::StateMachine":
            tags = properties.get("Tags", {})
            tags = tags.items() if isinstance(tags, dict) else [(tag["Key"], tag["Value"]) for tag in tags]
            made = states.create_state_machine(
                name=properties["StateMachineName"],
                definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/states",
                tags=[{"key": key, "value": str(value)} for key, value in tags],
            )
            found[logical] = made["stateMachineArn"]
        elif it["Type"] == "AWS::Logs::LogGroup":
            logs.create_log_group(logGroupName=properties["LogGroupName"])
    return found["ReportPipeline"]


def signing_as(sts, role, endpoint):
    """The environment of a process that has this role."""
    credentials = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")["Credentials"]
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def main():
    access_control.IAMRequestBase.check_action_permitted = check_action_permitted
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    prepare(f"http://{host}:{port}")
    # From now on everybody is who their signature says.
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    print(f"http://{host}:{port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
