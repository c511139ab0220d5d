"""Do SAM and CDK make the same? Every resource, right, schedule and alarm of both, as normalised documents.

    agreement.py SAM_TEMPLATE CDK_TEMPLATE [PARAMETER=VALUE ...]

The CDK's template is one that was synthesised with the same settings as the parameters.
"""

import difflib
import json
import sys

import resolve

# Only one of the two has these, and they are no part of what runs: the versions' names hold a hash of the code.
LEFT_OUT = {
    "AWS::CDK::Metadata": "the CDK's own",
    "AWS::Lambda::Version": "named by a hash; the aliases that point to them are compared",
    "AWS::StepFunctions::StateMachineVersion": "named by a hash; the alias is compared",
}
# The code and definition are the same files (definition.py and placeholders.py look into them); SAM tags what it makes.
PROPERTIES_LEFT_OUT = {
    "AWS::Lambda::Function": {"Code", "Tags"},
    "AWS::Lambda::Alias": {"FunctionVersion"},
    "AWS::StepFunctions::StateMachine": {"DefinitionS3Location", "DefinitionString", "Tags"},
    "AWS::StepFunctions::StateMachineAlias": {"RoutingConfiguration", "DeploymentPreference"},
    "AWS::KMS::Key": {"Tags"},
    "AWS::IAM::Role": {"Tags"},
    # "/" is what it is anyway.
    "AWS::IAM::ManagedPolicy": {"Path"},
}
UNORDERED = {"Action", "Resource", "Alarms", "AlarmActions", "Dimensions", "Rules", "Statement", "Metrics", "Policies", "TagFilters"}


def normal(document):
    found = {}
    for name, resource in document.items():
        kind = resource["Type"]
        if kind in LEFT_OUT:
            continue
        skipped = PROPERTIES_LEFT_OUT.get(kind, set())
        properties = {key: it for key, it in resource["Properties"].items() if key not in skipped}
        found[name] = _plain({**resource, "Properties": properties})
    return found


def _plain(node, key=""):
    if isinstance(node, dict):
        if key == "Variables":
            # A handler reads an empty variable as one that is not set.
            node = {name: it for name, it in node.items() if it != ""}
        if set(node) == {"AWS"} and node["AWS"] == "*":
            return "*"
        return {name: _plain(it, name) for name, it in sorted(node.items())}
    if isinstance(node, list):
        items = [_plain(it) for it in node]
        if len(items) == 1 and key not in UNORDERED and not isinstance(items[0], (dict, list)):
            return items[0]
        return sorted(items, key=json.dumps) if key in UNORDERED else items
    if key in ("Action", "Resource"):
        return [node]
    if key in ("Input", "DashboardBody"):
        return json.loads(node)
    if isinstance(node, bool):
        return str(node).lower()
    return str(node)


def differences(sam, cdk):
    """A unified diff for each resource that is not the same in both."""
    found = []
    ours, theirs = normal(sam.document()), normal(cdk.document())
    ours["Outputs"], theirs["Outputs"] = _plain(sam.outputs()), _plain(cdk.outputs())
    for name in sorted(set(ours) | set(theirs)):
        if name not in ours or name not in theirs:
            found.append(f"{name}: only {'SAM' if name in ours else 'the CDK'} has it")
        elif ours[name] != theirs[name]:
            texts = [json.dumps(it[name], indent=1, sort_keys=True).splitlines() for it in (ours, theirs)]
            found += [f"{name}: they differ", *difflib.unified_diff(*texts, "SAM", "CDK", lineterm="", n=2)]
    return found, len(ours)


def main():
    sam_template, cdk_template, *settings = sys.argv[1:]
    parameters = dict(it.split("=", 1) for it in settings)
    sam = resolve.sam(sam_template, parameters, transform=True)
    found, count = differences(sam, resolve.cdk(cdk_template))
    if found:
        sys.exit("\n".join(found))
    print(f"{count} resources agree{' with ' + ' '.join(settings) if settings else ''}")


if __name__ == "__main__":
    main()
