"""parliament over every policy of the SAM template: actions that do not exist, resources that do not fit, and the like.

    policies.py SAM_TEMPLATE
"""

import json
import sys

import parliament

import resolve

# Where a finding is not one, and why.
EXPECTED = {
    # X-Ray and log delivery know no resources; rights.py holds that nothing else says "*".
    ("RESOURCE_STAR", ""),
    # parliament asks for every kind of resource that an action may have; these have the state machine's and the execution's.
    ("RESOURCE_MISMATCH", "states:ListExecutions"),
    ("RESOURCE_MISMATCH", "states:DescribeExecution"),
}


def findings(template):
    document = resolve.sam(template, {"DataRetentionDays": "30", "AlarmEmail": "a@example.com"}).document()
    for owner, resource in sorted(document.items()):
        for policy in _identity_policies(resource):
            yield from (f"{owner}: {it}" for it in _of(policy))


def _identity_policies(resource):
    if resource["Type"] == "AWS::IAM::Role":
        yield from (it["PolicyDocument"] for it in resource["Properties"]["Policies"])
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        yield resource["Properties"]["PolicyDocument"]


def _of(policy):
    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
        detail = finding.detail if isinstance(finding.detail, list) else []
        actions = {it.get("action", "") for it in detail} or {""}
        if not all((finding.issue, action) in EXPECTED for action in actions):
            yield f"{finding.issue} {finding.detail} {finding.location}"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("parliament has nothing to say"))
