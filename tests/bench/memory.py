"""How much memory the deployed executables hold, and what finalize takes for many keys. Called by tests/bench/run, which builds
what this starts."""

import argparse
import json

from product import run_test, write_readme

HANDLERS = ["fetch-page", "finalize", "publish"]
KEYS = 10_000_000


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("what", choices=["memory", "finalize"], help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--profile", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    measure, tell = {"memory": (measure_memory, draw_table), "finalize": (measure_finalize, describe_finalize)}[options.what]
    figures = measure(options.rows)
    text = tell(figures)
    print(json.dumps(figures, indent=2) if options.json else text)
    if options.readme:
        write_readme(f"--{options.what} --readme", text, options.profile)


def measure_memory(rows):
    """For each size, API and format the most MiB that a process of each handler held."""
    figures = []
    for size in sorted(rows or [2_000_000, 6_000_000]):
        figures += run_test("memory_is_measured", "memory", size)
    return figures


def draw_table(figures):
    sizes = sorted({figure["rows"] for figure in figures})
    heads = [f"{name}: {' / '.join(f'{size:,}' for size in sizes)} rows" for name in HANDLERS]
    lines = ["| API | format | " + " | ".join(heads) + " |", "| --- | --- |" + " --- |" * len(HANDLERS)]
    for first in (figure for figure in figures if figure["rows"] == sizes[0]):
        same = [it for it in figures if (it["api"], it["format"]) == (first["api"], first["format"])]
        cells = [" / ".join(str(it[name]) for it in same) for name in HANDLERS]
        lines.append(f"| {first['api']} | {first['format']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measure_finalize(rows):
    return run_test("fetch_page_is_measured", "finalize", (rows or [KEYS])[-1])


def describe_finalize(figures):
    (figure,) = figures
    return (
        f"For {figure['rows']:,} keys without duplicates `finalize` took {figure['wall']:.1f} s, {figure['cpu']:.1f} s of CPU and "
        f"{figure['mib']} MiB, from its start to the commit."
    )


if __name__ == "__main__":
    main()
