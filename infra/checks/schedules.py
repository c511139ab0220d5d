"""The schedules that infra/terraform/schedules computes, against what CloudFormation makes of the same template.

    schedules.py COMPUTED TEMPLATE, computed for acme in cn-north-1 of the account 123456789012
"""

import json
import pathlib
import re
import sys

HERE = {"Name": "acme", "AWS::AccountId": "123456789012", "AWS::Region": "cn-north-1"}


def main():
    computed, document = (json.loads(pathlib.Path(it).read_text()) for it in sys.argv[1:])
    resources = document["Resources"]
    if computed.keys() != resources.keys() or not resources:
        sys.exit(f"the template has the schedules {sorted(resources)}, and Terraform {sorted(computed)}")
    for id, resource in resources.items():
        properties = resource["Properties"]
        for ours, expected in [("Name", properties["Name"]), ("Input", properties["Target"]["Input"])]:
            if computed[id][ours] != substitute(expected["Fn::Sub"]):
                sys.exit(f"{id}: {ours} is {computed[id][ours]}, and CloudFormation makes {substitute(expected['Fn::Sub'])}")
        json.loads(computed[id]["Input"])
    print(f"{len(resources)} schedules are what CloudFormation makes of the template")


def substitute(text):
    """Fn::Sub: ${Name} is replaced, and ${!Name} stays, as ${Name}."""
    return re.sub(r"\$\{(!?)([^}]+)\}", lambda it: f"${{{it[2]}}}" if it[1] else HERE[it[2]], text)


if __name__ == "__main__":
    main()
