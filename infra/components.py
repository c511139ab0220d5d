"""One list of components (CycloneDX) of what cargo-cyclonedx wrote for each executable's crate: every package once, and which
needs which. Without what only tests turn on, and without the folder in which that was done, so that it is the same everywhere.

    components.py FOLDER VERSION BOM… <TREE, where FOLDER is the workspace that was looked at, and TREE what cargo tree says is linked
"""

import json
import pathlib
import sys


def main():
    folder, version, *paths = sys.argv[1:]
    linked = {tuple(it.split()[:2]) for it in sys.stdin if it.strip()}
    boms = [json.loads(pathlib.Path(it).read_text().replace(folder, "")) for it in sorted(paths)]
    name = "cxone-reports"
    product = {"type": "application", "bom-ref": name, "name": name, "version": version, "licenses": [{"expression": "Apache-2.0"}]}
    executables = {it["metadata"]["component"]["bom-ref"]: it["metadata"]["component"] for it in boms}
    needs = {name: set(executables)}
    for bom in boms:
        for it in bom["dependencies"]:
            needs.setdefault(it["ref"], set()).update(it.get("dependsOn", []))
    components = {it["bom-ref"]: it for bom in boms for it in bom["components"]} | executables
    components = {ref: it for ref, it in components.items() if (it["name"], f"v{it['version']}") in linked}
    if len(components) != len(linked):
        sys.exit(f"cargo tree names {len(linked)} packages, of which cargo-cyclonedx knows {len(components)}")
    merged = {
        "bomFormat": "CycloneDX",
        "specVersion": boms[0]["specVersion"],
        "version": 1,
        "metadata": {"timestamp": boms[0]["metadata"]["timestamp"], "tools": boms[0]["metadata"]["tools"], "component": product},
        "components": [components[it] for it in sorted(components)],
        "dependencies": [{"ref": it, "dependsOn": sorted(needs[it] & components.keys())} for it in sorted(needs) if it in {name, *components}],
    }
    print(json.dumps(merged, indent=1, ensure_ascii=False, sort_keys=True))
    print(f"{len(components)} components, {len(executables)} of them executables", file=sys.stderr)


if __name__ == "__main__":
    main()
