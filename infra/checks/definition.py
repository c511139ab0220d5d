"""What no validator sees in the state machine's definition: undefined variables, the order and completeness of Retry,
timeouts against the functions' own, unreachable states.

    definition.py DEFINITION SAM_TEMPLATE
"""

import json
import pathlib
import re
import sys

import resolve

INVOKE = "arn:aws:states:::lambda:invoke"
FAILURES = pathlib.Path(__file__).parents[2] / "crates/delivery/src/failure.rs"
TRANSIENT = {"Cxone.Throttled", "Cxone.Unavailable"}


def failure_names():
    return set(re.findall(r'rename = "(Cxone\.\w+)"', FAILURES.read_text()))


def findings(path, template):
    try:
        definition = json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        return [f"no JSON: {error}"]
    states = definition["States"]
    found = [] if definition.get("QueryLanguage") == "JSONata" else ["the query language is not JSONata"]
    found += list(_paths(definition))
    found += [f"{name}: a redrive would enter this Fail state and fail again" for name, it in states.items() if it["Type"] == "Fail"]
    found += [f"{name}: a Choice without Default fails in no Task" for name, it in states.items() if it["Type"] == "Choice" and "Default" not in it]
    timeouts = _function_timeouts(template)
    for name, state in states.items():
        if state["Type"] == "Task":
            found += [f"{name}: {it}" for it in _task(state, timeouts)]
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


def _function_timeouts(template):
    """Seconds by placeholder."""
    resources = resolve.load(template)["Resources"]
    handlers = {name: it for name, it in resources.items() if it["Type"] == "AWS::Serverless::Function"}
    return {"${%sArn}" % name.removesuffix("Function"): it["Properties"]["Timeout"] for name, it in handlers.items()}


def _task(state, timeouts):
    if "TimeoutSeconds" not in state:
        yield "a task without TimeoutSeconds may hang for a year"
    retries = state.get("Retry", [])
    if not retries:
        yield "nothing is tried again"
    for index, retry in enumerate(retries):
        if retry.get("MaxAttempts") != 0 and (retry.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in retry):
            yield f"Retry {index} has no full jitter or no longest delay"
        if "States.ALL" in retry["ErrorEquals"] and (index + 1 < len(retries) or len(retry["ErrorEquals"]) > 1):
            yield "States.ALL has to stand last and alone"
    if state["Resource"] == INVOKE:
        yield from _handler(state, retries, timeouts)


def _handler(state, retries, timeouts):
    function = state["Arguments"].get("FunctionName")
    if function not in timeouts:
        yield f"{function} is no function of the template"
    elif state.get("TimeoutSeconds", 0) < timeouts[function] + 30:
        yield f"TimeoutSeconds is not 30 s longer than the function's {timeouts[function]} s, so that two may run at once"
    if state["Arguments"].get("Payload", {}).get("v") != 1:
        yield "the payload has no version"
    attempts = {error: retry.get("MaxAttempts", 3) for retry in retries for error in retry["ErrorEquals"]}
    for name in sorted(failure_names() - set(attempts)):
        yield f"Retry does not name {name}"
    for name in sorted(failure_names() & set(attempts)):
        if (attempts[name] > 0) != (name in TRANSIENT):
            yield f"{name} is retried {attempts[name]} times"


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
            local = set(re.findall(r"\$(\w+)\s*:=", bare))
            used = set(re.findall(r"\$(\w+)(?!\w*\s*\()", bare)) - local - {"states"}
            yield from (f"{name}: ${it} has no value from the start" for it in sorted(used - known))
        yield from (f"{name}: assigns {it}, which {definition['StartAt']} does not" for it in state.get("Assign", {}) if it not in known)


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:3]))
    sys.exit("\n".join(wrong) if wrong else print("the definition holds together"))
