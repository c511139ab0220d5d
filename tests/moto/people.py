"""Each command of cxr, typed by people who have the template's policies and nothing else.

    people.py FOLDER CXR

FOLDER is that of enforced.py. What the handlers delivered before lies in the bucket. No call of a command may be refused, but for
those that ask for more than the person has: they have to say what is missing. moto has no RedriveExecution, no filter of Logs like
AWS's, a Scheduler that takes no signature for right, and refusals like AWS's for S3 alone; `tests/aws` of crates/operator has those.
"""

import json
import os
import pathlib
import subprocess
import sys

FOLDER, CXR = pathlib.Path(sys.argv[1]), sys.argv[2]
ROLES = json.loads((FOLDER / "roles.json").read_text())
REPORT, DAY, FREE = "needed/daily", "2026-11-21", "2026-11-20"
FILE = "infra/reports/daily-agent-performance.json"
REASON = ["--reason", "a test", "--requested-by", "test", "--yes"]
# What a command ends with where nothing is wrong with the call: done, or it looked and not all is well.
WELL, SEEN = {0}, {0, 5}

COMMANDS = [
    ("operator", SEEN, ["status", "--check"]),
    ("operator", WELL, ["calendar"]),
    ("operator", WELL, ["list"]),
    ("operator", WELL, ["list", "--failed"]),
    ("operator", WELL, ["show", REPORT, DAY]),
    ("operator", SEEN, ["logs", REPORT, DAY]),
    ("operator", SEEN, ["retry", REPORT, DAY]),
    ("operator", WELL, ["run", FILE, "--window", FREE]),
    ("operator", SEEN, ["watch", REPORT, DAY]),
    ("operator", SEEN, ["replay", REPORT, DAY, *REASON]),
    ("operator", WELL, ["withdraw", REPORT, DAY, *REASON]),
    ("operator", WELL, ["backfill", REPORT, f"{FREE}..{DAY}", "--dry-run"]),
    ("operator", SEEN, ["backfill", "list"]),
    ("reader", WELL, ["rows", REPORT, DAY]),
    ("reader", WELL, ["verify", REPORT, DAY]),
    ("reader", WELL, ["verify", REPORT, DAY, "--deep"]),
    ("maintainer", SEEN, ["tenant", "list"]),
    ("maintainer", WELL, ["tenant", "show", "needed"]),
]

# Who may not, and which words say what they need.
REFUSED = [
    ("operator", ["rows", REPORT, DAY], "ConsumerPolicy"),
    ("operator", ["verify", REPORT, DAY], "ConsumerPolicy"),
    ("operator", ["doctor"], "ConsumerPolicy"),
]


def decisions():
    path = FOLDER / "decisions.jsonl"
    return [json.loads(it) for it in path.read_text().splitlines()] if path.exists() else []


def run(person, line, cache):
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": cache,
        "STATE_MACHINE_ARN": ROLES["stateMachine"],
        **ROLES["people"][person],
    }
    before = len(decisions())
    ended = subprocess.run([CXR, *line], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    return ended, decisions()[before:]


def findings(cache):
    for person, codes, line in COMMANDS:
        ended, asked = run(person, line, cache)
        said = f"{person}: cxr {' '.join(line)} ended with {ended.returncode}: {ended.stderr.strip()[:600]} {ended.stdout.strip()[:300]}"
        refused = [it for it in asked if not it["allowed"]]
        if not asked:
            yield f"nothing was asked of AWS: {said}"
        elif refused:
            yield f"refused {refused[:3]}: {said}"
        elif ended.returncode not in codes:
            yield said
    for person, line, words in REFUSED:
        ended, _ = run(person, line, cache)
        if ended.returncode == 0 or words not in ended.stderr + ended.stdout:
            yield f"{person}: cxr {' '.join(line)} does not say {words}: {ended.returncode} {ended.stderr.strip()[:600]}"


if __name__ == "__main__":
    wrong = list(findings(str(FOLDER / "cache")))
    sys.exit("\n".join(wrong) if wrong else print(f"{len(COMMANDS)} commands of people: none refused; {len(REFUSED)} say which policy they lack"))
