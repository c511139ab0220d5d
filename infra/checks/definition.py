"""What no validator sees in the state machine's definition: undefined variables, timeouts against the functions' own,
unreachable states. tests/agreement looks at Retry.

    definition.py DEFINITION TEMPLATE
"""

import json
import pathlib
import re
import sys

import template

INVOKE = "arn:${Partition}:states:::lambda:invoke"


def findings(path, of_functions):
    try:
        definition = json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        return [f"no JSON: {error}"]
    states = definition["States"]
    found = [] if definition.get("QueryLanguage") == "JSONata" else ["the query language is not JSONata"]
    found += list(_paths(definition))
    found += [f"{name}: a Choice without Default fails in no Task" for name, it in states.items() if it["Type"] == "Choice" and "Default" not in it]
    timeouts = _function_timeouts(of_functions)
    for name, state in states.items():
        if state.get("Resource") == INVOKE:
            found += [f"{name}: {it}" for it in _handler(state, timeouts)]
    return found + list(_variables(definition))


def _targets(state):
    yield from (it["Next"] for it in [state, *state.get("Choices", []), *state.get("Catch", [])] if "Next" in it)
    if "Default" in state:
        yield state["Default"]


def _paths(definition):
    states, seen, todo = definition["States"], set(), [definition["StartAt"]]
    while todo:
        name = todo.pop()
        if name in states and name not in seen:
            seen.add(name)
            todo += _targets(states[name])
        elif name not in states:
            yield f"there is no state {name!r}"
    yield from (f"{name}: no path leads there" for name in states if name not in seen)


def _function_timeouts(path):
    """Seconds by placeholder."""
    resources = template.load(path)["Resources"]
    handlers = {name: it for name, it in resources.items() if it["Type"] == "AWS::Lambda::Function"}
    return {"${%sArn}" % name.removesuffix("Function"): it["Properties"]["Timeout"] for name, it in handlers.items()}


def _handler(state, timeouts):
    function = state["Arguments"].get("FunctionName")
    if function not in timeouts:
        yield f"{function} is no function of the template"
    elif state.get("TimeoutSeconds", 0) < timeouts[function] + 30:
        yield f"TimeoutSeconds is not 30 s longer than the function's {timeouts[function]} s, so that two may run at once"
    if state["Arguments"].get("Payload", {}).get("v") != 1:
        yield "the payload has no version"


def _texts(node):
    if isinstance(node, dict):
        for it in node.values():
            yield from _texts(it)
    elif isinstance(node, list):
        for it in node:
            yield from _texts(it)
    elif isinstance(node, str) and node.startswith("{%"):
        yield node


def _variables(definition):
    states = definition["States"]
    known = set(states[definition["StartAt"]].get("Assign", {}))
    for name, state in states.items():
        for text in _texts(state):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)
            local = set(re.findall(r"\$(\w+)\s*:=", bare)) | set(re.findall(r"\$(\w+)", " ".join(re.findall(r"function\(([^)]*)\)", bare))))
            used = set(re.findall(r"\$(\w+)(?!\w*\s*\()", bare)) - local - {"states"}
            yield from (f"{name}: ${it} has no value from the start" for it in sorted(used - known))
        yield from (f"{name}: assigns {it}, which {definition['StartAt']} does not" for it in state.get("Assign", {}) if it not in known)


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:3]))
    sys.exit("\n".join(wrong) if wrong else print("the definition holds together"))
