"""What IAM decides, as far as this project's policies go: actions, resources, and the conditions that they use."""

import re

from template import listed


def decide(statements, action, resource, context):
    """True, False where a statement refuses, None where no statement says anything."""
    found = None
    for statement in statements:
        if not _matches(statement["Action"], action, str.lower) or not _matches(statement["Resource"], resource):
            continue
        if not all(_condition(operator, keys, context) for operator, keys in statement.get("Condition", {}).items()):
            continue
        if statement["Effect"] == "Deny":
            return False
        found = True
    return found


def _matches(patterns, value, fold=str):
    return any(_like(fold(pattern), fold(value)) for pattern in listed(patterns))


def _like(pattern, value):
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(it, re.escape(it)) for it in pattern), value, re.DOTALL) is not None


def _condition(operator, keys, context):
    context = {key.lower(): it for key, it in context.items()}
    for key, expected in keys.items():
        actual = context.get(key.lower())
        expected = [str(it).lower() if isinstance(it, bool) else str(it) for it in listed(expected)]
        if operator == "Null":
            holds = (actual is None) == (expected == ["true"])
        elif actual is None:
            holds = False
        elif operator in ("StringEquals", "Bool"):
            holds = actual in expected
        elif operator in ("StringLike", "ArnLike"):
            holds = any(_like(it, actual) for it in expected)
        else:
            raise NotImplementedError(f"{operator} is not known to infra/checks/iam.py")
        if not holds:
            return False
    return True
