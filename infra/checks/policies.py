"""parliament over every policy of the template: actions that do not exist, resources that do not fit, and the like.

    policies.py TEMPLATE
"""

import json
import sys

import parliament

from template import Template

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"

# Where a finding is not one, and why.
EXPECTED = {
    # X-Ray, log delivery and descriptions of subnets know no resources; rights.py holds that nothing else says "*".
    ("RESOURCE_STAR", ""),
    # parliament asks for every kind of resource that an action may have; these have the state machine's and the execution's.
    ("RESOURCE_MISMATCH", "states:ListExecutions"),
    ("RESOURCE_MISMATCH", "states:DescribeExecution"),
}


def findings(path):
    document = Template(path, {"DataRetentionDays": "30", "EncryptExecutions": "true", "DataKmsKeyArn": KEY, "SubnetIds": "subnet-1"}).document()
    for owner, resource in sorted(document.items()):
        for policy in _identity_policies(resource):
            yield from (f"{owner}: {it}" for it in of(policy))


def _identity_policies(resource):
    if resource["Type"] == "AWS::IAM::Role":
        yield from (it["PolicyDocument"] for it in resource["Properties"]["Policies"])
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        yield resource["Properties"]["PolicyDocument"]


def of(policy):
    """What is wrong with one policy."""
    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
        # What a function calls carries its ARN, whatever the service; parliament knows that of no action.
        if finding.issue == "UNKNOWN_CONDITION_FOR_ACTION" and "lambda:SourceFunctionArn" in str(finding.detail):
            continue
        detail = finding.detail if isinstance(finding.detail, list) else []
        actions = {it.get("action", "") for it in detail if isinstance(it, dict)} or {""}
        if not all((finding.issue, action) in EXPECTED for action in actions):
            yield f"{finding.issue} {finding.detail} {finding.location}"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("parliament has nothing to say"))
