"""What other writers may do to the table, done by delta-rs, and what becomes of it.

    others.py WRITER FOLDER    WRITER is the example write_table; copies of the table are made in FOLDER

Nobody but the pipeline may write to the table, and rights keep them from it. If they do it all the same, the pipeline says so and
overwrites nothing; the commit log and the parts are as they were, and a new table can be made of them.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import deltalake

VERSIONS = 20
SAYS = "was not written by this pipeline"


def append(table):
    rows = table.to_pyarrow_table().slice(0, 1)
    deltalake.write_deltalake(table, rows, mode="append")


def compact(table):
    table.optimize.compact()


def delete(table):
    table.delete("_version >= 15")


def vacuum(table):
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


def checkpoint(table):
    table.create_checkpoint()


def look(table):
    """A dry run of VACUUM lists files."""
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=True)


def main(writer, work):
    work = pathlib.Path(work)
    for act, writes in [(append, True), (compact, True), (delete, True), (vacuum, True), (checkpoint, False), (look, False)]:
        folder = work / act.__name__
        write(writer, folder, VERSIONS)
        before = read_files(folder / "table")
        rows = sorted_rows(folder)
        act(deltalake.DeltaTable(folder / "table"))
        after = read_files(folder / "table")
        changed = {path for path in before if after.get(path, before[path]) != before[path]}
        gone, new = before.keys() - after.keys(), sorted(after.keys() - before.keys())
        assert not changed, (act.__name__, changed)
        went_on = write(writer, folder, VERSIONS + 5)
        assert (SAYS in went_on.stderr) == writes, (act.__name__, went_on.stderr, new)
        assert went_on.returncode == (1 if writes else 0), went_on
        if writes:
            assert read_files(folder / "table") == after, f"{act.__name__}: something was written"
            assert f"version {VERSIONS + 1} " in went_on.stderr, went_on.stderr
            # Until the other writer came, the table is as it was.
            assert sorted_rows(folder, VERSIONS) == rows
            # The way back: without the table's folder, all of it is published anew.
            shutil.rmtree(folder / "table")
            assert write(writer, folder, VERSIONS + 5).returncode == 0
            assert sorted_rows(folder, VERSIONS) == rows
        else:
            assert sorted_rows(folder, VERSIONS) == rows
        print(f"{act.__name__}: {len(gone)} files gone, {len(new)} new; the pipeline {'stops' if writes else 'goes on'}")


def write(writer, folder, versions):
    return subprocess.run([writer, folder, str(versions)], capture_output=True, text=True, timeout=120)


def read_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sorted_rows(folder, version=None):
    rows = deltalake.DeltaTable(folder / "table", version=version).to_pyarrow_table()
    return rows.sort_by("rowId").select(sorted(rows.column_names)).to_pylist()


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Threads of pyarrow that are still there when Python takes itself apart abort the process (apache/arrow issue 34314).
    sys.stdout.flush()
    os._exit(0)
