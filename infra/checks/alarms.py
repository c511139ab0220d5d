"""Does each alarm reach somebody, and say what to do?

    alarms.py TEMPLATE
"""

import itertools
import re
import sys

import iam
from template import ACCOUNT, STACK, Template

ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
# What makes a window miss its time, and so the one alarm that somebody has to act on.
URGENT = {"ExecutionsFailedAlarm", "ExecutionsTimedOutAlarm", "ExecutionsAbortedAlarm", "DeadLettersAlarm"}
# The policies on the way of an alarm: whose, of which resource, and what CloudWatch does there.
POLICIES = [
    ("DataKey", "KeyPolicy", "arn:aws:kms:eu-central-1:123456789012:key/DataKey", ("kms:Decrypt", "kms:GenerateDataKey")),
    *[(f"{it}Policy", "PolicyDocument", f"arn:aws:sns:eu-central-1:123456789012:{it}", ("sns:Publish",)) for it in ("AlertTopic", "NoticeTopic")],
]


def findings(path):
    for given in ({}, {"AlertTopicArn": "arn:aws:sns:eu-central-1:123456789012:pager"}):
        document = Template(path, given).document()
        yield from _of(document, given.get("AlertTopicArn", "arn:aws:sns:eu-central-1:123456789012:AlertTopic"))
    yield from _let_through(Template(path).document())
    # Nobody is asked to confirm a subscription to a topic of somebody else.
    if "AlertEmail" in Template(path, {"AlarmEmail": "a@example.com", **given}).document():
        yield "AlertEmail subscribes to a topic that is given"


def _of(document, alerts):
    alarms = {name: it["Properties"] for name, it in document.items() if it["Type"] in ALARMS}
    rule = alarms["NotDeliveredAlarm"]["AlarmRule"]
    told = {name for name, it in alarms.items() if f'ALARM("{it["AlarmName"]}")' in rule}
    yield from (f"NotDeliveredAlarm does not hear of {it}" for it in sorted(URGENT - told))
    yield from (f"NotDeliveredAlarm hears of {it}, which mends itself" for it in sorted(told - URGENT))
    for name, alarm in alarms.items():
        text, actions = alarm["AlarmDescription"], alarm.get("AlarmActions", [])
        expected = [] if name in told else [alerts] if name == "NotDeliveredAlarm" else ["arn:aws:sns:eu-central-1:123456789012:NoticeTopic"]
        if actions != expected:
            yield f"{name} tells {actions or 'nobody'}"
        if not re.search(r"cxr |Look at|raise", text) or "Runbook: " not in text:
            yield f"{name} does not say what to do"
        if len(text) > 1024:
            yield f"{name} says more than CloudWatch takes"
        if alarm.get("Namespace") == "CxoneReports" and alarm["Dimensions"] != [{"Name": "stack", "Value": STACK}]:
            yield f"{name} watches a figure that is not counted by stack alone"
        if "AlarmRule" not in alarm and alarm["TreatMissingData"] != "notBreaching":
            yield f"{name} is red while nothing happens"


def _let_through(document):
    """Key and topics let the alarms of this deployment through, and nobody else's."""
    ours = [(ACCOUNT, it["Properties"]["AlarmName"]) for it in document.values() if it["Type"] in ALARMS]
    theirs = [(ACCOUNT, "other-not-delivered"), ("444455556666", f"{STACK}-not-delivered")]
    for owner, policy, resource, actions in POLICIES:
        statements = [it for it in document[owner]["Properties"][policy]["Statement"] if it["Principal"] in ("*", {"Service": "cloudwatch.amazonaws.com"})]
        for (account, name), action in itertools.product(ours + theirs, actions):
            context = {"aws:SourceAccount": account, "aws:SourceArn": f"arn:aws:cloudwatch:eu-central-1:{account}:alarm:{name}", "aws:SecureTransport": "true"}
            allowed = iam.decide(statements, action, resource, context) is True
            if allowed != ((account, name) in ours):
                yield f"{owner}: {action} for the alarm {name} of {account}: {'allowed' if allowed else 'not allowed'}"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("each alarm reaches somebody, and one reaches whoever has to act"))
