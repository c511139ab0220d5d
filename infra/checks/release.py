"""What is in a release: whole archives, each for its architecture, with executables that can be started, and no trace of when
or by whom it was packed.

    release.py FOLDER, made over stand-ins that say "BINARY for ARCHITECTURE"
"""

import io
import json
import pathlib
import posixpath
import re
import sys
import tarfile
import zipfile

import template

HANDLERS = {"trigger", "poll-once", "fetch-page", "cancel", "finalize", "publish"}
DOCUMENTS = ["README.md", "infra/README.md", "infra/cdk/README.md", "crates/operator/README.md", "crates/tokens/README.md"]
# Links to what is only in the repository.
SOURCES = {"rust-toolchain.toml", "../check", "../release", "../tests/agreement", "../tests/moto/rights", "../.github/workflows/release.yml"}


def main():
    folder = pathlib.Path(sys.argv[1])
    names = sorted(it.name for it in folder.iterdir())
    version = re.search(r"^cxone-reports-([0-9.]+)\.tgz$", "\n".join(names), re.MULTILINE)[1]
    kinds = ["-arm64.tar.gz", "-x86_64.tar.gz", ".cdx.json", ".tgz"]
    assert names == sorted(["SHA256SUMS", *(f"cxone-reports-{version}{it}" for it in kinds)]), names
    for architecture in ("arm64", "x86_64"):
        check_archive(folder / f"cxone-reports-{version}-{architecture}.tar.gz", version, architecture)
    check_construct(folder / f"cxone-reports-{version}.tgz", version)
    print("archives for two architectures and a CDK package, with what they need and no trace of this machine")


def check_archive(path, version, architecture):
    packed = path.read_bytes()
    assert packed[3:8] == bytes(5), f"{path.name}: the gzip header has a name or a time"
    root = path.name.removesuffix(".tar.gz")
    files = read_archive(path)
    assert all((it.uid, it.gid, it.uname, it.gname, it.mtime) == (0, 0, "", "", 1790000000) for it, _ in files.values())
    assert list(files) == sorted(files) and all(it.startswith(f"{root}/") for it in files), files.keys()
    files = {it.removeprefix(f"{root}/"): entry for it, entry in files.items()}
    assert {it for it, (entry, _) in files.items() if entry.mode == 0o755} == {"bin/cxr"}
    assert files["bin/cxr"][1].decode() == f"cxr for {architecture}\n"
    for binary in HANDLERS:
        check_zip(files[f"lambda/{binary}.zip"][1], binary, architecture)
    check_template(files, version, architecture)
    for document in DOCUMENTS:
        check_links(document, files)
        said = set(re.findall(r"cxone-reports-([0-9]+\.[0-9]+\.[0-9]+)", files[document][1].decode()))
        assert said <= {version}, f"{document} speaks of the release {said}, and this is {version}"


def read_archive(path):
    with tarfile.open(path) as archive:
        return {it.name: (it, archive.extractfile(it).read()) for it in archive.getmembers()}


def check_zip(content, binary, architecture):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.external_attr >> 16, entry.create_system) == ("bootstrap", 0o100755, 3), f"{binary}: {entry}"
        assert archive.read(entry).decode() == f"{binary} for {architecture}\n"


def check_template(files, version, architecture):
    document = template.parse(files["infra/template.yaml"][1].decode())
    assert f"release {version}, commit 0123abc" in document["Description"]
    parameter = document["Parameters"]["Architecture"]
    assert (parameter["Default"], parameter["AllowedValues"]) == (architecture, [architecture])
    local = [it for resource in document["Resources"].values() for it in local_files(resource)]
    assert len(local) == len(HANDLERS) + 3, local
    for path in local:
        assert posixpath.normpath(f"infra/{path}") in files, f"the archive lacks {path}"


def local_files(resource):
    return [it for key, it in resource.get("Properties", {}).items() if key in ("Code", "DefinitionS3Location", "TemplateURL")]


def check_links(document, files):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", files[document][1].decode()):
        if link.startswith("http") or link in SOURCES:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document), link))
        assert path in files or any(it.startswith(f"{path}/") for it in files), f"{document} links to {link}, which the archive lacks"


def check_construct(path, version):
    files = read_archive(path)
    assert json.loads(files["package/package.json"][1])["version"] == version
    assert "package/dist/index.js" in files and "package/files/template.yaml" in files and "package/LICENSE" in files
    assert not [it for it in files if "test" in it or "node_modules" in it]
    for architecture in ("arm64", "x86_64"):
        for binary in HANDLERS:
            check_zip(files[f"package/lambda/{architecture}/{binary}.zip"][1], binary, architecture)


if __name__ == "__main__":
    main()
