"""What `sam build` made: each function's folder has its bootstrap, the definitions are those of infra, the reports are there.

    built.py BUILT_TEMPLATE TEMPLATE
"""

import pathlib
import sys

import template


def main():
    built, definitions = pathlib.Path(sys.argv[1]), template.machines(sys.argv[2])
    document = template.load(built)
    functions = 0
    for name, resource in document["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            bootstrap = built.parent / resource["Properties"]["Code"] / "bootstrap"
            if not bootstrap.is_file():
                sys.exit(f"{name}: sam build has no {bootstrap}")
            functions += 1
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            uri = built.parent / resource["Properties"]["DefinitionS3Location"]
            if uri.read_bytes() != definitions[name].read_bytes():
                sys.exit(f"{name}: {uri} is another definition")
        if resource["Type"] == "AWS::CloudFormation::Stack":
            nested = template.load(built.parent / resource["Properties"]["TemplateURL"])
            if not nested["Resources"]:
                sys.exit(f"{name}: the nested template is empty")
    if functions != 6:
        sys.exit(f"{functions} functions were built")
    print("six functions have their bootstrap, each state machine its definition, the stack its reports")


if __name__ == "__main__":
    main()
