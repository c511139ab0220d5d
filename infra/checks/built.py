"""What `sam build` made: each function's folder has its bootstrap, and the state machine's definition is the one in infra.

    built.py BUILT_TEMPLATE DEFINITION
"""

import pathlib
import sys

import resolve


def main():
    built, definition = map(pathlib.Path, sys.argv[1:])
    template = resolve.load(built)
    functions = 0
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            bootstrap = built.parent / resource["Properties"]["CodeUri"] / "bootstrap"
            if not bootstrap.is_file():
                sys.exit(f"{name}: sam build has no {bootstrap}")
            functions += 1
        if resource["Type"] == "AWS::Serverless::StateMachine":
            uri = built.parent / resource["Properties"]["DefinitionUri"]
            if uri.read_bytes() != definition.read_bytes():
                sys.exit(f"{name}: {uri} is another definition")
    if functions != 5:
        sys.exit(f"{functions} functions were built")
    print("five functions have their bootstrap, and the state machine its definition")


if __name__ == "__main__":
    main()
