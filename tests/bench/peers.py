"""What teams write instead: each reads a run's pages and leaves a compressed file.

    peers.py NAME BASE_URL TOKEN RUN FOLDER    prints the number of rows
"""

import csv
import gzip
import json
import pathlib
import sys


def read_pages(base_url, token, run):
    """The guide's loop, with the paging that it asks for."""
    import requests

    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    url, page_token = f"{base_url}/api/v2/analytics/reports/results/{run}", None
    while True:
        response = requests.get(url, headers=headers, params={"pageToken": page_token} if page_token else None)
        response.raise_for_status()
        yield response
        page_token = find_next(response)
        if page_token is None:
            return


def find_next(response):
    """The token at the end of the page, so that nobody has to parse the page for it."""
    _, _, tail = response.content[-1_000:].rpartition(b'"nextPageToken":')
    if tail.startswith(b"null"):
        return None
    return json.loads(tail[: tail.index(b'"', 1) + 1])


def keep_all(base_url, token, run):
    rows = []
    for response in read_pages(base_url, token, run):
        rows.extend(response.json()["data"])
    return rows


def guide_json(base_url, token, run, folder):
    rows = keep_all(base_url, token, run)
    with gzip.open(folder / "rows.json.gz", "wt") as out:
        json.dump(rows, out)
    return len(rows)


def guide_csv(base_url, token, run, folder):
    rows = keep_all(base_url, token, run)
    with gzip.open(folder / "rows.csv.gz", "wt", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def write_carefully(base_url, token, run, out):
    """A page at a time, a fast parser, and each row once."""
    import orjson

    seen = set()
    for response in read_pages(base_url, token, run):
        for row in orjson.loads(response.content)["data"]:
            key = (row["agentId"], row["queueId"])
            if key not in seen:
                seen.add(key)
                out.write(orjson.dumps(row) + b"\n")
    return len(seen)


def careful_gzip(base_url, token, run, folder):
    with gzip.open(folder / "rows.ndjson.gz", "wb", compresslevel=1) as out:
        return write_carefully(base_url, token, run, out)


def careful_zstd(base_url, token, run, folder):
    import zstandard

    with zstandard.open(folder / "rows.ndjson.zst", "wb", cctx=zstandard.ZstdCompressor(level=1)) as out:
        return write_carefully(base_url, token, run, out)


def dlt_jsonl(base_url, token, run, folder):
    import dlt

    def read_rows():
        for response in read_pages(base_url, token, run):
            yield response.json()["data"]

    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "landing").as_uri()),
        dataset_name="reports",
    )
    pipeline.run(dlt.resource(read_rows, name="agents"), loader_file_format="jsonl")
    return pipeline.last_trace.last_normalize_info.row_counts["agents"]


PEERS = {
    "guide, JSON": guide_json,
    "guide, CSV": guide_csv,
    "careful Python, gzip 1": careful_gzip,
    "careful Python, zstd 1": careful_zstd,
    "dlt, JSONL": dlt_jsonl,
}

if __name__ == "__main__":
    name, base_url, token, run, folder = sys.argv[1:]
    print(PEERS[name](base_url, token, run, pathlib.Path(folder)))
