import { given, ofType, one, REPORTS, sentence } from './given';

const resources = given({ reports: REPORTS, alarmEmail: 'operations@example.com' });
const alarms = ofType(resources, 'AWS::CloudWatch::Alarm').map((it) => it.Properties);

test('every alarm goes to the topic, and its text says what to run or to look at', () => {
  expect(alarms).toHaveLength(9);
  for (const alarm of alarms) {
    expect(alarm.AlarmActions).toEqual(['<AlertTopic>']);
    expect(alarm.AlarmDescription).toMatch(/cxr |Look at|raise/);
    expect(alarm.AlarmDescription.length).toBeLessThan(1024);
  }
});

test('one execution that failed, timed out, was stopped or held back is enough', () => {
  const ofMachine = alarms.filter((it) => it.Namespace === 'AWS/States');
  expect(ofMachine.map((it) => it.MetricName)).toEqual(['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted', 'ExecutionThrottled']);
  for (const alarm of ofMachine) {
    expect(alarm).toMatchObject({
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Dimensions: [{ Name: 'StateMachineArn', Value: '<ReportPipeline>' }],
      EvaluationPeriods: 1,
      Period: 300,
      Statistic: 'Sum',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    });
  }
});

test('one dead letter is enough', () => {
  expect(one(resources, 'DeadLettersAlarm')).toMatchObject({
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Dimensions: [{ Name: 'QueueName', Value: '<DeadLetterQueue.QueueName>' }],
    Threshold: 1,
  });
});

test.each([
  ['LambdaThrottlesAlarm', 'Throttles', 900, 20],
  ['LambdaErrorsAlarm', 'Errors', 3600, 50],
])('%s counts all five functions', (name, metric, period, threshold) => {
  const alarm = one(resources, name);
  const [sum, ...functions] = alarm.Metrics;
  expect(sum).toMatchObject({ Expression: 'SUM(METRICS())', ReturnData: true });
  expect(functions.map((it: any) => it.MetricStat.Metric.Dimensions[0].Value)).toEqual(
    ['Trigger', 'PollOnce', 'FetchPage', 'Cancel', 'Finalize'].map((id) => `<${id}Function>`),
  );
  for (const it of functions) {
    expect(it).toMatchObject({ ReturnData: false, MetricStat: { Metric: { MetricName: metric }, Period: period, Stat: 'Sum' } });
  }
  expect(alarm.Threshold).toBe(threshold);
});

test.each([
  ['Daily', 'Daily_Agent_Performance_Aggregation', 27],
  ['Weekly', 'Weekly_~22Skills~22', 168],
])('%s: missing data is the alarm', (id, report, hours) => {
  expect(one(resources, `${id}NotDeliveredAlarm`)).toMatchObject({
    Namespace: 'CxoneReports',
    MetricName: 'Commits',
    Dimensions: [
      { Name: 'stack', Value: 'acme-reports' },
      { Name: 'tenant', Value: 'acme' },
      { Name: 'report', Value: report },
    ],
    ComparisonOperator: 'LessThanThreshold',
    DatapointsToAlarm: hours,
    EvaluationPeriods: hours,
    OKActions: ['<AlertTopic>'],
    Period: 3600,
    Threshold: 1,
    TreatMissingData: 'breaching',
  });
});

test('CloudWatch looks back 7 days, so months and single runs have no such alarm', () => {
  expect(Object.keys(resources).filter((name) => name.endsWith('NotDeliveredAlarm'))).toEqual(['DailyNotDeliveredAlarm', 'WeeklyNotDeliveredAlarm']);
});

test('the topic takes alarms of this account, over TLS, and mails them', () => {
  expect(one(resources, 'AlertTopicPolicy').PolicyDocument.Statement.map(sentence)).toEqual([
    'AlarmsOfThisAccount: sns:Publish on <AlertTopic> if {"StringEquals":{"aws:SourceAccount":"<AWS::AccountId>"}}',
    'Deny RefuseWithoutTls: sns:Publish on <AlertTopic> if {"Bool":{"aws:SecureTransport":"false"}}',
  ]);
  expect(one(resources, 'AlertEmail')).toEqual({ TopicArn: '<AlertTopic>', Protocol: 'email', Endpoint: 'operations@example.com' });
  expect(ofType(given(), 'AWS::SNS::Subscription')).toEqual([]);
});

test('dead letters stay two weeks', () => {
  expect(one(resources, 'DeadLetterQueue').MessageRetentionPeriod).toBe(1_209_600);
  expect(one(resources, 'DeadLetterQueuePolicy').PolicyDocument.Statement.map(sentence)).toEqual([
    'Deny RefuseWithoutTls: sqs:* on <DeadLetterQueue.Arn> if {"Bool":{"aws:SecureTransport":"false"}}',
  ]);
});

test('the dashboard shows what the handlers count and what costs money, and nothing overlaps', () => {
  const { DashboardName: name, DashboardBody: body } = one(resources, 'Dashboard');
  const { widgets } = JSON.parse(body);
  expect(name).toBe('acme-reports');
  expect(new Set(widgets.map((it: any) => `${it.x} ${it.y}`)).size).toBe(widgets.length);
  expect(widgets.map((it: any) => it.properties.title)).toMatchSnapshot();
  const shown = [...body.matchAll(/MetricName=\\"(\w+)\\"/g)].map(([, metric]) => metric);
  expect(shown.sort()).toEqual(
    ['Bytes', 'Commits', 'CommittedRows', 'DataWarnings', 'Duplicates', 'OrphanedRuns', 'Pages', 'Polls', 'Replaced', 'Rows', 'RunSeconds', 'RunsCutOff', 'RunsEnded', 'RunsStarted', 'Throttles'],
  );
});
