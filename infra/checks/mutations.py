"""Would the checks notice? Each mutation breaks one thing in a copy, and the named check has to find it.

    mutations.py INFRA CDK_TEMPLATE ASL_VALIDATOR CXR

CXR is the operators' tool, ASL_VALIDATOR the executable of asl-validator; cfn-lint is looked for beside this Python.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import agreement
import definition
import placeholders
import policies
import resolve
import rights
import storage

ASL, SAM, CDK = "report-pipeline.asl.json", "template.yaml", "cdk.template.json"

# What is broken, in which file, what is replaced by what (its first occurrence), and who notices. Mutations of Retry and of
# what dashboard and alarms search for are in tests/agreement.
MUTATIONS = [
    ("a Next that leads nowhere", ASL, '"Next": "Next?"', '"Next": "Next"', "asl-validator"),
    ("an expression that does not parse", ASL, "{% $turns + 1 %}", "{% $turns + %}", "asl-validator"),
    ("a choice of a state with a misspelled field", ASL, '"Choices": [', '"Choice": [', "asl-validator"),
    ("a variable that is never set", ASL, "$min([120, $delay * 2])", "$min([120, $dealy * 2])", "definition"),
    ("a state that no path leads to", ASL, '"Next": "Finalize"', '"Next": "Trigger"', "definition"),
    ("two invocations at once", ASL, '"TimeoutSeconds": 930', '"TimeoutSeconds": 900', "definition"),
    ("a choice without a default", ASL, '"Default": "Delivered"', '"Comment": "none"', "definition"),
    ("a message without a version", ASL, '"v": 1,\n          "now"', '"now"', "definition"),
    ("a misspelled placeholder", ASL, "${PollOnceArn}", "${PollOnceARN}", "placeholders"),
    ("an account's own ARN", ASL, "${NoticeTopicArn}", "arn:aws:sns:eu-central-1:123456789012:mine", "placeholders"),
    ("the partition of the commercial regions", ASL, "arn:${Partition}:states:::sns", "arn:aws:states:::sns", "placeholders"),
    ("a property that does not exist", SAM, "      Timeout: 120", "      Timout: 120", "cfn-lint"),
    ("a reference to nothing", SAM, "RoleArn: !GetAtt SchedulerRole.Arn", "RoleArn: !GetAtt ScheduleRole.Arn", "cfn-lint"),
    ("a right to delete", SAM, "- s3:AbortMultipartUpload\n", "- s3:AbortMultipartUpload\n                  - s3:DeleteObject\n", "rights"),
    ("a right to everything", SAM, "- s3:GetObject", "- s3:*", "rights"),
    ("the whole bucket", SAM, "${Prefix}/*/data/*", "*", "rights"),
    ("a right that is missing", SAM, "- s3:PutObjectTagging", "- s3:GetObject", "rights"),
    ("every secret of the account", SAM, "secret:${SecretPrefix}*\"", "secret:*\"", "rights"),
    ("a tenant that may be overwritten", SAM, "${SecretPrefix}*/token-??????", "${SecretPrefix}*", "rights"),
    ("an action that does not exist", SAM, "secretsmanager:PutSecretValue", "secretsmanager:SetSecretValue", "parliament"),
    ("the wrong function behind a placeholder", SAM, "CancelArn: !Ref CancelFunctionAliaslive", "CancelArn: !Ref FinalizeFunctionAliaslive", "placeholders"),
    ("a placeholder without a value", SAM, "        NoticeTopicArn: !Ref AlertTopic\n", "", "placeholders"),
    ("a schedule changed by hand", SAM, "cron(30 5 * * ? *)", "cron(30 6 * * ? *)", "schedules"),
    ("a metric changed by hand", SAM, '"talkTime"', '"holdTime"', "schedules"),
    ("claims that may be replaced", SAM, '"s3:if-none-match": "true"', '"s3:if-none-match": "false"', "agreement"),
    ("plain HTTP", SAM, '"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"', "agreement"),
    ("claims that expire", SAM, "                TagFilters:\n                  - Key: cxone-reports\n                    Value: data\n", "", "storage"),
    ("half uploads that stay", SAM, "DaysAfterInitiation: 1", "DaysAfterInitiation: 100", "storage"),
    ("commits that may be replaced", SAM, "${LandingBucket}/${Prefix}/*/_log/*", "${LandingBucket}/${Prefix}/*/_lag/*", "storage"),
    ("rows in the logs", SAM, "IncludeExecutionData: false", "IncludeExecutionData: true", "agreement"),
    ("an alarm that sleeps", SAM, "TreatMissingData: breaching", "TreatMissingData: notBreaching", "agreement"),
    ("data that goes with the stack", SAM, "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Metadata:\n      checkov:\n        skip:\n          - id: CKV_AWS_18", "    Metadata:\n      checkov:\n        skip:\n          - id: CKV_AWS_18", "agreement"),
    ("a right in the CDK only", CDK, '"s3:AbortMultipartUpload"', '"s3:DeleteObject"', "agreement"),
    ("another time limit in the CDK", CDK, '"Timeout": 900', '"Timeout": 600', "agreement"),
    ("an alarm that nobody hears, in the CDK", CDK, '"AlarmActions"', '"Ignored"', "agreement"),
    ("no dead letters in the CDK", CDK, '"DeadLetterConfig"', '"Ignored"', "agreement"),
]


class Bench:
    """A copy of what the checks look at."""

    def __init__(self, infra, cdk_template, asl_validator, cxr):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mutations-"))
        self.texts = {
            ASL: (infra / ASL).read_text(),
            SAM: (infra / SAM).read_text(),
            CDK: pathlib.Path(cdk_template).read_text(),
        }
        shutil.copytree(infra / "reports", self.folder / "reports")
        self.validator, self.cxr = asl_validator, cxr

    def path(self, name):
        return str(self.folder / name)

    def write(self, changed=None):
        for name, text in {**self.texts, **(changed or {})}.items():
            (self.folder / name).write_text(text)

    def run(self, check):
        """What the check finds; empty if it passes."""
        return getattr(self, check.replace("-", "_"))()

    def definition(self):
        return list(definition.findings(self.path(ASL), self.path(SAM)))

    def placeholders(self):
        return list(placeholders.findings(self.path(ASL), self.path(SAM), self.path(CDK)))

    def rights(self):
        return list(rights.findings(self.path(SAM), self.path(ASL)))

    def storage(self):
        return list(storage.findings(self.path(SAM)))

    def parliament(self):
        return list(policies.findings(self.path(SAM)))

    def agreement(self):
        return agreement.differences(resolve.sam(self.path(SAM), transform=True), resolve.cdk(self.path(CDK)))[0]

    def asl_validator(self):
        # It takes no placeholder in a Resource.
        filled = self.folder / "filled.asl.json"
        filled.write_text(pathlib.Path(self.path(ASL)).read_text().replace("${Partition}", "aws"))
        return self._command(self.validator, "--json-path", str(filled))

    def cfn_lint(self):
        return self._command(str(pathlib.Path(sys.executable).parent / "cfn-lint"), self.path(SAM))

    def schedules(self):
        return self._command(self.cxr, "schedules", "--check", self.path("reports"), self.path(SAM))

    @staticmethod
    def _command(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines() or ["it fails"] if done.returncode else []


CHECKS = ["asl-validator", "definition", "placeholders", "cfn-lint", "rights", "storage", "parliament", "agreement", "schedules"]


def main():
    infra, *rest = sys.argv[1:]
    bench = Bench(pathlib.Path(infra), *rest)
    bench.write()
    for check in CHECKS:
        found = bench.run(check)
        if found:
            sys.exit(f"{check} finds fault with what is not broken: {found[0]}")
    missed = [name for name, *mutation in MUTATIONS if not _caught(bench, name, *mutation)]
    shutil.rmtree(bench.folder)
    count = {kind: sum(it[1] in kind for it in MUTATIONS) for kind in ((ASL,), (SAM, CDK))}
    if missed:
        sys.exit("not noticed: " + "; ".join(missed))
    print(f"{count[(ASL,)]} mutations of the definition and {count[(SAM, CDK)]} of the templates, each noticed")


def _caught(bench, name, file, old, new, check):
    if old not in bench.texts[file]:
        sys.exit(f"{name}: {old!r} does not occur in {file}; mend the mutation")
    bench.write({file: bench.texts[file].replace(old, new, 1)})
    try:
        found = bench.run(check)
    except (KeyError, NotImplementedError) as error:
        found = [f"stops at {error}"]
    print(f"{'caught' if found else 'MISSED'}  {name}: {check}{': ' + found[0][:110] if found else ''}")
    return bool(found)


if __name__ == "__main__":
    main()
