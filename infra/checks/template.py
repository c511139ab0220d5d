"""What CloudFormation makes of the template: parameters, conditions and intrinsic functions filled in, offline.

So a role's policy can be judged, or put into an IAM that enforces it, and two sets of parameters can be compared.
"""

import functools
import json
import pathlib
import re

import yaml

ACCOUNT, STACK = "123456789012", "cxone-reports"
# A region of each partition, and what its addresses end with.
PARTITIONS = {"aws": ("eu-central-1", "amazonaws.com"), "aws-us-gov": ("us-gov-west-1", "amazonaws.com"), "aws-cn": ("cn-north-1", "amazonaws.com.cn")}
# What a reference to a resource gives, by its type: a name or an ARN. Without an entry it is the name.
REF_IS_ARN = {"AWS::StepFunctions::StateMachine", "AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}
NAMES = ("FunctionName", "StateMachineName", "LogGroupName", "AlarmName", "BucketName", "TopicName", "QueueName", "RoleName", "Name")
# Service, and what stands before the name in the ARN.
ARNS = {
    "AWS::Lambda::Function": ("lambda", "function:"),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:"),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::IAM::Role": ("iam", "role/"),
    "AWS::IAM::ManagedPolicy": ("iam", "policy/"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
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
    return json.loads(text) if str(path).endswith(".json") else parse(text)


@functools.lru_cache(maxsize=8)
def parse(text):
    """A document of this text, which nobody may change: the same text is parsed once, and a check reads it with many parameters."""
    return yaml.load(text, _Loader)


class Template:
    """A template with one set of parameters. `names` are physical names by logical id, where a caller has better ones."""

    def __init__(self, path, parameters=None, names=None, stack=STACK, partition="aws"):
        template = load(path)
        self.partition, self.names = partition, names or {}
        self.region, suffix = PARTITIONS[partition]
        self.known = {
            **{name: it.get("Default") for name, it in template.get("Parameters", {}).items()},
            **(parameters or {}),
            **{"AWS::Region": self.region, "AWS::AccountId": ACCOUNT, "AWS::Partition": partition, "AWS::StackName": stack},
            **{"AWS::URLSuffix": suffix, "AWS::NoValue": None},
        }
        for name, it in template.get("Parameters", {}).items():
            if it["Type"] == "CommaDelimitedList":
                self.known[name] = str(self.known[name]).split(",")
        self.conditions, self.resources = template.get("Conditions", {}), template["Resources"]
        self.outputs = template.get("Outputs", {})

    def document(self):
        """All resources that exist under these parameters."""
        found = {}
        for logical, resource in self.resources.items():
            if "Condition" in resource and not self.value({"Condition": resource["Condition"]}):
                continue
            found[logical] = {
                "Type": resource["Type"],
                "Properties": self.value(resource.get("Properties", {})),
                "DeletionPolicy": resource.get("DeletionPolicy", "Delete"),
                "UpdateReplacePolicy": resource.get("UpdateReplacePolicy", "Delete"),
            }
        return found

    def value(self, node):
        if isinstance(node, list):
            return [it for it in map(self.value, node) if it is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, argument), *_ = node.items()
            if function in ("Ref", "Condition") or function.startswith("Fn::"):
                return getattr(self, "_" + function.removeprefix("Fn::").lower())(argument)
        found = {key: self.value(it) for key, it in node.items()}
        return {key: it for key, it in found.items() if it is not None}

    def _ref(self, name):
        return self.known[name] if name in self.known else self._physical(name, "Ref")

    def _condition(self, name):
        return self.value(self.conditions[name])

    def _getatt(self, argument):
        return self._physical(*(argument if isinstance(argument, list) else argument.split(".", 1)))

    def _sub(self, argument):
        text, more = argument if isinstance(argument, list) else (argument, {})

        def one(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in more:
                return str(self.value(more[name]))
            return str(self._getatt(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]*)\}", one, text)

    def _join(self, argument):
        return argument[0].join(str(part) for part in self.value(argument[1]))

    def _if(self, argument):
        condition, yes, no = argument
        return self.value(yes if self._condition(condition) else no)

    def _equals(self, argument):
        left, right = (self.value(it) for it in argument)
        return str(left) == str(right)

    def _not(self, argument):
        return not self.value(argument[0])

    def _or(self, argument):
        return any(self.value(it) for it in argument)

    def _and(self, argument):
        return all(self.value(it) for it in argument)

    def _physical(self, logical, attribute):
        """What AWS would answer; a resource without a name of its own is called after its logical id."""
        kind, properties = self.resources[logical]["Type"], self.resources[logical].get("Properties", {})
        given = next((properties[key] for key in NAMES if key in properties), logical)
        name = self.names.get(logical) or self.value(given)
        service, before = ARNS.get(kind, (None, None))
        region = "" if service == "iam" else self.region
        arn = f"arn:{self.partition}:{service}:{region}:{ACCOUNT}:{before}{name}"
        if attribute == "Arn":
            # A log group's own ARN ends so.
            return arn + (":*" if service == "logs" else "")
        if attribute in ("Name", "QueueName"):
            return name
        if attribute == "RoleId":
            return f"AROA{logical}"
        assert attribute == "Ref", f"{attribute} of a {kind} is not known to infra/checks/template.py"
        return arn if kind in REF_IS_ARN else name


def machines(path):
    """The definition of each state machine, a file beside the template, by its logical id."""
    kind, resources = "AWS::StepFunctions::StateMachine", load(path)["Resources"]
    return {name: pathlib.Path(path).parent / it["Properties"]["DefinitionS3Location"] for name, it in resources.items() if it["Type"] == kind}


def statements(document, logical):
    """The statements of a role's or a managed policy's documents."""
    properties = document[logical]["Properties"]
    documents = [it["PolicyDocument"] for it in properties.get("Policies", [])]
    if document[logical]["Type"] == "AWS::IAM::ManagedPolicy":
        documents = [properties["PolicyDocument"]]
    return [statement for it in documents for statement in it["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]
