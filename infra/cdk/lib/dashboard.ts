import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { NAMESPACE } from './alarms';
import { Handler } from './functions';
import { Machine } from './machine';
import { Naming } from './naming';

interface Surroundings {
  readonly machine: Machine;
  readonly handlers: readonly Handler[];
  readonly bucket: s3.IBucket;
  readonly deadLetters: sqs.IQueue;
  readonly naming: Naming;
}

interface Chart {
  readonly title: string;
  readonly stat: 'Sum' | 'Maximum' | 'Average';
  readonly period?: number;
  readonly metrics: readonly unknown[];
}

/** Rows, pages, run times, polls, throttles, and what costs money. */
export function dashboardFor(scope: Construct, around: Surroundings): cloudwatch.CfnDashboard {
  const { stack, name } = around.naming;
  const freshness = one(name, 'Hours since the newest delivered window ended', 'FreshnessHours', 'Maximum');
  const charts = [...reports(name), ...services(around), ...costs(around), freshness];
  const widgets = charts.map((chart, index) => widget(chart, index, stack.region));
  return new cloudwatch.CfnDashboard(scope, 'Dashboard', { dashboardName: name, dashboardBody: stack.toJsonString({ widgets }) });
}

/** Three charts a row. */
function widget({ title, stat, period, metrics }: Chart, index: number, region: string): object {
  return {
    type: 'metric',
    x: (index % 3) * 8,
    y: Math.floor(index / 3) * 6,
    width: 8,
    height: 6,
    properties: { title, region, view: 'timeSeries', stat, period: period ?? 3600, metrics },
  };
}

/** What the handlers count. The order is that of the questions that are asked most. */
function reports(stack: string): Chart[] {
  const runs = ['RunsStarted', 'RunsEnded', 'RunsCutOff', 'OrphanedRuns', 'Duplicates', 'Replaced', 'DataWarnings'];
  return [
    one(stack, 'Rows committed', 'CommittedRows'),
    one(stack, 'Commits', 'Commits'),
    one(stack, 'From the first run to the commit (s)', 'RunSeconds', 'Maximum'),
    one(stack, 'Rows fetched', 'Rows'),
    one(stack, 'Pages', 'Pages'),
    one(stack, 'Bytes stored', 'Bytes'),
    one(stack, 'Looks at runs', 'Polls'),
    one(stack, 'Throttled by CXone', 'Throttles'),
    {
      title: 'Runs started, ended, cut off, orphaned; duplicates, replaced rows, warnings',
      stat: 'Sum',
      metrics: runs.map((metric) => search(stack, metric, 'Sum', metric)),
    },
  ];
}

/** One figure, for all reports. */
function one(stack: string, title: string, metric: string, stat: 'Sum' | 'Maximum' = 'Sum'): Chart {
  return { title, stat, metrics: [search(stack, metric, stat, '')] };
}

/** A line for each tenant and report that there is, whatever their names are. */
function search(stack: string, metric: string, stat: string, label: string): unknown[] {
  const expression = `SEARCH('{${NAMESPACE},stack,tenant,report} stack="${stack}" MetricName="${metric}"', '${stat}', 3600)`;
  return [{ expression, id: metric.charAt(0).toLowerCase() + metric.slice(1), label, period: 3600 }];
}

function services({ machine, handlers }: Surroundings): Chart[] {
  const states = ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted', 'ExecutionThrottled'];
  return [
    {
      title: 'Executions',
      stat: 'Sum',
      metrics: states.map((metric) => ['AWS/States', metric, 'StateMachineArn', machine.stateMachine.stateMachineArn]),
    },
    { title: 'Function errors', stat: 'Sum', metrics: functions('Errors', handlers) },
    { title: 'Function throttles', stat: 'Sum', metrics: functions('Throttles', handlers) },
  ];
}

function costs({ machine, handlers, bucket, deadLetters }: Surroundings): Chart[] {
  const logGroups = [...handlers.map((it) => it.logGroup), machine.logGroup];
  return [
    { title: 'Cost: milliseconds of functions', stat: 'Sum', metrics: functions('Duration', handlers) },
    { title: 'Cost: invocations', stat: 'Sum', metrics: functions('Invocations', handlers) },
    {
      title: 'Cost: bytes of logs',
      stat: 'Sum',
      metrics: logGroups.map(({ logGroupName }) => ['AWS/Logs', 'IncomingBytes', 'LogGroupName', logGroupName]),
    },
    {
      title: 'Cost: bytes in the bucket',
      stat: 'Average',
      period: 86_400,
      metrics: [['AWS/S3', 'BucketSizeBytes', 'BucketName', bucket.bucketName, 'StorageType', 'StandardStorage']],
    },
    {
      title: 'Dead letters',
      stat: 'Maximum',
      metrics: [['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'QueueName', deadLetters.queueName]],
    },
  ];
}

function functions(metric: string, handlers: readonly Handler[]): unknown[] {
  return handlers.map((it) => ['AWS/Lambda', metric, 'FunctionName', it.function.functionName]);
}
