import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { Handler } from './functions';
import { Machine } from './machine';
import { Naming } from './naming';
import { Report, reportFolder } from './reports';

/** What the handlers' metrics are counted under, by tenant and report. */
export const NAMESPACE = 'CxoneReports';

interface Surroundings {
  readonly machine: Machine;
  readonly handlers: readonly Handler[];
  readonly deadLetters: sqs.IQueue;
  readonly reports: readonly Report[];
  readonly alertTopic: sns.ITopic;
  readonly naming: Naming;
}

/** Every alarm goes to the topic, and its text says what to do next. */
export function alarmsFor(scope: Construct, around: Surroundings): cloudwatch.CfnAlarm[] {
  const alarm = (id: string, description: string, rest: Partial<cloudwatch.CfnAlarmProps>) =>
    new cloudwatch.CfnAlarm(scope, `${id}Alarm`, {
      alarmDescription: description,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      treatMissingData: 'notBreaching',
      alarmActions: [around.alertTopic.topicArn],
      ...rest,
    });
  return [
    ...EXECUTION_ALARMS.map(({ id, metric, text }) => alarm(id, text, executions(metric, around.machine))),
    alarm('DeadLetters', DEAD_LETTERS, {
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensions: [{ name: 'QueueName', value: around.deadLetters.queueName }],
      statistic: 'Maximum',
      period: 300,
    }),
    alarm('LambdaThrottles', LAMBDA_THROTTLES, { metrics: sumOf('Throttles', 900, around.handlers), threshold: 20 }),
    alarm('LambdaErrors', LAMBDA_ERRORS, { metrics: sumOf('Errors', 3600, around.handlers), threshold: 50 }),
    ...around.reports.flatMap((report) => {
      const hours = patienceHours(report);
      const rest = { ...commits(around.naming.name, report, hours ?? 0), okActions: [around.alertTopic.topicArn] };
      return hours === undefined ? [] : [alarm(`${report.resource}NotDelivered`, notDelivered(report, hours), rest)];
    }),
  ];
}

const EXECUTION_ALARMS = [
  {
    id: 'ExecutionsFailed',
    metric: 'ExecutionsFailed',
    text: 'An execution failed, so a window of a report is not delivered. Run: cxr list --failed, then cxr show EXECUTION. It names the error and what to do; most end with cxr redrive.',
  },
  {
    id: 'ExecutionsTimedOut',
    metric: 'ExecutionsTimedOut',
    text: 'An execution timed out, so a window of a report is not delivered. Run: cxr list --failed, then cxr show EXECUTION, then cxr redrive EXECUTION.',
  },
  {
    id: 'ExecutionsAborted',
    metric: 'ExecutionsAborted',
    text: 'Somebody stopped an execution, so a window of a report is not delivered. Find out who and why (CloudTrail: StopExecution), then cxr redrive EXECUTION.',
  },
  {
    id: 'ExecutionThrottled',
    metric: 'ExecutionThrottled',
    text: 'Step Functions holds executions back. Reports come late but come. If it goes on, spread the times in infra/reports or raise the quota of state transitions.',
  },
];

const DEAD_LETTERS =
  'The Scheduler could not start an execution. Read the message in the dead letter queue: it holds the event and the reason. ' +
  'Correct that, start the report with cxr run FILE --window DAY, then delete the message.';

const LAMBDA_THROTTLES =
  'Functions were throttled more than 20 times in 15 minutes: ReservedConcurrency or the account has too little room. ' +
  'Executions wait and try again; raise ReservedConcurrency, or spread the times in infra/reports.';

const LAMBDA_ERRORS =
  'Functions failed more than 50 times in an hour. Executions try again by themselves, and another alarm tells if one gives up. ' +
  'Look at the logs of the functions: is CXone or AWS unwell, or is a definition wrong?';

function executions(metricName: string, { stateMachine }: Machine): Partial<cloudwatch.CfnAlarmProps> {
  return {
    namespace: 'AWS/States',
    metricName,
    dimensions: [{ name: 'StateMachineArn', value: stateMachine.stateMachineArn }],
    statistic: 'Sum',
    period: 300,
  };
}

/** One figure of all functions: which of them it is, the dashboard shows. */
function sumOf(metricName: string, period: number, handlers: readonly Handler[]): cloudwatch.CfnAlarm.MetricDataQueryProperty[] {
  return [
    { id: 'all', label: `${metricName} of the five functions`, expression: 'SUM(METRICS())', returnData: true },
    ...handlers.map(({ id, function: fn }) => ({
      id: id.charAt(0).toLowerCase() + id.slice(1),
      returnData: false,
      metricStat: {
        metric: { namespace: 'AWS/Lambda', metricName, dimensions: [{ name: 'FunctionName', value: fn.functionName }] },
        period,
        stat: 'Sum',
      },
    })),
  ];
}

/**
 * For how many hours nothing may be committed. CloudWatch looks back 168 hours at most, so no alarm can tell that a
 * monthly report is missing.
 */
export function patienceHours({ recurrence, everyHours }: Report): number | undefined {
  // A day and three hours: the flexible window, one cut-off run and its successor differ from day to day.
  return { hourly: 3 + everyHours, daily: 27, weekly: 168, monthly: undefined, once: undefined }[recurrence];
}

/** No data is the alarm: whoever commits nothing emits nothing. */
function commits(stack: string, report: Report, hours: number): Partial<cloudwatch.CfnAlarmProps> {
  return {
    namespace: NAMESPACE,
    metricName: 'Commits',
    dimensions: [
      { name: 'stack', value: stack },
      { name: 'tenant', value: report.tenant },
      { name: 'report', value: reportFolder(report.name) },
    ],
    statistic: 'Sum',
    period: 3600,
    evaluationPeriods: hours,
    datapointsToAlarm: hours,
    comparisonOperator: 'LessThanThreshold',
    treatMissingData: 'breaching',
  };
}

function notDelivered({ tenant, name, stem }: Report, hours: number): string {
  return (
    `${tenant} / ${name}: nothing was committed for ${hours} hours. Run: cxr list --failed; if nothing failed, look at the dead letter queue ` +
    `and at whether the schedule is enabled; then cxr redrive EXECUTION, or cxr run infra/reports/${stem}.json --window DAY.`
  );
}
