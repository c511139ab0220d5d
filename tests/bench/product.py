"""Measures the deployed executables, and writes what was measured into the README."""

import json
import os
import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).parent.parent.parent / "README.md"


def run_test(name, mark, rows, **settings):
    """One test of tests/bench/main.rs: it calls the executables by the state machine, and prints what they used in lines that begin
    with the mark."""
    command = ["cargo", "test", "--quiet", "--workspace", "--locked", "--test", "bench", "--", "--nocapture", name]
    environment = {**os.environ, "BENCH_ROWS": str(rows), **settings}
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in re.findall(rf"^{mark} (.*)$", output, re.MULTILINE)]


def write_readme(options, text, profile):
    """Puts the text between the marks that tests/bench/run with these options has in the README."""
    if profile != "release":
        sys.exit("the README's figures are those of the release build: leave --profile out")
    begin, end = f"<!-- tests/bench/run {options} -->\n", "<!-- end -->"
    before, found, rest = README.read_text().partition(begin)
    _, _, after = rest.partition(end)
    assert found and after, f"README.md has no lines {begin.strip()} and {end}"
    README.write_text(before + begin + text + "\n" + end + after)
