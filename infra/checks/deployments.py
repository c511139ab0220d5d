"""Deployments side by side, in three partitions, and of the reports that teams really have.

    deployments.py TEMPLATE REPORTS CXR
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from template import PARTITIONS, Template, load, machines

# The longest name of a deployment.
LONGEST = 25
# What AWS takes as a name, by type.
LIMITS = {
    "AWS::Lambda::Function": 64,
    "AWS::StepFunctions::StateMachine": 80,
    "AWS::Scheduler::Schedule": 64,
    "AWS::Scheduler::ScheduleGroup": 64,
    "AWS::CloudWatch::Alarm": 255,
    "AWS::CloudWatch::CompositeAlarm": 255,
    "AWS::CloudWatch::Dashboard": 255,
    "AWS::Logs::LogGroup": 512,
}
NAMES = ["Tägliche Übersicht", "Отчёт по операторам", "オペレーター日報", "تقرير الوكلاء", "Ημερήσια αναφορά"]
# The principals of services are the same everywhere.
PRINCIPAL = re.compile(r'"(lambda|states|scheduler|cloudwatch|delivery\.logs)\.amazonaws\.com"')


def findings(path, reports, cxr):
    yield from shapes(path)
    yield from _alphabets(path, reports, cxr)
    yield from _many(path, reports, cxr)


def shapes(path):
    """The template and its neighbour, the reports' template, as any number of deployments."""
    nested = pathlib.Path(path).parent / "reports.template.json"
    yield from _side_by_side(path, nested)
    yield from _environments(path, nested)
    for partition in PARTITIONS:
        yield from (f"{partition}: {it}" for it in _of_another(path, nested, partition))


def whole(path, nested, **given):
    """The resources of a stack and of the one that it nests."""
    outer = Template(path, **given)
    document = outer.document()
    given["parameters"] = document["Reports"]["Properties"]["Parameters"]
    return [*document.values(), *Template(nested, **given).document().values()]


def _identities(resources):
    """What CloudFormation knows each resource by, where the template says it."""
    for resource in resources:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        keys = [it.removeprefix("/properties/") for it in schema["primaryIdentifier"]]
        values = tuple(resource["Properties"].get(it) for it in keys)
        # A policy is known by what it belongs to, which is another one each time.
        if all(isinstance(it, str) for it in values) and not resource["Type"].endswith("BucketPolicy"):
            yield (resource["Type"], *values)
        # The state machine's ARN is made of its name.
        if "StateMachineName" in resource["Properties"]:
            yield resource["Type"], resource["Properties"]["StateMachineName"]


def _side_by_side(path, nested):
    one, *others = (
        set(_identities(whole(path, nested, **it))) for it in ({"stack": "cxone-reports"}, {"stack": "staging"}, {"stack": "cxone-reports", "parameters": {"Name": "second"}})
    )
    for other in others:
        yield from (f"two deployments can't both have {' '.join(it)}" for it in sorted(one & other))
    for kind, *names in set(_identities(whole(path, nested, stack="x" * LONGEST))):
        if len(names[0]) > LIMITS.get(kind, 256):
            yield f"a stack of {LONGEST} letters has a {kind} of {len(names[0])}: {names[0]}"


def _environments(path, nested):
    """Those of samconfig.toml, in one account: no name twice, and no tenant's secret that another's functions would look for."""
    environments = tomllib.loads((pathlib.Path(path).parent / "samconfig.toml").read_text())
    seen, prefixes = {}, {}
    for environment, sections in environments.items():
        if environment == "version":
            continue
        given = dict(it.split("=", 1) for it in sections["deploy"]["parameters"].get("parameter_overrides", "").split())
        prefix = given.get("SecretPrefix", load(path)["Parameters"]["SecretPrefix"]["Default"])
        yield from (f"{environment} and {it} have the same tenants' secrets, which one stack's key encrypts" for it, other in prefixes.items() if prefix.startswith(other) or other.startswith(prefix))
        prefixes[environment] = prefix
        for identity in set(_identities(whole(path, nested, stack=sections["global"]["parameters"]["stack_name"], parameters=given))):
            if identity in seen:
                yield f"{environment} and {seen[identity]} can't both have {' '.join(identity)}"
            seen[identity] = environment


def _of_another(path, nested, partition):
    filled = "".join(it.read_text() for it in machines(path).values()).replace("${Partition}", partition)
    text = json.dumps(whole(path, nested, partition=partition, parameters={"SubnetIds": "subnet-1"})) + filled
    yield from (f"{it} is of another partition" for it in sorted({it for it in re.findall(r"arn:(aws[a-z-]*):", text) if it != partition}))
    region, suffix = PARTITIONS[partition]
    for host in sorted(set(re.findall(r'[a-z0-9.-]+\.amazonaws\.com[a-z.]*\*?', PRINCIPAL.sub("", text)))):
        if region not in host or not (host.endswith(suffix) or host.endswith("*")):
            yield f"{host} is no address there"


def _made(reports, cxr, definitions):
    """The template of these definitions by file name."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="reports-"))
    shipped = json.loads(next(pathlib.Path(reports).glob("*.json")).read_text())
    for stem, changes in definitions.items():
        (folder / f"{stem}.json").write_text(json.dumps({**shipped, **changes}))
    target = folder / "reports.template"
    done = subprocess.run([cxr, "schedules", folder, target], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    # Beside the definitions a .json would be one.
    made = target.rename(target.with_suffix(".template.json"))
    return folder, made


def _alphabets(path, reports, cxr):
    folder, made = _made(reports, cxr, {name: {"name": name} for name in NAMES})
    schedules = [it for it in whole(path, made) if it["Type"] == "AWS::Scheduler::Schedule"]
    told = {json.loads(it["Properties"]["Target"]["Input"])["detail"]["definition"]["name"] for it in schedules}
    yield from (f"no schedule starts {it}" for it in NAMES if it not in told)
    if not made.read_text().isascii():
        yield "the template of reports is not ASCII, which CloudFormation does not keep everywhere"
    yield from _lint(made)
    _remove(folder)


def _many(path, reports, cxr):
    """200 reports of the size of the shipped one, and each is expected."""
    folder, made = _made(reports, cxr, {f"report-{it}": {"name": f"Report {it}"} for it in range(200)})
    schedules = [it for it in whole(path, made) if it["Type"] == "AWS::Scheduler::Schedule"]
    if len(schedules) != 400:
        yield f"200 reports have {len(schedules)} schedules"
    if made.stat().st_size > 900_000:
        yield f"200 reports take {made.stat().st_size} bytes"
    yield from _lint(made)
    _remove(folder)


def _lint(made):
    done = subprocess.run([str(pathlib.Path(sys.executable).parent / "cfn-lint"), made], capture_output=True, text=True)
    yield from done.stdout.splitlines()[:3] if done.returncode else []


def _remove(folder):
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


if __name__ == "__main__":
    wrong = list(findings(*sys.argv[1:]))
    sys.exit("\n".join(wrong) if wrong else print("deployments stand side by side, in three partitions, with reports of five alphabets and with 200"))
