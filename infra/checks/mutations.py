"""Would the checks notice? Each mutation breaks one thing in a copy, and the named check has to find it.

    mutations.py INFRA ASL_VALIDATOR CXR

CXR is the operators' tool, ASL_VALIDATOR the executable of asl-validator; cfn-lint is looked for beside this Python.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import alarms
import changes
import definition
import deployments
import people
import placeholders
import policies
import redshift
import rights
import storage

ASL, BACKFILL, TEMPLATE, REPORTS, CONFIG = "report-pipeline.asl.json", "backfill.asl.json", "template.yaml", "reports.template.json", "samconfig.toml"
LOAD, LOADS, REDSHIFT = "redshift/load.asl.json", "redshift/loads.template.json", "redshift/template.yaml"
DEFINITIONS = (ASL, BACKFILL, LOAD)
# The rows and the tables that consumers read: this pair of lines is theirs alone.
CONSUMED = '/*/data/*", { Bucket: !If [NewBucket, !Ref LandingBucket, !Ref BucketName] }]\n              - !Sub ["arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}/*/table/*'
RETAIN = "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Metadata:\n      checkov:\n        skip:\n          - id: CKV_AWS_18"

# What is broken, in which file, what is replaced by what (its first occurrence), and who notices. Mutations of Retry and of
# what the dashboard searches for are in tests/agreement.
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
    ("a task that works in no other partition", ASL, "arn:${Partition}:states:::sns", "arn:aws:states:::sns", "deployments"),
    ("a backfill that leads nowhere", BACKFILL, '"Next": "Complete?"', '"Next": "Complete"', "asl-validator"),
    ("a backfill that counts what is never set", BACKFILL, "$count($failed) < $maxFailures", "$count($failed) < $mostFailures", "definition"),
    ("a backfill of something else", TEMPLATE, "PipelineArn: !Ref ReportPipeline", "PipelineArn: !Ref NoticeTopic", "placeholders"),
    ("a backfill that can't look", TEMPLATE, "                Action: [states:DescribeExecution]", "                Action: [states:StopExecution]", "rights"),
    ("operators who can't stop a backfill", TEMPLATE, "Action: [states:DescribeExecution, states:StopExecution]", "Action: [states:DescribeExecution]", "people"),
    ("a property that does not exist", TEMPLATE, "      Timeout: 120", "      Timout: 120", "cfn-lint"),
    ("a reference to nothing", TEMPLATE, "RoleArn: !GetAtt SchedulerRole.Arn", "RoleArn: !GetAtt ScheduleRole.Arn", "cfn-lint"),
    ("a parameter that the reports' template does not take", TEMPLATE, "        State: !Ref Schedules\n", "        Stat: !Ref Schedules\n", "cfn-lint"),
    ("a right to delete", TEMPLATE, "[s3:AbortMultipartUpload]", "[s3:AbortMultipartUpload, s3:DeleteObject]", "rights"),
    ("a right to everything", TEMPLATE, "[s3:GetObject]", "[s3:*]", "rights"),
    ("the whole bucket", TEMPLATE, "${Bucket}/${Prefix}/*/data/*", "${Bucket}/*", "rights"),
    ("a right that is missing", TEMPLATE, "[s3:PutObjectTagging]", "[s3:GetObject]", "rights"),
    ("every secret of the account", TEMPLATE, 'secret:${SecretPrefix}*"', 'secret:*"', "rights"),
    ("a tenant that may be overwritten", TEMPLATE, "${SecretPrefix}*/token-??????", "${SecretPrefix}*", "rights"),
    ("interfaces that Lambda can't remove", TEMPLATE, "              - ec2:DeleteNetworkInterface\n", "", "rights"),
    ("functions that work on interfaces themselves", TEMPLATE, "            Effect: Deny\n            Action: [\"ec2:*\"]", "            Effect: Allow\n            Action: [ec2:DescribeSubnets]", "rights"),
    ("an action that does not exist", TEMPLATE, "secretsmanager:PutSecretValue", "secretsmanager:SetSecretValue", "parliament"),
    ("operators who can't empty the dead letters", TEMPLATE, "[sqs:DeleteMessage, ", "[", "people"),
    ("operators who empty any queue", TEMPLATE, "!GetAtt DeadLetterQueue.Arn\n          - Sid: LookAtSchedules", '"*"\n          - Sid: LookAtSchedules', "rights"),
    ("consumers who read claims", TEMPLATE, CONSUMED, CONSUMED.replace("/table/", "/win/"), "people"),
    ("the wrong function behind a placeholder", TEMPLATE, "CancelArn: !GetAtt CancelFunction.Arn", "CancelArn: !GetAtt FinalizeFunction.Arn", "placeholders"),
    ("a placeholder without a value", TEMPLATE, "        NoticeTopicArn: !Ref NoticeTopic\n", "", "placeholders"),
    ("a parameter that reaches nothing", TEMPLATE, "      MemorySize: !Ref MemorySize", "      MemorySize: 512", "changes"),
    ("a parameter that reaches a version only", TEMPLATE, "    Type: AWS::Logs::LogGroup", "    Type: AWS::Lambda::Version", "changes"),
    ("a function outside of the VPC", TEMPLATE, '      VpcConfig: !If [InVpc, { SubnetIds: !Ref SubnetIds, SecurityGroupIds: !Ref SecurityGroupIds }, !Ref "AWS::NoValue"]\n', "", "changes"),
    ("a role that can't reach the VPC", TEMPLATE, '      ManagedPolicyArns: [!If [InVpc, !Ref NetworkPolicy, !Ref "AWS::NoValue"]]\n', "", "changes"),
    ("schedules that can't be disabled", TEMPLATE, "        State: !Ref Schedules", "        State: ENABLED", "changes"),
    ("a bucket that a parameter replaces", TEMPLATE, "    Properties:\n      BucketEncryption:", "    Properties:\n      BucketName: !Join [\"-\", [!Ref Prefix, data]]\n      BucketEncryption:", "changes"),
    ("a name that two deployments share", TEMPLATE, '"${Name}-not-delivered"', '"${AWS::Region}-not-delivered"', "deployments"),
    ("a name that is too long", TEMPLATE, '"${Name}-fetch-page"', '"${Name}-the-function-that-fetches-page-after-page"', "deployments"),
    ("logs that another partition can't encrypt", TEMPLATE, "logs.${AWS::Region}.${AWS::URLSuffix}", "logs.${AWS::Region}.amazonaws.com", "deployments"),
    ("claims that may be replaced", TEMPLATE, '"s3:if-none-match": "true"', '"s3:if-none-match": "false"', "storage"),
    ("plain HTTP", TEMPLATE, '"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"', "storage"),
    ("claims that expire", TEMPLATE, "                TagFilters:\n                  - Key: cxone-reports\n                    Value: data\n", "", "storage"),
    ("half uploads that stay", TEMPLATE, "DaysAfterInitiation: 1", "DaysAfterInitiation: 100", "storage"),
    ("commits that may be replaced", TEMPLATE, "${LandingBucket}/${Prefix}/*/_log/*", "${LandingBucket}/${Prefix}/*/_lag/*", "storage"),
    ("commits that may be deleted", TEMPLATE, '"s3:DeleteObject", "s3:DeleteObjectVersion"', '"s3:DeleteObject"', "storage"),
    ("rows in the logs", TEMPLATE, "IncludeExecutionData: false", "IncludeExecutionData: true", "storage"),
    ("data that goes with the stack", TEMPLATE, RETAIN, RETAIN.replace("    DeletionPolicy: Retain\n", ""), "storage"),
    ("a bucket that may be anybody's", TEMPLATE, '          LANDING_BUCKET_OWNER: !If [OwnedElsewhere, !Ref BucketOwner, !Ref "AWS::AccountId"]\n', "", "storage"),
    ("an alarm that sleeps", TEMPLATE, 'ALARM("${ExecutionsFailedAlarm}") OR ', "", "alarms"),
    ("an alarm that nobody hears", TEMPLATE, "      AlarmActions: [!If [NewAlertTopic, !Ref AlertTopic, !Ref AlertTopicArn]]\n", "", "alarms"),
    ("a notice that wakes somebody", TEMPLATE, "AlarmActions: [!Ref NoticeTopic]", "AlarmActions: [!Ref AlertTopic]", "alarms"),
    ("an alarm on a series that nobody counts", TEMPLATE, "{ Name: stack, Value:", "{ Name: tenant, Value:", "alarms"),
    ("a key for every alarm of the account", TEMPLATE, ":alarm:${Name}-*", ":alarm:*", "alarms"),
    ("alarms that may not use the key", TEMPLATE, '["kms:Decrypt", "kms:GenerateDataKey"]', '["kms:Decrypt"]', "alarms"),
    ("a load that leads nowhere", LOAD, '"Next": "Ended?"', '"Next": "Ended"', "asl-validator"),
    ("a load that counts what is never set", LOAD, "$tries < 2", "$tryes < 2", "redshift"),
    ("a call of the load that nobody thought of", LOAD, "redshiftdata:getStatementResult", "redshiftdata:cancelStatement", "redshift"),
    ("a load of the commercial regions", LOAD, "arn:${Partition}:states:::aws-sdk:s3:getObject", "arn:aws:states:::aws-sdk:s3:getObject", "redshift"),
    ("a load that can't run its transaction", REDSHIFT, "[redshift-data:BatchExecuteStatement, redshift-data:ExecuteStatement]", "[redshift-data:ExecuteStatement]", "redshift"),
    ("a load that stops statements", REDSHIFT, "[redshift-data:DescribeStatement, redshift-data:GetStatementResult]", "[redshift-data:DescribeStatement, redshift-data:GetStatementResult, redshift-data:CancelStatement]", "redshift"),
    ("a load that reads everybody's statements", REDSHIFT, '"${RedshiftLoadRole.RoleId}:*"', '"*"', "redshift"),
    ("a load that can't sign in to a cluster", REDSHIFT, "redshift:GetClusterCredentialsWithIAM", "redshift:DescribeClusters", "redshift"),
    ("a load into any workgroup", REDSHIFT, "!If [Serverless, !Ref WorkgroupArn, !Sub", '!If [Serverless, "*", !Sub', "redshift"),
    ("a load that reads rows", REDSHIFT, "${Bucket}/${Prefix}/*/_log/*", "${Bucket}/${Prefix}/*", "redshift"),
    ("a load that lists the bucket", REDSHIFT, '"${Prefix}/*/_log/"', '"*"', "redshift"),
    ("a load of a placeholder without a value", REDSHIFT, "        Database: !Ref Database\n      RoleArn", "      RoleArn", "redshift"),
    ("a load whose failure nobody hears of", REDSHIFT, "      AlarmActions: [!Ref AlertTopicArn]\n", "", "redshift"),
    ("a load that times out and nobody hears of it", REDSHIFT, "MetricName: ExecutionsTimedOut", "MetricName: ExecutionsFailed", "redshift"),
    ("a bell that is rung before the manifest is there", LOADS, "/_manifest/", "/_log/", "redshift"),
    ("a bell that names no schedule", LOADS, '\\"schedule\\":\\"${Name}-daily', '\\"schedule\\":\\"${Name}-daly', "redshift"),
    ("a load that is handed too little", REDSHIFT, "        Bell: !Ref Bell\n", "", "redshift"),
    ("a statement changed by hand", LOADS, "lock table cxone_loaded", "lock table cxone_commits", "loads"),
    ("a property of the load that does not exist", REDSHIFT, "TreatMissingData: notBreaching", "TreatMissing: notBreaching", "cfn-lint"),
    ("a schedule changed by hand", REPORTS, "cron(30 5 * * ? *)", "cron(30 6 * * ? *)", "schedules"),
    ("a metric changed by hand", REPORTS, "talkTime", "holdTime", "schedules"),
    ("a report that nobody expects", REPORTS, "DailyAgentPerformanceExpectSchedule", "DailyAgentPerformanceOtherSchedule", "schedules"),
    ("a schedule that two deployments share", REPORTS, "${Name}-daily-agent-performance", "daily-agent-performance", "deployments"),
    ("an environment with the tenants of another", CONFIG, "SecretPrefix=cxone-staging/", "SecretPrefix=cxone/", "deployments"),
    ("two environments with one name", CONFIG, "cxone-reports-prod", "cxone-reports", "deployments"),
]


class Bench:
    """A copy of what the checks look at."""

    def __init__(self, infra, asl_validator, cxr):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mutations-"))
        self.texts = {it: (infra / it).read_text() for it in (*DEFINITIONS, TEMPLATE, REPORTS, CONFIG, REDSHIFT, LOADS)}
        (self.folder / "redshift").mkdir()
        for kept in ("reports", "README.md", ".cfnlintrc"):
            copy = shutil.copytree if (infra / kept).is_dir() else shutil.copy
            copy(infra / kept, self.folder / kept)
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
        return [finding for it in (ASL, BACKFILL) for finding in definition.findings(self.path(it), self.path(TEMPLATE))]

    def placeholders(self):
        return list(placeholders.findings(self.path(TEMPLATE)))

    def rights(self):
        return list(rights.findings(self.path(TEMPLATE)))

    def people(self):
        return list(people.findings(self.path(TEMPLATE), self.path("README.md")))

    def storage(self):
        return list(storage.findings(self.path(TEMPLATE)))

    def alarms(self):
        return list(alarms.findings(self.path(TEMPLATE)))

    def redshift(self):
        return list(redshift.findings(self.path(REDSHIFT)))

    def parliament(self):
        return list(policies.findings(self.path(TEMPLATE)))

    def changes(self):
        return list(changes.findings(self.path(TEMPLATE)))

    def deployments(self):
        return list(deployments.shapes(self.path(TEMPLATE)))

    def asl_validator(self):
        # It takes no placeholder in a Resource.
        found = []
        for name in DEFINITIONS:
            filled = self.folder / "filled.asl.json"
            filled.write_text(pathlib.Path(self.path(name)).read_text().replace("${Partition}", "aws"))
            found += self._command(self.validator, "--json-path", str(filled))
        return found

    def cfn_lint(self):
        return self._command(str(pathlib.Path(sys.executable).parent / "cfn-lint"), *map(self.path, (TEMPLATE, REPORTS, REDSHIFT, LOADS)), cwd=self.folder)

    def schedules(self):
        return self._command(self.cxr, "schedules", "--check", self.path("reports"), self.path(REPORTS))

    def loads(self):
        return self._command(self.cxr, "schedules", "--check", "--load", "redshift", self.path("reports"), self.path(LOADS))

    @staticmethod
    def _command(*command, cwd=None):
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
        return (done.stdout + done.stderr).strip().splitlines() or ["it fails"] if done.returncode else []


CHECKS = ["asl-validator", "definition", "placeholders", "cfn-lint", "rights", "people", "storage", "alarms", "parliament", "changes", "deployments", "schedules", "redshift", "loads"]


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
    of_definition = sum(it[1] in DEFINITIONS for it in MUTATIONS)
    if missed:
        sys.exit("not noticed: " + "; ".join(missed))
    print(f"{of_definition} mutations of the definitions and {len(MUTATIONS) - of_definition} of the templates, each noticed")


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
