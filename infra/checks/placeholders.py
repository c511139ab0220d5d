"""Are the definition's placeholders just what both templates substitute, each by what it says?

    placeholders.py DEFINITION SAM_TEMPLATE [CDK_TEMPLATE]
"""

import pathlib
import re
import sys

import resolve

MACHINES = ("AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")


def findings(definition, *templates):
    text = pathlib.Path(definition).read_text()
    placeholders = set(re.findall(r"\$\{([^}]*)\}", text))
    for arn in re.findall(r'"(arn:[^"]*)"', text):
        if not arn.startswith("arn:${Partition}:states:::"):
            yield f"{arn} belongs to a partition or an account; a placeholder has to stand there"
    for template in templates:
        yield from (f"{template}: {it}" for it in _of(resolve.Resolver(resolve.load(template)), placeholders))


def _of(resolver, placeholders):
    machines = [it for it in resolver.resources.values() if it["Type"] in MACHINES]
    if len(machines) != 1:
        yield f"{len(machines)} state machines"
        return
    substitutions = machines[0]["Properties"].get("DefinitionSubstitutions", {})
    yield from (f"nothing stands for ${{{name}}}" for name in sorted(placeholders - set(substitutions)))
    yield from (f"${{{name}}} does not occur in the definition" for name in sorted(set(substitutions) - placeholders))
    for name in sorted(placeholders & set(substitutions)):
        value, handler = resolver.value(substitutions[name]), re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.removesuffix("Arn")).lower()
        expected = {"notice-topic": r":sns:.*AlertTopic", "partition": "^aws"}.get(handler, rf":function:{resolve.STACK}-{handler}:live")
        if not re.search(expected + r"([0-9A-F]{8})?$", value):
            yield f"${{{name}}} is {value}"


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:]))
    sys.exit("\n".join(wrong) if wrong else print("placeholders and substitutions are the same"))
