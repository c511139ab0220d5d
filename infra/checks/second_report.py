"""As a team would: one more file in infra/reports is one more schedule and alarm in both outputs, and a typo stops it.

    second_report.py INFRA CXR

Works on a copy; the CDK app is that of INFRA/cdk, with its node_modules.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import agreement
import resolve

SHIPPED = "daily-agent-performance.json"


def main():
    infra, cxr = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    copy = pathlib.Path(tempfile.mkdtemp(prefix="second-report-"))
    shutil.copytree(infra / "reports", copy / "reports")
    shutil.copy(infra / "template.yaml", copy)
    schedules = lambda: subprocess.run([cxr, "schedules", copy / "reports", copy / "template.yaml"], capture_output=True, text=True)

    second = json.loads((infra / "reports" / SHIPPED).read_text())
    second["name"] = "Weekly ${Agent} Performance"
    second["schedule"] = {"type": "weekly", "time": "06:00", "timezone": "UTC"}
    second["report"]["dateRange"]["value"] = "previousWeek"
    typo = {**second, "report": {**second["report"], "metrics": ["handelTime"]}}
    file = copy / "reports" / "weekly-agent-performance.json"

    file.write_text(json.dumps(typo))
    before = (copy / "template.yaml").read_text()
    refused = schedules()
    expect(refused.returncode == 1 and file.name in refused.stdout and "error CXD" in refused.stdout, f"a typo in a metric passes: {refused}")
    expect((copy / "template.yaml").read_text() == before, "a template was written although a definition is wrong")
    print(refused.stdout.splitlines()[0].replace(str(copy), "…")[:160])

    file.write_text(json.dumps(second))
    done = schedules()
    expect(done.returncode == 0, done.stdout + done.stderr)
    sam = resolve.sam(copy / "template.yaml", transform=True)
    cdk = resolve.cdk(synthesised(infra / "cdk", copy))
    found, count = agreement.differences(sam, cdk)
    expect(not found, "\n".join(found))
    for document in (sam.document(), cdk.document()):
        names = {it["Properties"].get("Name") for it in document.values() if it["Type"] == "AWS::Scheduler::Schedule"}
        expect({"daily-agent-performance", "weekly-agent-performance"} <= names, f"schedules: {names}")
        expect("WeeklyAgentPerformanceNotDeliveredAlarm" in document, "no alarm for the second report")
    shutil.rmtree(copy)
    print(f"a second report is in both outputs, and their {count} resources agree")


def synthesised(app, copy):
    settings = {
        "CDK_OUTDIR": str(copy / "cdk.out"),
        "CXONE_REPORTS_REPORTS": str(copy / "reports"),
        "CXONE_REPORTS_PLACEHOLDER_CODE": "true",
    }
    done = subprocess.run(["npm", "run", "--silent", "synth"], cwd=app, env={**os.environ, **settings}, capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)
    return copy / "cdk.out" / "cxone-reports.template.json"


def expect(holds, otherwise):
    if not holds:
        sys.exit(otherwise)


if __name__ == "__main__":
    main()
