"""How soon after its start each handler asks Lambda for its first event, and how large it is. Called by tests/bench/run, which builds
what this starts."""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import time

from product import write_readme

HANDLERS = ["trigger", "poll-once", "fetch-page", "cancel", "finalize", "publish"]
# What is aimed at: milliseconds to the first `next`, and megabytes of the executable. The README says what is missed.
TARGETS = {"ms": 8, "mb": 8}
# What the template gives each function, as far as a handler looks before it has an event.
ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "bench", "AWS_LAMBDA_LOG_STREAM_NAME": "bench", "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_SESSION_TOKEN": "bench",
    "BUCKET": "bench", "PREFIX": "bench", "SECRETS_PREFIX": "bench", "AWS_ACCOUNT_ID": "123456789012", "BUCKET_OWNER": "123456789012",
}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readme", action="store_true")
    for hidden in ("--handlers", "--profile"):
        parser.add_argument(hidden, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds needs a number from 1 on")
    figures = [measure(pathlib.Path(options.handlers, name), options.rounds) for name in HANDLERS]
    text = draw_table(figures)
    print(json.dumps({"targets": TARGETS, "figures": figures}, indent=2) if options.json else text)
    if options.readme:
        write_readme("--start --readme", text, options.profile)


def measure(executable, rounds):
    start(executable)  # so that the file cache has it
    starts, cpus = zip(*(start(executable) for _ in range(rounds)))
    size = executable.resolve().stat().st_size
    return {"handler": executable.name, "ms": statistics.median(starts), "cpu_ms": statistics.median(cpus), "mb": size / 1e6}


def start(executable):
    """Milliseconds from the start of the process to its first request, and what it took of a core until then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS")}
        runtime = f"127.0.0.1:{server.getsockname()[1]}"
        begun = time.perf_counter()
        child = subprocess.Popen([executable], env={**inherited, **ENVIRONMENT, "AWS_LAMBDA_RUNTIME_API": runtime}, stdout=subprocess.DEVNULL)
        try:
            connection, _ = server.accept()
            with connection:
                asked = connection.recv(100)
                took = time.perf_counter() - begun
                cpu = sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{child.pid}/task").glob("*/schedstat"))
                child.kill()
        finally:
            child.kill()
            child.wait()
    assert asked.startswith(b"GET /2018-06-01/runtime/invocation/next"), asked
    return took * 1e3, cpu / 1e6


def draw_table(figures):
    lines = ["| handler | first `next`, ms (median) | of it CPU, ms | executable, MB |", "| --- | --- | --- | --- |"]
    lines += [f"| {it['handler']} | {it['ms']:.1f} | {it['cpu_ms']:.1f} | {it['mb']:.1f} |" for it in figures]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
