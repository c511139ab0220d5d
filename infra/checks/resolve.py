"""What CloudFormation makes of a template: parameters, conditions and intrinsic functions filled in, offline.

Both templates give the same physical names, so that what is left of the two can be compared word by word, and a role's
policy can be put into an IAM that enforces it.
"""

import copy
import json
import logging
import pathlib
import re

import yaml

REGION, ACCOUNT, PARTITION, STACK = "eu-central-1", "123456789012", "aws", "cxone-reports"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": PARTITION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(path):
    text = pathlib.Path(path).read_text()
    return json.loads(text) if str(path).endswith(".json") else yaml.load(text, _Loader)


def _arn(service, rest, region=REGION, account=ACCOUNT):
    return f"arn:{PARTITION}:{service}:{region}:{account}:{rest}"


class Resolver:
    """One template with one set of parameters. `names` are physical names by logical id, where a caller has better ones."""

    def __init__(self, template, parameters=None, names=None):
        self.template = template
        self.names = names or {}
        self.parameters = {name: it.get("Default") for name, it in template.get("Parameters", {}).items()}
        self.parameters.update(parameters or {})
        self.resources = template["Resources"]

    def document(self):
        """All resources that exist under these parameters, by a name without the CDK's prefix and hash."""
        found = {}
        for logical, resource in self.resources.items():
            if "Condition" in resource and not self.condition(resource["Condition"]):
                continue
            found[canonical(logical)] = {
                "Type": resource["Type"],
                "Properties": self.value(resource.get("Properties", {})),
                "DeletionPolicy": resource.get("DeletionPolicy", "Delete"),
                "UpdateReplacePolicy": resource.get("UpdateReplacePolicy", "Delete"),
            }
        return found

    def outputs(self):
        return {name: self.value(it["Value"]) for name, it in self.template.get("Outputs", {}).items()}

    def condition(self, name):
        return self.value(self.template["Conditions"][name])

    def value(self, node):
        if isinstance(node, list):
            return [it for it in map(self.value, node) if it is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, argument), *_ = node.items()
            if function in ("Ref", "Condition") or function.startswith("Fn::"):
                return self._intrinsic(function, argument)
        found = {key: self.value(it) for key, it in node.items()}
        return {key: it for key, it in found.items() if it is not None}

    def _intrinsic(self, function, argument):
        if function == "Ref":
            return self.ref(argument)
        if function == "Fn::GetAtt":
            logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
            return self.attribute(logical, attribute)
        if function == "Fn::Sub":
            return self._sub(argument)
        if function == "Fn::Join":
            separator, parts = argument
            return separator.join(str(self.value(part)) for part in parts)
        if function == "Fn::If":
            condition, yes, no = argument
            return self.value(yes if self.condition(condition) else no)
        if function == "Fn::Equals":
            left, right = (self.value(it) for it in argument)
            return str(left) == str(right)
        if function == "Fn::Not":
            return not self.value(argument[0])
        if function == "Fn::Or":
            return any(self.value(it) for it in argument)
        if function == "Fn::And":
            return all(self.value(it) for it in argument)
        if function == "Condition":
            return self.condition(argument)
        if function == "Fn::Select":
            index, parts = argument
            return self.value(parts)[int(index)]
        if function == "Fn::Split":
            separator, text = argument
            return self.value(text).split(separator)
        raise NotImplementedError(f"{function} is not known to infra/checks/resolve.py")

    def _sub(self, argument):
        text, more = argument if isinstance(argument, list) else (argument, {})

        def one(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in more:
                return str(self.value(more[name]))
            if "." in name:
                return str(self.attribute(*name.split(".", 1)))
            return str(self.ref(name))

        return re.sub(r"\$\{([^}]*)\}", one, text)

    def ref(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._physical(name, "Ref")

    def attribute(self, logical, attribute):
        return self._physical(logical, attribute)

    def _physical(self, logical, attribute):
        """What AWS would answer; a resource without a name of its own is called after its logical id."""
        resource = self._resource(logical)
        kind, properties = resource["Type"], resource.get("Properties", {})
        named = lambda key: self.names.get(canonical(logical)) or self.value(properties.get(key)) or canonical(logical)
        if kind in ("AWS::Lambda::Function", "AWS::Serverless::Function"):
            name = named("FunctionName")
            return _pick(attribute, Ref=name, Arn=_arn("lambda", f"function:{name}"))
        if kind == "AWS::Lambda::Alias":
            function = self.value(properties["FunctionName"]).split(":function:")[-1]
            return _arn("lambda", f"function:{function}:{properties['Name']}")
        if kind == "AWS::Lambda::Version":
            function = self.value(properties["FunctionName"]).split(":function:")[-1]
            return _pick(attribute, Ref=_arn("lambda", f"function:{function}:1"), Version="1")
        if kind in ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"):
            name = named("StateMachineName") if "StateMachineName" in properties else named("Name")
            arn = _arn("states", f"stateMachine:{name}")
            return _pick(attribute, Ref=arn, Arn=arn, Name=name, StateMachineRevisionId="revision")
        if kind == "AWS::StepFunctions::StateMachineVersion":
            machine = properties.get("StateMachineArn") or properties.get("StateMachineRevisionId")
            return self.value(machine) + ":1"
        if kind == "AWS::StepFunctions::StateMachineAlias":
            return _arn("states", f"stateMachine:{STACK}-pipeline:{properties['Name']}")
        if kind == "AWS::S3::Bucket":
            name = named("BucketName")
            return _pick(attribute, Ref=name, Arn=f"arn:{PARTITION}:s3:::{name}")
        if kind == "AWS::KMS::Key":
            name = named("KeyId")
            return _pick(attribute, Ref=name, Arn=_arn("kms", f"key/{name}"))
        if kind == "AWS::SNS::Topic":
            name = named("TopicName")
            return _pick(attribute, Ref=_arn("sns", name), TopicArn=_arn("sns", name), TopicName=name)
        if kind == "AWS::SQS::Queue":
            name = named("QueueName")
            url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            return _pick(attribute, Ref=url, Arn=_arn("sqs", name), QueueName=name)
        if kind == "AWS::IAM::Role":
            name = named("RoleName")
            return _pick(attribute, Ref=name, Arn=_arn("iam", f"role/{name}", region=""))
        if kind == "AWS::IAM::ManagedPolicy":
            return _arn("iam", f"policy/{named('ManagedPolicyName')}", region="")
        if kind == "AWS::Logs::LogGroup":
            name = named("LogGroupName")
            return _pick(attribute, Ref=name, Arn=_arn("logs", f"log-group:{name}:*"))
        if kind == "AWS::Scheduler::ScheduleGroup":
            return _pick(attribute, Ref=named("Name"))
        raise NotImplementedError(f"{attribute} of a {kind} is not known to infra/checks/resolve.py")

    def _resource(self, logical):
        if logical in self.resources:
            return self.resources[logical]
        # SAM's names for the aliases that it makes.
        owner = logical.removesuffix("Aliaslive")
        if owner == logical or owner not in self.resources:
            raise KeyError(f"{logical} is no resource of this template")
        machine = self.resources[owner]["Type"].endswith("StateMachine")
        kind = "AWS::StepFunctions::StateMachineAlias" if machine else "AWS::Lambda::Alias"
        return {"Type": kind, "Properties": {"Name": "live", "FunctionName": {"Ref": owner}}}


def _pick(attribute, **known):
    return known[attribute]


def canonical(logical):
    """`ReportsTriggerRole1A2B3C4D` of the CDK as `TriggerRole`."""
    return re.sub(r"^Reports(?=[A-Z])(.+?)[0-9A-F]{8}$", r"\1", logical)


def sam(path, parameters=None, names=None, transform=False):
    """The SAM template; with `transform`, as the SAM translator itself makes it (needs aws-sam-translator)."""
    template = load(path)
    if transform:
        template = _translated(template)
    return Resolver(template, parameters or {}, names)


def cdk(path, names=None):
    return Resolver(load(path), None, names)


def _translated(template):
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        # A deploy uploads these; where to makes no difference here.
        for key in ("CodeUri", "DefinitionUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = "s3://bucket/key"
    defaults = {name: it.get("Default", "") for name, it in template.get("Parameters", {}).items()}
    return Translator({}, Parser()).translate(template, defaults, feature_toggle=None)


def statements(document, logical):
    """The statements of a role's or a managed policy's documents."""
    properties = document[logical]["Properties"]
    documents = [it["PolicyDocument"] for it in properties.get("Policies", [])]
    if document[logical]["Type"] == "AWS::IAM::ManagedPolicy":
        documents = [properties["PolicyDocument"]]
    return [statement for it in documents for statement in it["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]
