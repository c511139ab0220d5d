import { Annotations, ArnFormat } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { useOf } from './key';
import { Naming } from './naming';
import { Planned, Report } from './reports';
import { allow } from './rights';

interface Surroundings {
  readonly reports: readonly Report[];
  /** What is started. */
  readonly aliasArn: string;
  readonly deadLetters: sqs.IQueue;
  readonly key: kms.IKey;
  readonly naming: Naming;
}

/** The schedules of all reports, all in one group. */
export function schedulesFor(scope: Construct, around: Surroundings): scheduler.CfnSchedule[] {
  const group = new scheduler.CfnScheduleGroup(scope, 'ScheduleGroup', { name: around.naming.name });
  const role = roleFor(scope, around);
  return around.reports.flatMap((report) =>
    report.schedules.filter((planned) => isToCome(scope, report, planned)).map((planned) => schedule(scope, report, planned, group, role, around)),
  );
}

/** A stack with a schedule whose only time has passed can't be created. */
function isToCome(scope: Construct, { stem }: Report, { at }: Planned): boolean {
  if (at === undefined || at > new Date()) {
    return true;
  }
  const time = at.toISOString().replace('.000', '');
  Annotations.of(scope).addWarningV2(
    `cxone-reports:passed:${stem}`,
    `${stem}.json: ${time} has passed, so it gets no schedule; ask for its window by: cxr run ${stem}.json --at ${time}`,
  );
  return false;
}

function schedule(
  scope: Construct,
  report: Report,
  planned: Planned,
  group: scheduler.CfnScheduleGroup,
  role: iam.Role,
  around: Surroundings,
): scheduler.CfnSchedule {
  const { name, resource, expression, restate } = planned;
  const schedule = new scheduler.CfnSchedule(scope, resource, {
    name,
    description: `${report.tenant} / ${report.name}${restate === undefined ? '' : `, stated anew after ${restate}`}`,
    groupName: group.ref,
    scheduleExpression: expression,
    scheduleExpressionTimezone: 'UTC',
    flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
    state: 'ENABLED',
    target: {
      arn: around.aliasArn,
      roleArn: role.roleArn,
      retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
      deadLetterConfig: { arn: around.deadLetters.queueArn },
      input: around.naming.stack.toJsonString(event(report, restate, around.naming)),
    },
  });
  return schedule;
}

/** The scheduled event that an execution gets; the Scheduler fills in what stands in angle brackets. */
function event(report: Report, restate: string | undefined, { stack }: Naming): object {
  return {
    version: '0',
    id: '<aws.scheduler.execution-id>',
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: stack.account,
    time: '<aws.scheduler.scheduled-time>',
    region: stack.region,
    resources: ['<aws.scheduler.schedule-arn>'],
    detail: { definition: report.definition, ...(restate === undefined ? {} : { restate }) },
  };
}

function roleFor(scope: Construct, { deadLetters, key, naming }: Surroundings): iam.Role {
  const start = allow('StartExecutions', ['states:StartExecution'], [naming.machineArn()]);
  // An alias is authorised by its state machine's ARN and a qualifier.
  start.addCondition('StringEquals', { 'states:StateMachineQualifier': 'live' });
  return new iam.Role(scope, 'SchedulerRole', {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': naming.stack.account,
          'aws:SourceArn': naming.arn('scheduler', 'schedule-group', naming.name, ArnFormat.SLASH_RESOURCE_NAME),
        },
      },
    }),
    inlinePolicies: {
      scheduler: new iam.PolicyDocument({
        statements: [start, allow('KeepWhatCanNotBeDelivered', ['sqs:SendMessage'], [deadLetters.queueArn]), useOf(key, naming, 'sqs')],
      }),
    },
  });
}
