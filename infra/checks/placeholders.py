"""Are each definition's placeholders just what the template substitutes, each by what it says?

    placeholders.py TEMPLATE
"""

import re
import sys

from template import STACK, Template, machines


def findings(path):
    for machine, definition in machines(path).items():
        yield from (f"{machine}: {it}" for it in _of(definition.read_text(), Template(path).document()[machine]["Properties"]["DefinitionSubstitutions"]))


def _of(text, substitutions):
    placeholders = set(re.findall(r"\$\{([^}]*)\}", text))
    for arn in re.findall(r'"(arn:[^"]*)"', text):
        if not arn.startswith("arn:${Partition}:states:::"):
            yield f"{arn} belongs to a partition or an account; a placeholder has to stand there"
    yield from (f"nothing stands for ${{{name}}}" for name in sorted(placeholders - set(substitutions)))
    yield from (f"${{{name}}} does not occur in the definition" for name in sorted(set(substitutions) - placeholders))
    for name in sorted(placeholders & set(substitutions)):
        value, handler = substitutions[name], re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.removesuffix("Arn")).lower()
        expected = {"notice-topic": ":sns:.*:NoticeTopic", "alert-topic": ":sns:.*:AlertTopic", "partition": "^aws", "pipeline": f":stateMachine:{STACK}-pipeline"}.get(handler, f":function:{STACK}-{handler}")
        if not re.search(expected + "$", value):
            yield f"${{{name}}} is {value}"


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:]))
    sys.exit("\n".join(wrong) if wrong else print("placeholders and substitutions are the same"))
