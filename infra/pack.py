"""Packs a release of what was built: an archive for each architecture, the CDK package, the list of components, and the sums
of all. The same commit and the same executables give the same bytes, in whatever folder and whenever.

    pack.py BUILT OUT COMMIT, where BUILT has ARCHITECTURE/BINARY for each, and may have components.cdx.json

SOURCE_DATE_EPOCH is when everything says that it was made.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HANDLERS = ["trigger", "poll-once", "fetch-page", "cancel", "finalize", "publish"]
OPERATOR = "cxr"
# The repository without its sources: what is deployed, what explains it, and what is copied from.
FILES = [
    "*.md", "LICENSE", "docs", "infra/template.yaml", "infra/reports.template.json", "infra/*.asl.json", "infra/samconfig.toml",
    "infra/redshift", "infra/reports", "infra/terraform", "crates/local/definitions", "tests/consumer/consume.py",
]


def main():
    built, out = (pathlib.Path(it).resolve() for it in sys.argv[1:3])
    commit = sys.argv[3]
    when = int(os.environ["SOURCE_DATE_EPOCH"])
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    # npm keeps the modes that it finds.
    os.umask(0o022)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    zips = {it.name: zip_handlers(it, when) for it in sorted(built.iterdir()) if it.is_dir()}
    for architecture, handlers in zips.items():
        name = f"cxone-reports-{version}-{architecture}"
        files = gather_files(f"{version}, commit {commit}", architecture) | {f"lambda/{it}.zip": (handlers[it], 0o644) for it in HANDLERS}
        files[f"bin/{OPERATOR}"] = ((built / architecture / OPERATOR).read_bytes(), 0o755)
        (out / f"{name}.tar.gz").write_bytes(write_archive(name, files, when))
    pack_construct(zips, version, out)
    components = built / "components.cdx.json"
    if components.exists():
        shutil.copyfile(components, out / f"cxone-reports-{version}.cdx.json")
    sums = "".join(f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in sorted(out.iterdir()))
    (out / "SHA256SUMS").write_text(sums)
    print(sums, end="")


def zip_handlers(folder, when):
    return {it: zip_bootstrap((folder / it).read_bytes(), when) for it in HANDLERS}


def zip_bootstrap(executable, when):
    """The one file that Lambda's runtime starts; without the right to be executed it would not."""
    entry = zipfile.ZipInfo("bootstrap", time.gmtime(when)[:6])
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100755 << 16, zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, executable, compresslevel=9)
    return packed.getvalue()


def gather_files(release, architecture):
    listed = subprocess.run(["git", "ls-files", "-z", "--", *FILES], cwd=ROOT, check=True, capture_output=True, text=True)
    files = {it: ((ROOT / it).read_bytes(), 0o644) for it in listed.stdout.split("\0") if it}
    template = files["infra/template.yaml"][0].decode()
    files["infra/template.yaml"] = (point_at_zips(template, release, architecture).encode(), 0o644)
    return files


def point_at_zips(template, release, architecture):
    """The template of one release: its code is in zips, for one architecture, and the stack says which release it is."""
    changes = [
        (r"Code: \.\./target/lambda/([a-z-]+)/", r"Code: ../lambda/\1.zip", len(HANDLERS)),
        (r"Default: arm64\n    AllowedValues: \[arm64, x86_64\]", f"Default: {architecture}\n    AllowedValues: [{architecture}]", 1),
        (r"^  CXone reports into S3:", f"  CXone reports into S3 (release {release}):", 1),
    ]
    for pattern, replacement, times in changes:
        template, found = re.subn(pattern, replacement, template, flags=re.MULTILINE)
        if found != times:
            sys.exit(f"infra/template.yaml has {pattern} {found} times, and pack.py replaces it {times} times")
    return template


def write_archive(name, files, when):
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped, tarfile.open(mode="w", fileobj=zipped, format=tarfile.USTAR_FORMAT) as archive:
        for path, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode, entry.mtime = len(content), mode, when
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def pack_construct(zips, version, out):
    """npm gives every entry a time of its own choice, always the same. What an app runs is `lambda/ARCHITECTURE/BINARY.zip`."""
    with tempfile.TemporaryDirectory() as folder:
        infra = pathlib.Path(folder)
        for name in ("template.yaml", "reports.template.json", "report-pipeline.asl.json", "backfill.asl.json"):
            shutil.copyfile(ROOT / "infra" / name, infra / name)
        cdk = infra / "cdk"
        shutil.copytree(ROOT / "infra/cdk", cdk, ignore=shutil.ignore_patterns("node_modules", "dist", "files", "lambda", "*.tgz"), copy_function=shutil.copyfile)
        shutil.copyfile(ROOT / "LICENSE", cdk / "LICENSE")
        (cdk / "node_modules").symlink_to(ROOT / "infra/cdk/node_modules")
        for architecture, handlers in zips.items():
            (cdk / "lambda" / architecture).mkdir(parents=True)
            for binary, content in handlers.items():
                (cdk / "lambda" / architecture / f"{binary}.zip").write_bytes(content)
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", str(out)], cwd=cdk, check=True, stdout=subprocess.DEVNULL)
    if not (out / f"cxone-reports-{version}.tgz").exists():
        declared = json.loads((ROOT / "infra/cdk/package.json").read_text())["version"]
        sys.exit(f"infra/cdk/package.json says {declared}, and Cargo.toml {version}")


if __name__ == "__main__":
    main()
