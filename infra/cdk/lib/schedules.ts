import { ArnFormat } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { useOf } from './key';
import { Naming } from './naming';
import { Report } from './reports';
import { allow } from './rights';

interface Surroundings {
  readonly reports: readonly Report[];
  /** What is started. */
  readonly aliasArn: string;
  readonly deadLetters: sqs.IQueue;
  readonly key: kms.IKey;
  readonly naming: Naming;
}

/** One schedule a report, all in one group. */
export function schedulesFor(scope: Construct, around: Surroundings): scheduler.CfnSchedule[] {
  const group = new scheduler.CfnScheduleGroup(scope, 'ScheduleGroup', { name: around.naming.name });
  const role = roleFor(scope, around);
  return around.reports.map((report) => schedule(scope, report, group, role, around));
}

function schedule(scope: Construct, report: Report, group: scheduler.CfnScheduleGroup, role: iam.Role, around: Surroundings): scheduler.CfnSchedule {
  const schedule = new scheduler.CfnSchedule(scope, `${report.resource}Schedule`, {
    name: report.stem,
    description: `${report.tenant} / ${report.name}`,
    groupName: group.ref,
    scheduleExpression: report.expression,
    scheduleExpressionTimezone: 'UTC',
    flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
    state: 'ENABLED',
    target: {
      arn: around.aliasArn,
      roleArn: role.roleArn,
      retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
      deadLetterConfig: { arn: around.deadLetters.queueArn },
      input: around.naming.stack.toJsonString(event(report, around.naming)),
    },
  });
  return schedule;
}

/** The scheduled event that an execution gets; the Scheduler fills in what stands in angle brackets. */
function event(report: Report, { stack }: Naming): object {
  return {
    version: '0',
    id: '<aws.scheduler.execution-id>',
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: stack.account,
    time: '<aws.scheduler.scheduled-time>',
    region: stack.region,
    resources: ['<aws.scheduler.schedule-arn>'],
    detail: { definition: report.definition },
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
