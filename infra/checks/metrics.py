"""Do dashboard and alarms show what the functions count, and all of it?

    metrics.py SAM_TEMPLATE
"""

import json
import pathlib
import re
import sys

import resolve

SOURCE = pathlib.Path(__file__).parents[2] / "crates/handler/src/metrics.rs"


def counted():
    """Namespace, dimensions and names, as the functions spell them."""
    text = SOURCE.read_text()
    namespace = re.search(r'NAMESPACE: &str = "(\w+)"', text).group(1)
    dimensions = re.search(r"DIMENSIONS: \[&str; \d+\] = \[([^\]]*)\]", text).group(1)
    return namespace, re.findall(r'"(\w+)"', dimensions), set(re.findall(r'Self::\w+ => "(\w+)",', text.split("fn name")[1].split("fn unit")[0]))


def findings(template):
    document = resolve.sam(template).document()
    namespace, dimensions, names = counted()
    body = document["Dashboard"]["Properties"]["DashboardBody"]
    shown = re.findall(r"SEARCH\('\{([^}]*)\} MetricName=\"(\w+)\"'", json.dumps(json.loads(body)).replace('\\"', '"'))
    for where, name in shown:
        if where.split(",") != [namespace, *dimensions]:
            yield f"the dashboard looks for {name} in {where}"
    found = {name for _, name in shown}
    yield from (f"the dashboard shows {name}, which nothing counts" for name in sorted(found - names))
    yield from (f"{name} is counted and not on the dashboard" for name in sorted(names - found))
    for logical, resource in document.items():
        alarm = resource["Properties"]
        if resource["Type"] == "AWS::CloudWatch::Alarm" and alarm.get("Namespace", "").startswith("Cxone"):
            if alarm["Namespace"] != namespace or alarm["MetricName"] not in names:
                yield f"{logical}: nothing counts {alarm['Namespace']} {alarm['MetricName']}"
            if [it["Name"] for it in alarm["Dimensions"]] != dimensions:
                yield f"{logical}: other dimensions than {dimensions}"


if __name__ == "__main__":
    wrong = list(findings(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else print("dashboard and alarms show what is counted, and all of it"))
