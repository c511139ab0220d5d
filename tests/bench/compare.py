"""Runs every contender over the same rows and prints what each cost. Called by tests/bench/run, which builds what this starts."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from product import run_test, write_readme

HERE = pathlib.Path(__file__).parent
DEFINITION = HERE.parent.parent / "infra/reports/daily-agent-performance.json"
PRODUCT = {"gzip": "fetch-page, gzip 1", "zstd": "fetch-page, zstd 1"}
LIMITS = {"socket": "the socket alone", "gzip": "socket and gzip 1", "zstd": "socket and zstd 1", "scan": "socket and row scan"}
PEERS = ["guide, JSON", "guide, CSV", "careful Python, gzip 1", "careful Python, zstd 1", "dlt, JSONL"]
# (what, contender, least ratio). A ratio is one of rows a CPU second.
TARGETS = [
    ("of the socket and the same compressor", PRODUCT["gzip"], LIMITS["gzip"], 0.85),
    ("of the socket and the same compressor", PRODUCT["zstd"], LIMITS["zstd"], 0.85),
    ("times the guide's loop", PRODUCT["gzip"], "guide, JSON", 12),
    ("times dlt", PRODUCT["gzip"], "dlt, JSONL", 40),
    ("times careful Python", PRODUCT["gzip"], "careful Python, gzip 1", 5),
]


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readme", action="store_true")
    for path in ("--tenant", "--limit"):
        parser.add_argument(path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--profile", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = sorted(options.rows or [200_000, 2_000_000])
    figures = {rows: measure(rows, options) for rows in sizes}
    ratios = compare(figures, sizes[-1])
    if options.json:
        print(json.dumps({"profile": options.profile, "rows": sizes[-1], "ratios": ratios, "figures": figures}, indent=2))
    else:
        print(table(figures))
        for ratio in ratios:
            print(f"{ratio['contender']}: {ratio['ratio']:.2f} {ratio['what']} ({ratio['against']}); target {ratio['target']}")
    if options.readme:
        write_readme("--readme", table(figures), options.profile)


def measure(rows, options):
    """What each contender cost: rows, CPU seconds, wall seconds, the most memory in MiB, bytes of JSON read."""
    found = {}
    for compression, name in PRODUCT.items():
        found[name] = run_product(rows, compression)
        tell(name, rows, found[name])
    with tempfile.TemporaryDirectory() as folder:
        with Tenant(options.tenant, rows) as tenant:
            for mode, name in LIMITS.items():
                found[name] = run_contender(rows, [options.limit, mode, tenant.base_url, tenant.token, tenant.run])
                tell(name, rows, found[name])
            for name in PEERS:
                into = pathlib.Path(folder, re.sub(r"\W+", "-", name))
                into.mkdir()
                command = [sys.executable, HERE / "peers.py", name, tenant.base_url, tenant.token, tenant.run, into]
                found[name] = run_contender(rows, command)
                tell(name, rows, found[name])
    return found


def tell(name, rows, figures):
    print(f"{name}, {rows:,} rows: {figures['cpu']:.2f} CPU s, {figures['mib']:.0f} MiB", file=sys.stderr)


def run_product(rows, compression):
    (figures,) = run_test("fetch_page_is_measured", "figures", rows, BENCH_COMPRESSION=compression)
    assert figures["rows"] == rows, figures
    return figures


def run_contender(rows, command):
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[1]} ended with {child.returncode}")
    # What only looks at bytes knows no rows.
    counted = int(said.split()[-1])
    assert counted in (0, rows), f"{command[1]} found {counted} of {rows} rows"
    return {"rows": rows, "cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - begun, "mib": usage.ru_maxrss / 1024}


class Tenant:
    """A simulated tenant in a process of its own, with a completed run. What it costs is not counted."""

    def __init__(self, executable, rows):
        self.child = subprocess.Popen([executable, "--rows", str(rows), "--page-size", "10000", "--no-gzip"], stdout=subprocess.PIPE, text=True)
        known = {}
        while "CXONE_ACCESS_KEY_SECRET" not in known:
            name, _, value = self.child.stdout.readline().removeprefix("export ").strip().partition("=")
            known[name] = value
        self.base_url, self.token = known["CXONE_BASE_URL"], None
        client = f"client_id={known['CXONE_CLIENT_ID']}&client_secret={known['CXONE_CLIENT_SECRET']}"
        self.token = self.ask(known["CXONE_TOKEN_URL"], f"grant_type=client_credentials&{client}".encode())["access_token"]
        definition = {name: value for name, value in json.loads(DEFINITION.read_text()).items() if name not in ("pipeline", "$schema")}
        schedules = f"{self.base_url}/api/v2/analytics/reports/schedules"
        schedule = self.ask(schedules, json.dumps(definition).encode())
        self.run = self.ask(f"{schedules}/{schedule['scheduleId']}/runs", b"{}")["runId"]

    def ask(self, url, body):
        kind = "application/json" if self.token else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return json.load(response)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


def compare(figures, rows):
    speed = {name: figure["rows"] / max(figure["cpu"], 0.01) for name, figure in figures[rows].items()}
    return [
        {"contender": name, "what": what, "against": against, "ratio": round(speed[name] / speed[against], 3), "target": least}
        for what, name, against, least in TARGETS
    ]


def table(figures):
    sizes = list(figures)
    lines = ["| contender | " + " | ".join(f"{rows:,} rows: M rows a CPU s | wall s | peak MiB" for rows in sizes) + " |"]
    lines.append("| --- |" + " --- | --- | --- |" * len(sizes))
    for name in figures[sizes[0]]:
        cells = []
        for rows in sizes:
            figure = figures[rows][name]
            cells.append(f"{rows / max(figure['cpu'], 0.01) / 1e6:.3f} | {figure['wall']:.1f} | {figure['mib']:.0f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
